"""What the checks of :mod:`model.novelty` found, in words for the person who carries the phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

SENSORS: dict[str, str] = {"acceleration": "accelerometer", "rotation": "gyroscope"}
"""The sensor behind each of the checks of motion."""

_EFFECTS: dict[str, tuple[str, ...]] = {
    "silent acceleration": ("gravity_length", "gravity_direction", "acceleration", "proportion"),
    "silent rotation": ("rotation", "proportion"),
    "gravity_length": ("gravity_direction", "acceleration", "proportion"),
    "fast proportion": ("rotation",),
}
"""What follows from a finding and is not told beside it: in m/s² everybody moves ten times as hard, too."""


def explain(found: Mapping[str, float], *, silent: Sequence[str], gravity_g: float) -> tuple[str, ...]:
    """Reasons in plain words, causes without their effects.

    Parameters
    ----------
    found : the checks that found the window novel, each with its deviation as :mod:`model.novelty` measures it.
    silent : the keys of :data:`SENSORS` whose sensor gives nothing.
    gravity_g : length of the window's gravity.
    """
    causes = [f"silent {sensor}" for sensor in silent] + [*found]
    causes += ["fast proportion"] if found.get("proportion", 0) > 0 else []
    effects: set[str] = set()
    for cause in causes:
        effects |= set(_EFFECTS.get(cause, ())) if cause not in effects else set()
    told = [f"the {SENSORS[sensor]} gives nothing" for sensor in silent]
    return (*told, *(_in_words(check, found[check], gravity_g) for check in found if check not in effects))


def _in_words(check: str, deviation: float, gravity_g: float) -> str:
    if check == "gravity_length":
        question = "is the acceleration in m/s²?" if deviation > 0 else "is the acceleration sent without gravity?"
        return f"gravity measures {gravity_g:.2g} g: {question}"
    if check == "gravity_direction":
        return (
            f"gravity points {np.degrees(deviation):.0f}° away from where it does in any training window: "
            "is the phone upside down, not at the waist, or are its axes' signs others?"
        )
    if check == "proportion":
        question = "is the angular velocity in deg/s?" if deviation > 0 else "does the gyroscope work?"
        factor = f"{10**deviation:.0f}" if deviation > 0 else f"{10**deviation:.1g}"
        return f"the phone turns {factor} times as fast as on people who move as much: {question}"
    if deviation < 0:
        return f"the {SENSORS[check]} is stiller than on any person"
    verb = "is shaken harder" if check == "acceleration" else "turns faster"
    return f"the phone {verb} than in any training activity"
