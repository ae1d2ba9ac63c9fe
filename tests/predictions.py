"""Predictions as the recognizer makes them, for tests of what becomes of them."""

from __future__ import annotations

import numpy as np

from model.activities import ACTIVITIES
from model.changes import ActivityChange
from streamer.phone_stream import ReadyWindow
from streamer.recognition.prediction import Prediction

EPOCH = 1_700_000_000.0


def prediction(
    phone: str = "s02-e03",
    k: int = 0,
    answer: str = "SITTING",
    *,
    confidence: float = 0.7,
    arrived_s: float = 0.0,
    change: ActivityChange | None = None,
) -> Prediction:
    """The ``k``-th window of a phone, answered with ``answer``."""
    activity = answer if answer in ACTIVITIES else "SITTING"
    probabilities = np.full(6, (1 - confidence) / 5)
    probabilities[ACTIVITIES.index(activity)] = confidence
    start_s = EPOCH + 1.28 * k
    window = ReadyWindow(
        phone, 64 * k, start_s, start_s + 2.56, np.zeros((128, 9), np.float32), arrived_s, label=None, piece=1
    )
    return Prediction(window, answer, activity, confidence, probabilities, activity, 3.25, change=change)
