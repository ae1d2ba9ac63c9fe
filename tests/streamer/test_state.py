"""What a listener keeps: wherever it ends and however, the next one goes on as though nothing had been."""

from __future__ import annotations

import json
import math
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import Mock

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from model.activities import ACTIVITIES, TRANSITION
from model.bundled import load_recordings
from model.errors import HarError
from model.smoothing import FilterSettings
from model.stateful.classifier import StreamClassifier
from streamer.capture.format import encode_frame
from streamer.inbox import Message
from streamer.publishing.outbox import Outgoing
from streamer.recognition.prediction import Engine, Prediction
from streamer.recognition.stream_engine import StreamEngine
from streamer.recognition.window_engine import WindowEngine
from streamer.state import keeper as keeping
from streamer.state.codec import Maker, NotKeptError, Taker
from streamer.state.keeper import Keeper
from streamer.state.register import REGISTER
from streamer.state.segments import Entry, Segment, read_segments, segment_path
from streamer.state.time_base import TimeBase
from streamer.tally import PhoneTally, Tally
from streamer.wire import Label, encode_label
from tests.disks import IN_MEMORY, fill, small_disk
from tests.streamer.kept_listeners import Told, kept_listener
from tests.streamer.recorded_phones import START_S, Sent, har, phyphox, sensor_logger, sensorspot, worn


class ByMeans:
    """A classifier that needs no model: a window's probabilities are by its channels' means."""

    classes = (*ACTIVITIES, TRANSITION)
    novelty = None

    def class_probabilities(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        weights = np.exp(3 * windows.mean(axis=1)[:, :7])
        scaled: npt.NDArray[np.float32] = weights / weights.sum(axis=1, keepdims=True)
        return scaled


@cache
def stream_classifier() -> StreamClassifier:
    return StreamClassifier.load()


def engine(kind: str) -> Engine:
    if kind == "stream":
        return StreamEngine(stream_classifier(), 3, kind)
    return WindowEngine(ByMeans(), FilterSettings(lag=2 if kind == "lag" else 0), kind)


@cache
def messages() -> tuple[Message, ...]:
    """All formats at once for half a minute, our own with all that goes wrong on the way, in order of arrival."""
    phone = worn(load_recordings((2,))[0], ("STANDING", "WALKING"))
    chance = random.Random(1)
    mine: list[Sent] = list(har(phone, "faulty"))
    places = range(len(mine))
    faulty = sorted((k + chance.choice((0, 0, 0, 2.5)), mine[k]) for k in places if chance.random() > 0.05)
    faulty += [(at + chance.random(), sent) for at, sent in faulty if chance.random() < 0.1]
    due = [(at / 2, *sent) for at, sent in faulty]
    for name, sent, each_s in (
        ("straight", har(phone, "straight"), 0.5),
        ("android", sensor_logger(phone, "android", ios=False), 1.0),
        ("iphone", sensor_logger(phone, "iphone", ios=True), 1.0),
        ("spot", islice(sensorspot(phone, "spot", dedicated=True), 800), 1 / 104),
        ("phyphox", phyphox(phone, "phyphox"), 0.5),
    ):
        due += [(k * each_s + len(name) / 100, topic, payload) for k, (topic, payload) in enumerate(sent)]
    due += [(12.0, "har/straight/label", encode_label(Label("WALKING", START_S + 10.0, START_S + 25.0)).decode())]
    due += [(13.0, "har/straight/imu", "{")]
    return tuple(Message(topic, payload.encode(), START_S + 0.3 + at) for at, topic, payload in sorted(due))


def by_phone(predictions: Sequence[Prediction]) -> dict[str, list[Prediction]]:
    each: dict[str, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        each[prediction.phone].append(prediction)
    return each


def account(tally: Tally) -> dict[str, object]:
    """Everything that is counted and remembered, but for what is of the moment."""
    moment = {"rate", "traces", "time_line", "confusion", "confidence", "probabilities", "notices", "noticed_s"}
    names = [field.name for field in fields(PhoneTally) if field.name not in moment]
    phones = {
        name: [*(getattr(phone, each) for each in names), phone.time_line.codes, phone.confusion.tolist()]
        for name, phone in tally.phones.items()
    }
    return {"phones": phones, "totals": tally.totals, "all": tally.confusion.tolist(), "fault": tally.last_fault}


@cache
def undisturbed(kind: str) -> tuple[dict[str, list[Prediction]], list[Outgoing], dict[str, object]]:
    told, published = Told(), list[Outgoing]()
    with (
        TemporaryDirectory(dir=IN_MEMORY) as folder,
        kept_listener(Path(folder), engine(kind), told, published) as listener,
    ):
        for at in range(0, len(messages()), 50):
            listener.give(messages()[at : at + 50])
        listener.acknowledge()
        return by_phone(told.predictions), published, account(listener.listener.tally)


def assert_same(found: Sequence[Prediction], expected: Sequence[Prediction], shift_s: float = 0.0) -> None:
    """Arrivals that were told by another clock are the same but for a double's resolution."""
    assert [p.window.start_sample for p in found] == [p.window.start_sample for p in expected]
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one.window.values, other.window.values)
        times = (one.window.start_s, one.window.end_s), (other.window.start_s, other.window.end_s)
        assert times[0] == (times[1] if shift_s == 0 else pytest.approx(times[1], abs=1e-6))
        assert (one.window.label, one.window.piece) == (other.window.label, other.window.piece)
        assert (one.answer, one.change, one.reasons) == (other.answer, other.change, other.reasons)
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


@pytest.mark.parametrize("kind", ["window", "lag", "stream"])
@settings(max_examples=5, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    cuts=st.lists(st.tuples(st.integers(0, 1200), st.booleans(), st.integers(0, 200)), min_size=1, max_size=3),
    every_s=st.sampled_from([0.0, 1e9]),
)
@example(cuts=[(500, True, 0), (800, False, 3)], every_s=0.0)
def test_however_often_it_ends_and_begins_again_all_is_told_once_and_as_without(
    kind: str, cuts: list[tuple[int, bool, int]], every_s: float
) -> None:
    told, published = Told(), list[Outgoing]()
    ends = sorted((min(at, len(messages())), crash, taken) for at, crash, taken in cuts)
    with TemporaryDirectory(dir=IN_MEMORY) as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "EVERY_S", every_s)
        patch.setattr(keeping, "SHARE", float("inf"))
        begin = 0
        for number, (end, crash, taken) in enumerate([*ends, (len(messages()), False, 10**6)]):
            with kept_listener(Path(name), engine(kind), told, published) as listener:
                assert listener.goes_on == (number > 0)
                for at in range(begin, end, 100):
                    listener.give(messages()[at : min(at + 100, end)])
                    listener.acknowledge(taken)
                listener.acknowledge(taken)
                tally = account(listener.listener.tally)
                if crash:
                    listener.crash()
                else:
                    listener.stop()
            begin = end
    expected, published_before, tally_before = undisturbed(kind)
    found = by_phone(told.predictions)
    assert found.keys() == expected.keys()
    for phone, predictions in expected.items():
        assert_same(found[phone], predictions)
    for phone in expected:
        mine = [(m.number, m.topic) for m in published if m.phone == phone]
        assert mine == [(m.number, m.topic) for m in published_before if m.phone == phone]
    assert tally == tally_before


