"""Faults to rehearse: messages lost, repeated, overtaken or late, the same ones for the same seed. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from replay.phone import Outgoing
from replay.tally import Tally


@dataclass(frozen=True, slots=True)
class Faults:
    """``drop``, ``duplicate`` and ``reorder`` are shares of the messages with samples, 0 to 1; labels are spared.

    ``jitter_s`` is the longest delay of a message in seconds of recording time.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    jitter_s: float = 0.0


def disturb(messages: Iterable[Outgoing], faults: Faults, seed: str, tally: Tally) -> Iterator[Outgoing]:
    """The messages of one phone with faults, still in order of ``due_s``.

    A dropped message is not sent; a reordered one is sent right after the one that followed it; a duplicated
    one is sent twice. What was done on purpose is counted in ``tally``. Nothing is ever sent early, so a
    label still comes before its samples.
    """
    chance = random.Random(seed)  # noqa: S311 - faults that can be had again
    kept = _drop(messages, faults.drop, chance, tally)
    delayed = _delay(_reorder(kept, faults.reorder, chance, tally), faults.jitter_s, chance)
    for message in delayed:
        yield message
        if message.n_samples and faults.duplicate and chance.random() < faults.duplicate:
            tally.duplicated += 1
            yield replace(message, new_piece=False)


def _drop(messages: Iterable[Outgoing], share: float, chance: random.Random, tally: Tally) -> Iterator[Outgoing]:
    for message in messages:
        if message.n_samples and share and chance.random() < share:
            tally.dropped += 1
            tally.recordings += message.new_piece
        else:
            yield message


def _reorder(messages: Iterable[Outgoing], share: float, chance: random.Random, tally: Tally) -> Iterator[Outgoing]:
    held: Outgoing | None = None
    for message in messages:
        if held is None and message.n_samples and share and chance.random() < share:
            held = message
            continue
        yield message
        if held is not None and message.n_samples:
            tally.reordered += 1
            yield replace(held, due_s=message.due_s)
            held = None
    if held is not None:
        yield held


def _delay(messages: Iterable[Outgoing], jitter_s: float, chance: random.Random) -> Iterator[Outgoing]:
    """Each late by its own, but never ahead of the one before: a connection keeps its order."""
    last_s = 0.0
    for message in messages:
        if jitter_s and message.n_samples:
            message = replace(message, due_s=message.due_s + chance.uniform(0.0, jitter_s))
        last_s = max(last_s, message.due_s)
        yield message if message.due_s == last_s else replace(message, due_s=last_s)
