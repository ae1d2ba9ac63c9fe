"""The models in the box, by name; light to import."""

from pathlib import Path

IN_THE_BOX: tuple[str, ...] = ("window", "stream")
"""Names of the models in the box; anything else is an artefact's path."""


def boxed_path(name: str) -> Path:
    """The file of one of them."""
    return Path(__file__).parent / "pretrained" / f"{name}.har"


SHA256 = {
    "window": "a041968d6f71ae1639bada56721221eb6ee75a27cdf3b2918f2f11ec7cc5ee34",
    "stream": "09172397bb11f70c479cf78d87ee7d2ed2eac74fe933cbaea3b1306f4542b8e9",
}
"""Of their files, as ``sha256sum`` prints it: one whose card was changed together with its graph is another model."""
