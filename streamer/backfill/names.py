"""What the flags of ``har-stream classify`` take; light to import."""

from __future__ import annotations

AUTO = "auto"
"""A unit that the column's name says in brackets, or the data."""

TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
"""Seconds in one, of each unit that times can be in."""

ACCELERATION_UNITS, ANGULAR_UNITS = ("g", "m/s2"), ("rad/s", "deg/s")
"""As ``unit`` in our own format (:mod:`streamer.wire`)."""

SPLITS: tuple[str, ...] = ("train", "test", "all")
"""The recordings in the box, as UCI HAR v1.0 splits their subjects."""
