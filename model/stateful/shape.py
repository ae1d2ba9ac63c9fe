"""What goes into the stateful network and comes out, and how large its state is. Knows no Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.activities import ALL_LABELS
from model.signals import SAMPLING_RATE

STRIDE = 2
"""Of each causal convolution."""

STEP = STRIDE**3
"""Samples from one answer to the next: 160 ms."""

STEP_S = STEP / SAMPLING_RATE
"""The same in seconds."""

CLASSES: tuple[str, ...] = ALL_LABELS
"""The six activities, then the six postural transitions."""


@dataclass(frozen=True)
class Shape:
    """Three causal convolutions with stride 2 each and an LSTM behind them.

    Parameters
    ----------
    features : channels that the first convolution takes.
    filters, kernels : of each convolution, three.
    units : of the LSTM.

    Raises
    ------
    ValueError : not three convolutions, or a kernel that is no longer than the stride.
    """

    features: int = 15
    filters: tuple[int, ...] = (32, 48, 64)
    kernels: tuple[int, ...] = (7, 5, 5)
    units: int = 96

    def __post_init__(self) -> None:
        if STRIDE ** len(self.kernels) != STEP or len(self.filters) != len(self.kernels) or min(self.kernels) <= STRIDE:
            raise ValueError(f"Parameters of {self} are not three filters, and three kernels longer than {STRIDE}!")

    @property
    def buffers(self) -> tuple[tuple[int, int], ...]:
        """What each convolution keeps of its input: samples and channels. A kernel of k looks at the last two samples
        and at the k - 2 before them; an even number of these is kept.
        """
        channels = (self.features, *self.filters[:-1])
        return tuple((kernel - STRIDE + kernel % STRIDE, n) for kernel, n in zip(self.kernels, channels, strict=True))

    @property
    def state_size(self) -> int:
        """Numbers of one phone's state: the convolutions' buffers, the LSTM's output and its cell."""
        return sum(samples * channels for samples, channels in self.buffers) + 2 * self.units

    @property
    def state_bytes(self) -> int:
        """The same in bytes; a number is a float32."""
        return 4 * self.state_size


def shape_of(filters: Sequence[int], kernels: Sequence[int], units: int, features: int = 15) -> Shape:
    """A shape from a card's hyperparameters."""
    return Shape(features, tuple(filters), tuple(kernels), units)
