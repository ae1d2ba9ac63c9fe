"""A simulated phone: recordings in, the messages that a phone would send out, lazily and in order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.signals import SAMPLING_RATE
from replay.source import Piece, first_sample
from streamer.wire import IMU, LABEL, Encoding, Label, encode_imu, encode_label, topic

PAUSE_S = 5.0
"""Silence between two recordings of one phone: plainly a gap, whatever the listener calls one."""

_CLOCK_DIGITS = 6
"""Decimals of a time stamp: microseconds, about what a double holds of Unix time."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How phones send: ``batch`` samples a message, the units of :class:`replay.source.Piece`."""

    root: str = "har"
    batch: int = 25
    encoding: Encoding = "json"
    acc_unit: str = "g"
    labels: bool = True
    loop: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish ``due_s`` seconds of recording time after the replay's start.

    ``n_samples`` is 0 for a label. ``new_piece`` marks the first samples of a recording.
    """

    due_s: float
    topic: str
    payload: bytes
    n_samples: int = 0
    new_piece: bool = False


@dataclass(frozen=True, slots=True)
class Phone:
    """Recordings sent one after the other under one name.

    ``start_time_s`` is the Unix time of the replay's start, ``phase_s`` how long after it this phone starts.
    """

    name: str
    pieces: tuple[Piece, ...]
    start_time_s: float
    phase_s: float = 0.0

    @property
    def n_samples(self) -> int:
        """Samples of all its recordings, sent once."""
        return sum(len(piece.samples) for piece in self.pieces)

    def messages(self, manner: Manner) -> Iterator[Outgoing]:
        """What the phone sends, in order of ``due_s``; without end if ``manner.loop``.

        A message is due when its last sample has been taken. Messages with samples are numbered from 0 on; a
        label is sent before the first sample that it covers. Sample i of a recording that starts
        ``offset_s`` after the phone has the time ``start_time_s + phase_s + offset_s + i / rate``.

        Raises
        ------
        streamer.wire.WireError : the name cannot be a topic level.
        """
        offset_s = 0.0
        seq = 0
        while True:
            for piece in self.pieces:
                yield from self._piece_messages(piece, manner, offset_s, seq)
                seq += -(-len(piece.samples) // manner.batch)
                offset_s += piece.duration_s + PAUSE_S
            if not manner.loop:
                return

    def _piece_messages(self, piece: Piece, manner: Manner, offset_s: float, seq: int) -> Iterator[Outgoing]:
        begin_s = round(self.start_time_s + self.phase_s, 3) + offset_s
        imu = topic(manner.root, self.name, IMU)
        covers = [first_sample(stretch, piece.rate) for stretch in piece.stretches] if manner.labels else []
        next_label = 0
        for start in range(0, len(piece.samples), manner.batch):
            values = piece.samples[start : start + manner.batch]
            due_s = self.phase_s + offset_s + (start + len(values)) / piece.rate
            while next_label < len(covers) and covers[next_label] < start + len(values):
                yield self._label_message(piece, next_label, manner, begin_s, due_s)
                next_label += 1
            payload = encode_imu(
                values,
                time_s=_time(begin_s + start / piece.rate),
                seq=seq + start // manner.batch,
                rate=piece.rate,
                unit=(manner.acc_unit, "rad/s"),
                stage=piece.stage,
                start=piece.start and start == 0,
                encoding=manner.encoding,
            )
            yield Outgoing(due_s, imu, payload, len(values), start == 0)

    def _label_message(self, piece: Piece, index: int, manner: Manner, begin_s: float, due_s: float) -> Outgoing:
        stretch = piece.stretches[index]
        label = Label(stretch.activity, _time(begin_s + stretch.start_s), _time(begin_s + stretch.end_s))
        return Outgoing(due_s, topic(manner.root, self.name, LABEL), encode_label(label, manner.encoding))


def make_phones(
    recordings: Sequence[tuple[str, tuple[Piece, ...]]],
    *,
    n_phones: int | None,
    start_time_s: float,
    batch: int,
) -> list[Phone]:
    """One phone a recording, or ``n_phones`` that share them: clones are called ``s02-e03-002`` and so on.

    Their phases are spread over the time that one message takes, so that not all send at one instant.
    """
    count = len(recordings) if n_phones is None else n_phones
    phones = []
    for number in range(count):
        copy, which = divmod(number, len(recordings))
        name, pieces = recordings[which]
        rate = pieces[0].rate if pieces else SAMPLING_RATE
        phase_s = batch / rate * number / count
        phones.append(Phone(name if copy == 0 else f"{name}-{copy + 1:03d}", pieces, start_time_s, phase_s))
    return phones


def _time(time_s: float) -> float:
    return round(time_s, _CLOCK_DIGITS)
