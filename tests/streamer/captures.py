"""Captures of simulated phones, for the tests."""

from __future__ import annotations

from pathlib import Path

from model.bundled import load_recordings
from replay.phone import Manner, make_phones
from replay.source import prepare
from streamer.capture.format import Record
from streamer.capture.writer import CaptureWriter

EPOCH = 1_700_000_000.0


def record(path: Path, subject: int, *, labels: bool = True) -> Path:
    """What a listener would have recorded of a subject's simulated phones."""
    pieces = [(recording.name, (prepare(recording),)) for recording in load_recordings((subject,))]
    writer = CaptureWriter(path, EPOCH)
    for phone in make_phones(pieces, n_phones=None, start_time_s=EPOCH, batch=50):
        for message in phone.messages(Manner(batch=50, labels=labels, encoding="msgpack")):
            writer.add(Record(EPOCH + message.due_s, message.topic, message.payload))
    writer.close()
    return path
