"""Digital filters in second-order sections: the loop of ``scipy.signal.sosfilt`` itself.

Importing ``scipy.signal`` brings statistics, optimisation and linear algebra with it, more than everything else that a
listener loads. The loop is one small extension module of that package, which can be loaded alone; where it cannot, or
does not do what it did, it is ``scipy.signal.sosfilt`` that filters.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
InPlace = Callable[[FloatArray, FloatArray, FloatArray], None]
"""Of sections ``(n_sections, 6)``, signals ``(n, n_samples)`` and states ``(n, n_sections, 2)``, all contiguous."""

MODULE, LOOP = "scipy.signal._sosfilt", "_sosfilt"


def sosfilt(sections: FloatArray, signals: FloatArray, state: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Many signals through one filter, each by itself.

    Parameters
    ----------
    sections : shape ``(n_sections, 6)``, as scipy has them.
    signals : shape ``(n, n_samples)``.
    state : shape ``(n, n_sections, 2)``, of each signal before its first sample.

    Returns
    -------
    The filtered signals, in the same shape, and the states behind them.
    """
    filtered, after = np.array(signals, np.float64, order="C"), np.array(state, np.float64, order="C")
    loop()(sections, filtered, after)
    return filtered, after


@cache
def loop() -> InPlace:
    """What filters: scipy's loop, alone if it can be had."""
    with suppress(Exception):  # another scipy may have it elsewhere, or want to be called in another way
        alone: InPlace = getattr(_module(), LOOP)
        if _is_right(alone):
            return alone
    return whole


def whole(sections: FloatArray, signals: FloatArray, state: FloatArray) -> None:
    """``scipy.signal.sosfilt``, in place."""
    from scipy.signal import sosfilt as filtered

    signals[...], after = filtered(sections, signals, axis=1, zi=state.transpose(1, 0, 2))
    state[...] = after.transpose(1, 0, 2)


def _module() -> ModuleType:
    if MODULE in sys.modules:
        return sys.modules[MODULE]
    import scipy

    folders = [str(Path(folder) / "signal") for folder in scipy.__path__]
    spec = PathFinder.find_spec(MODULE, folders)
    if spec is None or spec.loader is None:
        raise ImportError(f"there is no {MODULE}")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[MODULE] = module  # where scipy.signal, should it be imported later, looks for it
    return module


def _is_right(alone: InPlace) -> bool:
    """Whether it filters as it should: two sections, two signals, worked out step by step."""
    sections = np.array([[0.5, 0.25, 0.125, 1.0, -0.5, 0.25], [1.0, 2.0, 1.0, 1.0, 0.5, 0.125]])
    signals, state = np.array([[1.0, -2.0, 3.0], [0.0, 4.0, -1.0]]), np.arange(8.0).reshape(2, 2, 2)
    expected, expected_state = signals.copy(), state.copy()
    for number, at in np.ndindex(*signals.shape):
        value = signals[number, at]
        for (b0, b1, b2, _, a1, a2), delayed in zip(sections, expected_state[number], strict=True):
            given = b0 * value + delayed[0]
            delayed[:] = b1 * value - a1 * given + delayed[1], b2 * value - a2 * given
            value = given
        expected[number, at] = value
    alone(sections, signals, state)
    return np.allclose(signals, expected) and np.allclose(state, expected_state)
