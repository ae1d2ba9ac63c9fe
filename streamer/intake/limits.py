"""What the intake waits for, bridges and keeps, at most."""

from __future__ import annotations

BRIDGE_S = 1.0
"""A longer gap ends the piece of the stream; a shorter one is interpolated linearly.

Chosen on training subjects (docs/benchmarks/bridging.md): up to here bridging costs no right answer, while a new piece
costs every fifth. Twice as long a bridge already makes answers wrong.
"""

REORDER_S = 2.0
"""How long, in the stream's own time, what is missing is waited for while later messages come."""

REORDER_SPANS = 2.5
"""The same in lengths of a message, where that is longer: of long messages, one may be overtaken by one."""

MAX_HELD_MESSAGES = 256
"""Messages of a phone that wait for an earlier one."""

MAX_HELD_READINGS = 10_000
"""Readings of a phone that wait for an earlier message, or of a sensor for the other sensor's."""

MAX_HOLD_S = 5.0
"""How long a message is held back by the listener's clock, however little of the stream it stands for."""

MAX_LOST = 10_000_000
"""A number that is further ahead is not of messages that were lost, ten a second for a week, but counted anew."""

WAIT_S = 5.0
"""How far one sensor may lag behind the other before the piece ends without it."""

START_S = 1.0
"""Readings of so many seconds tell a sensor's rate, before its first sample is made. A window takes longer anyway."""

SILENT_S = 5.0
"""A phone that was heard, but not for so long, is called silent; batches are shorter."""

MIN_RATE_HZ = 15.0
"""A sensor that is slower gives no samples: hardly anything of a step is left in it."""

MAX_RATE_HZ = 1000.0
"""A sensor that is faster gives none either: no phone has one, its times are wrong."""

LOW_RATE_HZ = 19.0
"""A sensor that is slower, of 20 Hz in name, is warned of."""

GRID_TOLERANCE_S = 0.002
"""How far an interval between samples may be from 20 ms on the 50 Hz grid."""