def run(folder: Path, told: Told, pieces: Sequence[tuple[int, int]]) -> None:
    """Listeners of these messages each, which are killed at the end of them."""
    for begin, end in pieces:
        with kept_listener(folder, engine("window"), told) as listener:
            listener.give(messages()[begin:end])


def test_a_full_disk_is_told_and_counted_and_all_is_kept_again_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeping, "EVERY_S", 0.0)
    monkeypatch.setattr(keeping, "SHARE", float("inf"))
    told = Told()
    with small_disk(tmp_path / "disk", 4000) as disk:
        with kept_listener(disk, engine("window"), told) as listener:
            listener.give(messages()[:300])
            filler = fill(disk)
            listener.give(messages()[300:600])
            listener.give(messages()[600:900])
            assert listener.keeper.journal.unkept > 100
            assert listener.keeper.journal.failure == "No space left on device"
            filler.unlink()
            listener.give(messages()[900:1000])
            deadline = time.monotonic() + 30
            while listener.keeper.journal.failure:
                assert time.monotonic() < deadline
                listener.give(messages()[1000:1000])
                time.sleep(0.01)
            unkept = listener.keeper.journal.unkept
            listener.give(messages()[1000:1100])
            assert listener.keeper.journal.unkept == unkept
        run(disk, told, [(1100, len(messages()))])
    assert len([r for r in caplog.records if "nothing can be kept" in r.getMessage()]) == 1
    assert len([r for r in caplog.records if "there is room" in r.getMessage()]) == 1
    found = by_phone(told.predictions)
    for phone, predictions in undisturbed("window")[0].items():
        assert_same(found[phone], predictions)


