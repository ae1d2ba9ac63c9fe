"""What comes from files and networks cannot control a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from model.text import MOST, printable


@given(st.text())
def test_every_text_is_shown_on_one_harmless_line(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable(text, MOST)) <= MOST
    assert printable(text, MOST) == printable(text)[:MOST]


def test_escape_sequences_are_shown_as_text() -> None:
    assert printable("\x1b[31mred\n\u202e") == "\\x1b[31mred\\n\\u202e"
