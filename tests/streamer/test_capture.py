"""The capture format: what was received comes back, and of a cut or damaged file all that lies before."""

from __future__ import annotations

import io
import re
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import DataError, HarError
from streamer.capture.format import GZIP, MAGIC, Frames, Record, encode_header, encode_record
from streamer.capture.reader import Capture, is_capture, open_capture
from streamer.capture.recorder import Recorder, recording
from streamer.capture.writer import CaptureWriter
from streamer.inbox import Message
from tests.processes import ROOT

STARTED = 1_700_000_000.25
TOPICS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="+#\0"), min_size=1, max_size=20)
RECORDS = st.lists(st.builds(Record, st.floats(0, 1e11), TOPICS, st.binary(max_size=300)), max_size=12)


def written(path: Path, records: list[Record], *, flush_every: int = 3) -> bytes:
    path.unlink(missing_ok=True)
    writer = CaptureWriter(path, STARTED)
    for number, record in enumerate(records):
        writer.add(record)
        if number % flush_every == 0:
            writer.flush()
    writer.close()
    return path.read_bytes()


def read(content: bytes) -> tuple[list[Record], str | None]:
    capture = Capture(io.BytesIO(content), "x")
    assert capture.started_s == STARTED
    records = list(capture)
    assert capture.count == len(records)
    return records, capture.damage


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("captures")


@given(records=RECORDS, flush_every=st.integers(1, 5))
def test_what_was_received_comes_back(folder: Path, records: list[Record], flush_every: int) -> None:
    assert read(written(folder / "a.cap", records, flush_every=flush_every)) == (records, None)
    assert is_capture(folder / "a.cap")


@given(records=RECORDS, data=st.data())
def test_a_cut_capture_gives_what_lies_before_and_says_so(
    folder: Path, records: list[Record], data: st.DataObject
) -> None:
    content = written(folder / "b.cap", records)
    header = len(encode_header(STARTED))
    kept, damage = read(content[: data.draw(st.integers(header, len(content) - 1))])
    assert kept == records[: len(kept)]
    assert damage is not None
    assert damage.endswith(".")


