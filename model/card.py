"""The model card: what a trained model is, what it expects, and how it was made.

A card describes the input that its model was trained on; :func:`check_card` refuses one that this program
would feed differently.
"""

from __future__ import annotations

from typing import Any

import msgspec

from model.activities import ACTIVITIES
from model.errors import ArtefactError
from model.metrics import Scores
from model.signals import CHANNELS, FILTERS, SAMPLING_RATE, UNITS
from model.stateful.shape import STEP
from model.windows import HOP, WINDOW_LENGTH

FORMAT_VERSION = 1

STREAM = "stream"
"""The network that keeps a state (:mod:`model.stateful`); all others take windows."""

CHAIN_STEPS: tuple[str, ...] = (
    "every channel: median of 3, centred, zero-padded at the ends",
    "every channel: Butterworth low-pass 'noise', causal",
    "gravity: Butterworth low-pass 'gravity', causal, of the total acceleration",
    "body acceleration: total acceleration minus gravity",
    "body angular velocity: angular velocity minus its Butterworth low-pass 'drift', causal",
)
"""The steps of :class:`model.signals.SignalChain`, in order."""


class LowPassCard(msgspec.Struct, frozen=True, kw_only=True):
    """One Butterworth low-pass."""

    order: int
    cutoff_hz: float


class FilterCard(msgspec.Struct, frozen=True, kw_only=True):
    """The signal chain before the window."""

    lowpass: dict[str, LowPassCard]
    steps: tuple[str, ...]


class InputCard(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is fed: sampling rate [Hz], window and hop [samples], channels with units, filter.

    A stream is fed in steps: windows that follow each other, the hop their length.
    """

    sampling_rate: float
    window_length: int
    hop: int
    channels: tuple[str, ...]
    units: tuple[str, ...]
    filter: FilterCard


class TrainingCard(msgspec.Struct, frozen=True, kw_only=True):
    """How a model was trained: data, number of windows, subjects, seed, and every option."""

    data: str
    windows: int
    subjects: tuple[int, ...]
    seed: int
    options: dict[str, Any]


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A model's description; ``sha256`` has the hash of each other member of the artefact.

    ``novelty`` is :meth:`model.novelty.Novelty.to_json`'s: what the training subjects' windows were like.
    """

    name: str
    network: str
    hyperparameters: dict[str, Any]
    classes: tuple[str, ...]
    n_parameters: int
    input: InputCard
    training: TrainingCard
    metrics: dict[str, Scores]
    created_by: dict[str, str]
    sha256: dict[str, str]
    novelty: dict[str, Any] | None = None
    format_version: int = FORMAT_VERSION


class _Format(msgspec.Struct):
    format_version: int


def program_input(network: str) -> InputCard:
    """The input that this program produces for a network: windows, or the consecutive steps of a stream."""
    window_length, hop = (STEP, STEP) if network == STREAM else (WINDOW_LENGTH, HOP)
    return InputCard(
        sampling_rate=SAMPLING_RATE,
        window_length=window_length,
        hop=hop,
        channels=CHANNELS,
        units=UNITS,
        filter=FilterCard(
            lowpass={name: LowPassCard(order=order, cutoff_hz=hz) for name, (order, hz) in FILTERS.items()},
            steps=CHAIN_STEPS,
        ),
    )


def encode_card(card: Card) -> bytes:
    """The card as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n"


def decode_card(content: bytes, source: str) -> Card:
    """Read a card; ``source`` names the file in errors.

    Raises
    ------
    ArtefactError : not a card, or one of another format version.
    """
    try:
        version = msgspec.json.decode(content, type=_Format).format_version
        if version != FORMAT_VERSION:
            raise ArtefactError(
                f"{source} has format version {version}, this program reads version {FORMAT_VERSION}; "
                "use the har-stream release that made it, or train it again."
            )
        return msgspec.json.decode(content, type=Card)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ArtefactError(f"The card.json in {source} is malformed ({error}); train the model again.") from error


def check_card(card: Card, source: str) -> None:
    """Refuse a model that expects another input than this program produces, or does not know the activities.

    Raises
    ------
    ArtefactError : the first mismatch, with both values.
    """
    expected = msgspec.structs.asdict(program_input(card.network))
    for field, theirs in msgspec.structs.asdict(card.input).items():
        if theirs != expected[field]:
            raise ArtefactError(
                f"{source} was trained for {field} {_shown(theirs)}, but this program produces "
                f"{_shown(expected[field])}; train it again with har-model train."
            )
    if len(set(card.classes)) != len(card.classes) or not set(ACTIVITIES) <= set(card.classes):
        raise ArtefactError(
            f"{source} has classes {_shown(card.classes)}, but this program needs each once, "
            f"{_shown(ACTIVITIES)} among them; train it again with har-model train."
        )


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, FilterCard):
        filters = (f"{name} order {f.order} at {f.cutoff_hz} Hz" for name, f in value.lowpass.items())
        return f"[{', '.join(filters)}; {'; '.join(value.steps)}]"
    return str(value)
