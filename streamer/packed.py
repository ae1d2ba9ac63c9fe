"""Vectors in MessagePack as every encoder writes them, read straight into an array: all at once, not one by one. Pure.

That is an array of arrays of three 64-bit floats. Anything else that means the same, whole numbers or 32-bit floats, is
left to whoever reads number by number.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_SHORT, _LONG = 0x90, 0xDC
"""First bytes of arrays of up to 15, and of up to 65,535 (MessagePack's specification, array format family)."""

_THREE, _FLOAT = b"\x93", b"\xcb"
"""First bytes of an array of three, and of a 64-bit float (the same, float format family)."""

_NUMBER = 9
"""Bytes of a float with its first one."""

_VECTOR = 1 + 3 * _NUMBER


def vectors(packed: bytes) -> npt.NDArray[np.float64] | None:
    """The vectors of an array, ``(n, 3)``, a view of ``packed``; None where it is written otherwise, or is none."""
    if len(packed) < 1 + _VECTOR:
        return None
    if packed[0] == _LONG:
        count, at = packed[1] << 8 | packed[2], 3
    else:
        count, at = packed[0] - _SHORT, 1
    if count < 1 or len(packed) != at + count * _VECTOR or packed[at::_VECTOR] != _THREE * count:
        return None
    floats = _FLOAT * count
    if any(packed[at + 1 + k * _NUMBER :: _VECTOR] != floats for k in range(3)):
        return None
    return np.ndarray((count, 3), ">f8", packed, at + 2, (_VECTOR, _NUMBER))