def test_after_a_crash_on_a_full_disk_what_was_kept_before_is_gone_on_from(tmp_path: Path) -> None:
    told = Told()
    with small_disk(tmp_path / "disk", 4000) as disk:
        with kept_listener(disk, engine("window"), told) as listener:
            listener.give(messages()[:600])
            filler = fill(disk)
            listener.give(messages()[600:900])
            assert listener.keeper.journal.unkept > 100
        filler.unlink()
        with kept_listener(disk, engine("window"), told) as listener:
            assert listener.goes_on
            listener.give(messages()[900:])
    starts = [(p.phone, p.window.piece, p.window.start_sample) for p in told.predictions]
    straight = [start for start in starts if start[0] == "straight"]
    assert len(straight) == len(set(straight))
    assert {piece for _, piece, _ in straight} == {1, 2}  # a gap, where nothing was kept


def test_what_was_kept_after_something_was_not_is_of_no_use_before_the_next_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be taken for what follows on what was kept before, and windows would be told in another place."""
    told = Told()
    with kept_listener(tmp_path, engine("window"), told) as listener:
        listener.give(messages()[:600])
        listener.keeper.journal.fail("it is full")
        listener.give(messages()[600:800])
        with monkeypatch.context() as patch:
            patch.setattr(keeping, "write_checkpoint", Mock(side_effect=OSError(28, "still full")))
            listener.keeper._due_s = 0.0
            listener.give(messages()[800:800])
            listener.give(messages()[800:1000])
            listener.crash()
    run(tmp_path, told, [(1000, len(messages()))])
    starts = [p.window.start_s for p in told.predictions if p.phone == "straight"]
    assert np.diff(starts).min() == pytest.approx(1.28, abs=1e-3)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "model", "version", "journal alone"])
def test_what_cannot_be_used_is_told_once_and_set_aside(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run(tmp_path, Told(), [(0, 500)])
    file, other = tmp_path / "checkpoint", engine("lag" if damage == "model" else "window")
    content = bytearray(file.read_bytes())
    if damage == "cut":
        file.write_bytes(content[:-9])
    if damage == "flipped":
        content[len(content) // 2] ^= 0xFF
        file.write_bytes(content)
    if damage == "empty":
        file.write_bytes(b"")
    if damage == "version":
        monkeypatch.setattr(keeping, "KEPT_BY", "0.0.1")
    if damage == "journal alone":
        file.unlink()
    told = Told()
    for goes_on in (False, True):
        with kept_listener(tmp_path, other, told) as listener:
            assert listener.goes_on == goes_on
            listener.give(messages()[500:600] if goes_on else messages()[:500])
    (line,) = [r.getMessage() for r in caplog.records if "is not used" in r.getMessage()]
    assert str(tmp_path) in line
    assert list(tmp_path.glob("journal-*.unreadable"))
    assert (tmp_path / "checkpoint.unreadable").exists() == (damage != "journal alone")
    straight = [p.window.start_sample for p in told.predictions if p.phone == "straight"]
    assert straight == [64 * k for k in range(len(straight))] != []


@settings(max_examples=60)
@given(content=st.binary(max_size=200), kind=st.integers(0, 5))
def test_a_journal_s_file_that_is_none_of_ours_ends_where_it_is_not_understood(content: bytes, kind: int) -> None:
    base, message = TimeBase("b", 1.0, 2.0), Message("har/p/imu", b"{}", 3.0)
    with TemporaryDirectory(dir=IN_MEMORY) as name:
        path = segment_path(Path(name), 1)
        segment = Segment(path, base)
        segment.messages([message])
        segment.close()
        framed = encode_frame(content) if kind == 0 else content
        path.write_bytes(path.read_bytes() + framed)
        assert next(read_segments(Path(name), 1)) == Entry([message], base)
        assert len(list(read_segments(Path(name), 1))) >= 1


def test_what_the_broker_delivers_again_after_a_restart_is_known_and_left_out(tmp_path: Path) -> None:
    told = Told()
    run(tmp_path, told, [(0, 500), (500, 520)])
    again = [message._replace(again=True) for message in messages()[480:530]]
    with kept_listener(tmp_path, engine("window"), told) as listener:
        listener.give(again)
        listener.give(messages()[530:])
        assert listener.keeper.journal.repeated == 40
        assert account(listener.listener.tally) == undisturbed("window")[2]
    found = by_phone(told.predictions)
    for phone, predictions in undisturbed("window")[0].items():
        assert_same(found[phone], predictions)


def test_what_waits_to_be_worked_off_at_a_checkpoint_is_worked_off_by_the_next_listener(tmp_path: Path) -> None:
    told = Told()
    with kept_listener(tmp_path, engine("window"), told) as listener:
        listener.give(messages()[:400])
        listener.receive(messages()[400:700])
        listener.stop()
    run(tmp_path, told, [(700, len(messages()))])
    found = by_phone(told.predictions)
    for phone, predictions in undisturbed("window")[0].items():
        assert_same(found[phone], predictions)


def test_two_listeners_do_not_share_a_folder(tmp_path: Path) -> None:
    with kept_listener(tmp_path, engine("window")), pytest.raises(HarError, match="Another listener"):
        Keeper(tmp_path, "x")


def test_a_clock_that_begins_anew_with_the_machine_goes_on_by_the_machine_s_time() -> None:
    before = TimeBase("a", 1000.0, 1_700_000_000.0)
    assert TimeBase("a", 1010.0, 0.0).shift_s(before) == 0
    after = TimeBase("b", 5.0, 1_700_000_000.0 + 1000.0 + 60.0)
    assert before.at_s + after.shift_s(before) == 5.0 - 65.0  # a minute to start, five seconds since
    lost = TimeBase("b", 5.0, 0.0)  # no battery: it is 1970 again
    assert before.at_s + lost.shift_s(before) == 5.0


def test_windows_are_the_same_after_the_machine_started_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrivals are told by a clock that has begun anew, five seconds ago."""
    told, at_s = Told(), messages()[600].arrived_s
    monkeypatch.setattr(TimeBase, "now", classmethod(lambda _: TimeBase("a", at_s, 0.0)))
    run(tmp_path, told, [(0, 600)])
    monkeypatch.setattr(TimeBase, "now", classmethod(lambda _: TimeBase("b", 5.0, at_s - 5.0)))
    with kept_listener(tmp_path, engine("window"), told, unix_offset_s=at_s - 5.0) as listener:
        listener.give([m._replace(arrived_s=m.arrived_s - at_s + 5.0) for m in messages()[600:]])
    found = by_phone(told.predictions)
    for phone, predictions in undisturbed("window")[0].items():
        assert_same(found[phone], predictions, at_s)


