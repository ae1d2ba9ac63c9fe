"""Words for people: counts of things; text from files and networks, made harmless to show."""

MOST = 200
"""Characters of what a network peer says that are shown at most."""


def printable(text: str, most: int | None = None) -> str:
    """The text on one line: whatever is not printable (controls, newlines, right-to-left marks) as its escape.

    ``most`` characters at most, where it is given.
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[:most])
    return shown[:most]


def counted(count: int, thing: str) -> str:
    """How many of a thing: ``1 phone``, ``2 phones``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
