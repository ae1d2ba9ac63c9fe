"""``--mount``: how a user writes which way a phone points; and how a turn is told in the same words. Pure.

An axis is ``+x``, ``-x``, ``+y`` ... of the phone (Android's and iOS's axes: x to the right edge, y to the top edge, z
out of the screen), or two of them for the direction halfway, ``+y+z``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

import numpy as np

from model.orientation import FORWARD, angle_deg, from_axes
from model.signals import FloatArray

FORMS = "give auto, as-is, up=AXIS, up=AXIS,forward=AXIS (as up=+y,forward=-x), or three axes (as +y,-x,+z)"

_AXIS = re.compile(r"(?:[+-]?[xyz])(?:[+-][xyz])?")
_TERM = re.compile(r"([+-]?)([xyz])")


@dataclass(frozen=True, slots=True)
class MountChoice:
    """What ``--mount`` says of all phones: each by its own calibration where there is one (``is_remembered``), or all
    turned by ``rotation`` ``(3, 3)``; None leaves them as they are.
    """

    is_remembered: bool = True
    rotation: FloatArray | None = None


AUTO = MountChoice()
AS_IS = MountChoice(is_remembered=False)


def parse_mount(text: str) -> MountChoice:
    """The choice that is written as :data:`FORMS` says.

    Raises
    ------
    ValueError : it is written otherwise, or is no turn (an axis twice, a mirror image).
    """
    plain = text.strip().lower()
    if plain in ("auto", "as-is"):
        return AUTO if plain == "auto" else AS_IS
    return MountChoice(is_remembered=False, rotation=parse_rotation(plain))


def parse_rotation(text: str) -> FloatArray:
    """The turn from the phone's axes to the data set's, ``(3, 3)``, that named axes mean.

    Raises
    ------
    ValueError : as :func:`parse_mount`.
    """
    parts = [part.strip() for part in text.strip().lower().split(",")]
    if len(parts) == 3 and "=" not in text:
        return _permutation(text, parts)
    named = dict(part.partition("=")[::2] for part in parts)
    if len(named) != len(parts) or not {"up"} <= named.keys() <= {"up", "forward"}:
        raise ValueError(f"{text!r} is not understood; {FORMS}")
    up, forward = _axis(named["up"]), _axis(named["forward"]) if "forward" in named else None
    if forward is not None and abs(angle_deg(up, forward) - 90) > 60:
        raise ValueError(f"{text!r} has up and forward along the same line; forward lies across up")
    return from_axes(up, forward)


def _permutation(text: str, parts: list[str]) -> FloatArray:
    rotation = np.stack([_axis(part) for part in parts])
    if not np.allclose(rotation @ rotation.T, np.eye(3)):
        raise ValueError(f"{text!r} has axes that are not at right angles; name each of x, y and z once")
    if np.linalg.det(rotation) < 0:
        raise ValueError(f"{text!r} is a mirror image, which no turn of a phone gives; change one axis's sign")
    return rotation


def _axis(text: str) -> FloatArray:
    if not _AXIS.fullmatch(text):
        raise ValueError(f"{text!r} is not an axis such as +x, -y or +y+z; {FORMS}")
    direction = np.zeros(3)
    for sign, name in _TERM.findall(text):
        direction["xyz".index(name)] += -1.0 if sign == "-" else 1.0
    length = float(np.linalg.norm(direction))
    if length in (0.0, 2.0):
        raise ValueError(f"{text!r} names one axis twice; {FORMS}")
    return np.asarray(direction / length, np.float64)


def axis_word(direction: FloatArray) -> str:
    """The axis that is nearest to a direction ``(3,)`` in the phone's axes: ``+y``, or ``+y+z`` if that is nearer."""
    candidates = [np.array(signs, np.float64) for signs in product((-1, 0, 1), repeat=3)]
    candidates = [c for c in candidates if 1 <= np.count_nonzero(c) <= 2]
    nearest = min(candidates, key=lambda candidate: angle_deg(candidate, direction))
    return "".join(f"{'-' if value < 0 else '+'}{name}" for name, value in zip("xyz", nearest, strict=True) if value)


def main_axis(direction: FloatArray) -> str:
    """The one axis that is nearest to a direction ``(3,)``: ``-y``."""
    largest = int(np.abs(direction).argmax())
    return f"{'-' if direction[largest] < 0 else '+'}{'xyz'[largest]}"


def mount_words(rotation: FloatArray) -> str:
    """A turn ``(3, 3)`` as one would give it to ``--mount``, to the nearest 45°: ``up=+y,forward=-x``."""
    return f"up={main_axis(rotation[0])},forward={axis_word(rotation.T @ FORWARD)}"
