"""What users write for --mount, and what it is told as."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.orientation import FORWARD, from_axes
from model.signals import FloatArray
from streamer.mount.notation import AS_IS, AUTO, axis_word, main_axis, mount_words, parse_mount, parse_rotation

AXES = [f"{sign}{name}" for sign in "+-" for name in "xyz"]


def vector(axis: str) -> FloatArray:
    return np.asarray(np.eye(3)["xyz".index(axis[1])] * (1 if axis[0] == "+" else -1))


def test_the_words_for_all_phones() -> None:
    assert parse_mount("auto") is AUTO
    assert parse_mount(" As-Is ") is AS_IS
    assert AUTO.is_remembered and not AS_IS.is_remembered
    assert AUTO.rotation is AS_IS.rotation is None
    named = parse_mount("up=+y")
    assert not named.is_remembered and named.rotation is not None


@pytest.mark.parametrize("text", ["up=+x,forward=+y+z", "+x,+y,+z", "x,y,z", "UP=x, FORWARD=y+z"])
def test_the_data_sets_own_axes_are_no_turn(text: str) -> None:
    assert parse_rotation(text) == pytest.approx(np.eye(3))


@pytest.mark.parametrize("up", AXES)
@pytest.mark.parametrize("forward", AXES)
def test_every_pair_of_axes_across_each_other_is_a_turn_and_is_told_as_written(up: str, forward: str) -> None:
    text = f"up={up},forward={forward}"
    if up[1] == forward[1]:
        with pytest.raises(ValueError, match="same line"):
            parse_rotation(text)
        return
    rotation = parse_rotation(text)
    assert rotation == pytest.approx(from_axes(vector(up), vector(forward)))
    assert rotation @ vector(up) == pytest.approx([1, 0, 0])
    assert rotation @ vector(forward) == pytest.approx(FORWARD)
    assert mount_words(rotation) == text


def test_three_axes_are_the_phones_that_become_x_y_and_z() -> None:
    sample = np.array([0.1, 0.2, 0.3])
    assert parse_rotation("+y,-x,+z") @ sample == pytest.approx([0.2, -0.1, 0.3])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not understood"),
        ("sideways", "not understood"),
        ("forward=+x", "not understood"),
        ("up=+y,up=+x", "not understood"),
        ("up=+y,left=+x", "not understood"),
        ("up=+q", "not an axis"),
        ("up=", "not an axis"),
        ("up=+x+y+z", "not an axis"),
        ("up=+y+y", "names one axis twice"),
        ("up=+y-y", "names one axis twice"),
        ("up=+y,forward=-y", "same line"),
        ("+x,+x,+z", "right angles"),
        ("-x,+y,+z", "mirror image"),
        ("+x,+y", "not understood"),
        ("+x,+y,w", "not an axis"),
    ],
)
def test_what_is_no_turn_is_refused_with_the_reason(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_mount(text)


@given(st.text(max_size=30))
def test_any_text_is_a_turn_or_refused(text: str) -> None:
    try:
        choice = parse_mount(text)
    except ValueError:
        return
    if choice.rotation is not None:
        assert choice.rotation @ choice.rotation.T == pytest.approx(np.eye(3), abs=1e-9)
        assert np.linalg.det(choice.rotation) == pytest.approx(1)


def test_directions_are_told_as_the_nearest_axis() -> None:
    assert main_axis(np.array([0.2, -0.9, 0.3])) == "-y"
    assert axis_word(np.array([0.1, 0.95, -0.1])) == "+y"
    assert axis_word(np.array([0.1, -0.6, 0.7])) == "-y+z"
