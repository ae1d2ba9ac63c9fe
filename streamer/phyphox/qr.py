"""QR codes on a terminal."""

from __future__ import annotations

import segno

BORDER = 4
"""Light modules around a code (ISO/IEC 18004: at least 4)."""

_CAPACITY = (271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858, 929, 1003, 1091, 1171, 1273)
"""Bytes that fit in versions 10 to 25 at error correction level L (ISO/IEC 18004, table 7). Smaller codes would be too
many; larger ones, of more than 117 modules, are hard to scan."""

_SMALLEST = 10

BLACK_ON_WHITE, RESET = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
"""Spelled out, as a code in a terminal's own colours may come out inverted."""

_BLOCKS = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def most_bytes(columns: int) -> int:
    """How many bytes a code may hold that fits in so many columns of a terminal; at least the smallest code's."""
    fitting = sum(17 + 4 * version + 2 * BORDER <= columns for version in range(_SMALLEST, _SMALLEST + len(_CAPACITY)))
    return _CAPACITY[max(fitting, 1) - 1]


def qr_lines(payload: bytes, *, colour: bool) -> list[str]:
    """A code in byte mode as lines of half blocks, two modules a character high; ``colour``: black on white."""
    code = segno.make_qr(payload, error="l", mode="byte", boost_error=False)
    rows = [list(row) for row in code.matrix_iter(border=BORDER)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    lines = ["".join(map(_block, upper, lower)) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]
    return [f"{BLACK_ON_WHITE}{line}{RESET}" for line in lines] if colour else lines


def _block(upper: int, lower: int) -> str:
    return _BLOCKS[bool(upper), bool(lower)]
