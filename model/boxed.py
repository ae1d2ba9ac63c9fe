"""The models in the box, by name; light to import."""

from pathlib import Path

IN_THE_BOX: tuple[str, ...] = ("window", "stream")
"""Names of the models in the box; anything else is an artefact's path."""


def boxed_path(name: str) -> Path:
    """The file of one of them."""
    return Path(__file__).parent / "pretrained" / f"{name}.har"


SHA256 = {
    "window": "a041968d6f71ae1639bada56721221eb6ee75a27cdf3b2918f2f11ec7cc5ee34",
    "stream": "ff434a0178c852a7df04b8d9482bbf2859d8647a89a8a3f1d21aedf75c72a944",
}
"""Of their files, as ``sha256sum`` prints it: one whose card was changed together with its graph is another model."""
