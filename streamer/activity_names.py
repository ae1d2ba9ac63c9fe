"""Activities as people write them: ``walking upstairs``, ``Upstairs``, ``lying down``. Pure."""

from __future__ import annotations

import re

from model.activities import ALL_LABELS

_WORDS = {
    "walk": "WALKING",
    "upstairs": "WALKING_UPSTAIRS",
    "walk upstairs": "WALKING_UPSTAIRS",
    "stairs up": "WALKING_UPSTAIRS",
    "downstairs": "WALKING_DOWNSTAIRS",
    "walk downstairs": "WALKING_DOWNSTAIRS",
    "stairs down": "WALKING_DOWNSTAIRS",
    "sit": "SITTING",
    "stand": "STANDING",
    "lying": "LAYING",
    "lying down": "LAYING",
    "lie": "LAYING",
    "lie down": "LAYING",
    "laying down": "LAYING",
} | {name.lower().replace("_", " "): name for name in ALL_LABELS}

_BETWEEN_WORDS = re.compile(r"[\s_-]+")


def activity_of(text: str) -> str | None:
    """The activity that a text names, one of :data:`model.activities.ALL_LABELS`; None if it names none.

    Case, spaces, dashes and underscores do not matter.
    """
    return _WORDS.get(_BETWEEN_WORDS.sub(" ", text.strip().lower()))