def test_objects_of_other_classes_are_neither_taken_nor_made() -> None:
    with pytest.raises(NotKeptError, match="Random"):
        Taker(REGISTER).take([random.Random()])
    with pytest.raises(NotKeptError, match="O"):
        Taker(REGISTER).take(np.array([object()]))
    for shapes, tree in (
        ([["os.system", []]], [11, 0]),
        ([["streamer.labels.Labels", ["__class__"]]], [11, 0, None]),
        ([], [8, "|O", [1], bytes(8)]),
        ([], [10, "posix.system", "x"]),
        ([], [99]),
        ([], [12, 3]),
    ):
        with pytest.raises((ValueError, TypeError, KeyError, IndexError)):
            Maker(REGISTER, shapes).make(tree)


def test_windows_go_on_unchanged_while_the_machine_s_clock_is_set_by_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ahead and back, while listening and between two runs, under a label that has no end."""
    told, real, stepped_s = Told(), time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + stepped_s[0])
    begin_s = real() - 60.0
    phone = worn(load_recordings((2,))[0], ("STANDING", "WALKING"))
    open_label = Message("har/now/label", encode_label(Label("WALKING", begin_s, math.inf)), time.monotonic())
    mine = [open_label]
    for _, payload in har(phone, "now"):
        sent = json.loads(payload)
        sent["t"] += begin_s - START_S
        mine.append(Message("har/now/imu", json.dumps(sent).encode(), time.monotonic()))
    ahead_s = real() - time.monotonic()
    for number, step_s in enumerate((0.0, 5 * 3600.0, -7 * 3600.0, 3600.0)):
        with kept_listener(tmp_path, engine("window"), told, unix_offset_s=ahead_s + step_s) as listener:
            stepped_s[0] = step_s
            listener.give(mine[15 * number : 15 * number + 7])
            stepped_s[0] = -step_s
            listener.give(mine[15 * number + 7 : 15 * (number + 1)])
    assert [p.window.start_sample for p in told.predictions] == [64 * k for k in range(len(told.predictions))] != []
    assert {p.window.label for p in told.predictions} == {"WALKING"}
    starts = [p.window.start_s for p in told.predictions]
    assert starts == pytest.approx([begin_s + 1.28 * k for k in range(len(starts))], abs=1e-5)
