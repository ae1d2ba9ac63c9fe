"""The models in the box, by name; light to import."""

IN_THE_BOX: tuple[str, ...] = ("window", "stream")
"""Names of the models in the box; anything else is an artefact's path."""
