"""The benchmark suite's own parts: its search, its tables, what it says of the network thread."""

from dataclasses import replace

import pytest

from benchmarks.load.packets import Reader, publish_head
from benchmarks.load.result import LoadResult
from benchmarks.throughput import stages
from benchmarks.throughput.bounds import network_flop
from benchmarks.throughput.network import receiving_s, sending_s
from benchmarks.throughput.report import stages_table, whole_table
from benchmarks.throughput.whole import FINE, MOST_PROBES, Measured, search, sustained
from streamer.inbox import Message
from streamer.publishing.outbox import Outgoing

FINE_MS, LATE_MS = {"p50": 1.0, "p99": 2.0, "max": 3.0}, {"p50": 500.0, "p99": 900.0, "max": 999.0}


def under(phones: int, limit: int) -> Measured:
    """A listener that carries ``limit`` phones, under ``phones``."""
    latency_ms = FINE_MS if phones <= limit else LATE_MS
    load = LoadResult(phones, 0, 0.0, 2.0 * phones, 0, 0, 0, 0, latency_ms, [], FINE_MS, 0.1, 0.0, 1.0)
    return Measured("listener", "json", 0, load, 0, min(1.0, phones / limit), 0, 0.78125 * phones)


@pytest.mark.parametrize("limit", [1, 30, 1234, 9000])
@pytest.mark.parametrize("first", [1, 100, 3000])
def test_the_search_ends_next_to_the_limit(limit: int, first: int) -> None:
    runs = list(search(lambda phones: under(phones, limit), first))
    most = sustained(runs)
    if len(runs) < MOST_PROBES:
        assert most
        assert most.phones <= limit <= max(most.phones + 1, FINE * most.phones)
    assert len({run.phones for run in runs}) == len(runs)


def test_a_run_with_losses_is_not_sustained() -> None:
    fine = under(10, 100)
    assert fine.is_sustained
    assert not replace(fine, dropped=1).is_sustained
    assert not replace(fine, load=replace(fine.load, missing=1)).is_sustained
    assert "| no |" in whole_table([replace(fine, dropped=1)])


def test_the_network_thread_is_measured_both_ways() -> None:
    messages = [Message("har/p00000/imu", bytes(3000), 0.0)] * 100
    outgoing = [Outgoing(f"har/p/{number}", b"x" * 300, phone="p") for number in range(100)]
    assert 0 < receiving_s(messages) < 0.1
    assert 0 < sending_s(outgoing) < 0.1


def test_every_stage_still_fits_the_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in {"ROUNDS": 1, "MESSAGES": 8, "TOGETHER": 2, "DRAWN_PHONES": 2}.items():
        monkeypatch.setattr(stages, name, few)
    found = list(stages.stages("msgpack"))
    assert all(0 < stage.seconds < 1 for stage in found)
    assert len({stage.name for stage in found}) == len(found)
    assert "| decode | message |" in stages_table({"msgpack": found})


def test_a_broker_that_sends_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="four bytes"):
        list(Reader().push(b"\x30\xff\xff\xff\xff\xff\x01"))
    assert list(Reader().push(publish_head(1, 0, 0)[:2])) == []


def test_the_network_s_operations_are_counted_from_its_graph() -> None:
    lstm = 2 * 32 * (384 * 96 + 384 * 96)
    convolutions = 64 * 15 * 7 * 64 + 96 * 64 * 5 * 32
    assert network_flop() == pytest.approx(2 * (lstm + convolutions), rel=0.02)
