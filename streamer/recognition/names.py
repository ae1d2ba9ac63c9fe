"""Which models there are, and how often the one that follows streams predicts; what flags and loading must agree on."""

from __future__ import annotations

DEFAULT_MODEL = "window"
"""The model that recognises unless told otherwise."""

EVERY_S = 0.48
"""Seconds from one prediction of a stream model to the next, unless told otherwise."""

LEAST_EVERY_S, MOST_EVERY_S = 0.16, 2.56
"""The same at least, a step, and at most, a window's length."""