@given(records=RECORDS, data=st.data())
def test_a_damaged_capture_never_gives_a_message_that_was_not_received(
    folder: Path, records: list[Record], data: st.DataObject
) -> None:
    content = bytearray(written(folder / "c.cap", records))
    header = len(encode_header(STARTED))
    position = data.draw(st.integers(header, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    kept, damage = read(bytes(content))
    assert kept == records[: len(kept)]
    assert damage is not None or kept == records  # a few bits say nothing, as gzip's own time of the file


@given(content=st.binary(max_size=2000))
def test_any_bytes_are_a_capture_read_as_far_as_it_goes_or_one_sentence(content: bytes) -> None:
    with pytest.raises(DataError, match="is not a capture"):
        Capture(io.BytesIO(content), "x")
    for tail in (content, zlib.compress(content, wbits=GZIP)):
        records, damage = read(encode_header(STARTED) + tail)
        assert len(records) == 0
        assert damage is not None or tail is not content


def test_everything_that_was_flushed_survives_a_crash(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path / "x.cap", STARTED)
    records = [Record(STARTED + k, f"har/p/{k}", bytes([k]) * k) for k in range(20)]
    for record in records[:15]:
        writer.add(record)
    writer.flush()
    for record in records[15:]:
        writer.add(record)
    kept, damage = read((tmp_path / "x.cap").read_bytes())
    assert kept == records[:15]
    assert damage is not None
    assert "no end" in damage
    writer.abandon()


def test_messages_of_any_size_come_back(tmp_path: Path) -> None:
    records = [Record(0.0, "t", bytes(size)) for size in (0, 65_535, 65_536, 3_000_000, 1)]
    kept, damage = read(written(tmp_path / "x.cap", records))
    assert damage is None
    assert [len(record.payload) for record in kept] == [len(record.payload) for record in records]


def test_frames_refuse_lengths_that_no_message_has() -> None:
    frames = Frames()
    with pytest.raises(ValueError, match="4294967295 bytes"):
        list(frames.push(b"\xff" * 8))


@pytest.mark.parametrize(
    "record",
    [
        Record(float("nan"), "t", b""),
        Record(0.0, "", b""),
        Record(0.0, "a/#", b""),
        Record(0.0, "a\0", b""),
        Record(0.0, "x" * 65_536, b""),
    ],
)
def test_what_no_broker_delivers_is_damage(record: Record) -> None:
    good = Record(1.0, "har/p/imu", b"{}")
    body = zlib.compress(encode_record(good) + encode_record(record), wbits=GZIP)
    records, damage = read(encode_header(STARTED) + body)
    assert records == [good]
    assert damage is not None
    assert "damaged after 1 message," in damage


def test_a_newer_format_and_what_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    newer = tmp_path / "newer.cap"
    newer.write_bytes(MAGIC + b"2 1700000000.000000\n")
    with pytest.raises(DataError, match="format 2"), open_capture(newer):
        pass
    with pytest.raises(DataError, match="cannot be read"), open_capture(tmp_path / "none"):
        pass
    with pytest.raises(DataError, match="cannot be read"), open_capture(tmp_path):
        pass
    assert not is_capture(tmp_path / "none")
    assert is_capture(newer)


def test_the_header_is_one_line_and_the_rest_is_gzip(tmp_path: Path) -> None:
    content = written(tmp_path / "x.cap", [Record(STARTED, "har/p/imu", b"{}")])
    line, _, rest = content.partition(b"\n")
    assert re.fullmatch(rb"har-stream capture 1 1700000000\.250000", line)
    assert zlib.decompress(rest, wbits=GZIP) == encode_record(Record(STARTED, "har/p/imu", b"{}"))


@pytest.mark.parametrize("cut", [0, 30])
def test_the_program_in_the_format_s_description_reads_a_capture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    records = [Record(STARTED + k, "har/p/imu", bytes([k]) * 9) for k in range(50)]
    content = written(tmp_path / "session.cap", records)
    (tmp_path / "session.cap").write_bytes(content[: len(content) - cut])
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/capture-format.md").read_text("utf-8"), re.DOTALL)
    told: list[tuple[object, ...]] = []
    monkeypatch.chdir(tmp_path)
    exec(f"{program}    told.append((arrived_s, topic, payload))\n", {"told": told})
    expected = [(record.arrived_s, record.topic, record.payload) for record in records]
    assert told == expected[: len(told)]
    assert len(told) == 50 if cut == 0 else 0 < len(told) < 50


def test_a_recorder_keeps_all_in_order_with_times_that_do_not_go_back(tmp_path: Path) -> None:
    path = tmp_path / "x.cap"
    received: list[tuple[str, bytes]] = []
    before_s = time.time()
    with recording(path) as recorder:
        assert recorder is not None
        receive = recorder.before(lambda messages: received.extend((m.topic, m.payload) for m in messages))
        for number in range(0, 5000, 2):
            receive([Message("har/p/imu", b"%d" % k, time.monotonic()) for k in (number, number + 1)])
    with open_capture(path) as capture:
        records = list(capture)
    assert capture.damage is None
    assert [(r.topic, r.payload) for r in records] == received
    assert [r.payload for r in records] == [b"%d" % k for k in range(5000)]
    times = [r.arrived_s for r in records]
    assert times == sorted(times)
    assert before_s - 1 < capture.started_s <= times[0] <= times[-1] < time.time() + 1


def test_what_does_not_fit_is_counted_and_never_waits(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "x.cap", max_bytes=10)
    for _ in range(50):
        recorder.put("t", b"x" * 11)
    recorder.put("t", b"x")
    told = recorder.close()
    assert (told["messages"], told["missed"], told["failure"]) == (1, 50, None)
    assert recorder.close() == told


def test_nothing_is_overwritten_and_a_failed_start_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.cap"
    path.write_bytes(b"mine")
    with pytest.raises(HarError, match="exists"):
        Recorder(path)
    assert path.read_bytes() == b"mine"
    with pytest.raises(HarError, match="cannot be recorded to"):
        Recorder(tmp_path / "none" / "x.cap")
    with pytest.raises(ValueError, match="no broker"), recording(tmp_path / "y.cap"):
        raise ValueError("no broker")
    assert not (tmp_path / "y.cap").exists()
    with pytest.raises(ValueError, match="later"), recording(tmp_path / "z.cap") as recorder:
        assert recorder is not None
        recorder.put("t", b"x")
        raise ValueError("later")
    with open_capture(tmp_path / "z.cap") as capture:
        assert len(list(capture)) == 1
    assert capture.damage is None
