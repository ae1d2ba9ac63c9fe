"""Text from files and networks, made harmless to show."""


def printable(text: str) -> str:
    """The text on one line: whatever is not printable (controls, newlines, right-to-left marks) becomes ``�``."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
