"""Which windows a label holds for, with an end and without."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.labels import Labels
from streamer.wire import Label, WireError, decode_label, encode_label

OPEN = math.inf


def labels(*added: tuple[str | None, float, float], now_s: float = 1000.0) -> Labels:
    found = Labels(clock=lambda: now_s)
    for activity, start_s, end_s in added:
        found.add(Label(activity, start_s, end_s))
    return found


def test_an_open_label_holds_until_the_next_begins() -> None:
    found = labels(("SITTING", 10, OPEN), ("STANDING", 20, OPEN), (None, 30, OPEN))
    assert found.covering(9, 12) is None
    assert found.covering(10, 12.56) == found.covering(17.44, 20) == "SITTING"
    assert found.covering(18, 20.56) is None
    assert found.covering(20, 22.56) == found.covering(27, 30) == "STANDING"
    assert found.covering(40, 42) is None


def test_a_label_with_an_end_ends_an_open_one_too() -> None:
    found = labels(("SITTING", 10, OPEN), ("WALKING", 20, 25))
    assert found.covering(12, 14) == "SITTING"
    assert found.covering(21, 24) == "WALKING"
    assert found.covering(26, 28) is None


def test_what_has_not_passed_may_still_be_labelled_otherwise() -> None:
    assert labels(("SITTING", 10, OPEN), now_s=15.0).covering(12, 14.5) == "SITTING"
    assert labels(("SITTING", 10, OPEN), now_s=14.0).covering(12, 14.5) is None
    assert labels(("SITTING", 10, 20), now_s=0.0).covering(12, 14.5) == "SITTING"


def test_an_overtaken_label_does_not_end_the_one_that_followed() -> None:
    found = labels(("STANDING", 20, OPEN), ("SITTING", 10, OPEN), ("SITTING", 10, OPEN))
    assert found.covering(12, 14) == "SITTING"
    assert found.covering(18, 21) is None
    assert found.covering(22, 24) == "STANDING"


def test_a_repeated_label_changes_nothing() -> None:
    found = labels(("SITTING", 10, OPEN), ("SITTING", 10, OPEN))
    assert found.covering(12, 14) == "SITTING"


@given(
    starts=st.lists(st.integers(0, 50), min_size=1, max_size=8, unique=True).map(sorted),
    window=st.integers(0, 60),
    length=st.integers(1, 6),
)
def test_open_labels_are_as_labels_that_end_where_the_next_begins(starts: list[int], window: int, length: int) -> None:
    names = ["SITTING", "WALKING"]
    opened = [(names[k % 2], float(start), OPEN) for k, start in enumerate(starts)]
    ends = [*starts[1:], 1000]
    closed = [(names[k % 2], float(starts[k]), float(ends[k])) for k in range(len(starts))]
    assert labels(*opened).covering(window, window + length) == labels(*closed).covering(window, window + length)


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@pytest.mark.parametrize("end_s", [12.5, OPEN])
def test_the_wire_carries_both(encoding: str, end_s: float) -> None:
    label = Label("LAYING", 10.25, end_s)
    assert decode_label(encode_label(label, encoding)) == label  # type: ignore[arg-type]


def test_an_end_may_be_absent_but_not_nonsense() -> None:
    assert decode_label(b'{"activity": null, "start": 3}') == Label(None, 3.0, OPEN)
    for end in (b"NaN", b'"soon"', b"1e999"):
        with pytest.raises(WireError):
            decode_label(b'{"activity": null, "start": 3, "end": ' + end + b"}")
