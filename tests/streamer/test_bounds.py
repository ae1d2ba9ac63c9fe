"""What else is bounded: what waits to be published, who is online, what workers are told, what a zip becomes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from model import archive
from model.archive import read_bytes
from model.errors import DataError
from streamer.account import Account
from streamer.faults import Fault, TooLong
from streamer.inbox import Message
from streamer.phone_stream import Taken
from streamer.publishing.outbox import Outbox, Outgoing
from streamer.publishing.presence import Presence
from streamer.wire import WireError, check_size
from streamer.workers.letters import Letters, pack_messages, read_to, unpack_messages


def test_topics_of_phones_that_never_come_again_do_not_pile_up() -> None:
    outbox = Outbox(most_latest=100)
    for k in range(1000):
        outbox.put(Outgoing(f"har/p{k}/availability", b"online", is_latest=True))
    outbox.put(Outgoing("har/p999/availability", b"offline", is_latest=True))
    assert (len(outbox), outbox.dropped) == (100, 900)
    left = outbox.take(1000)
    assert left[0].topic == "har/p900/availability"
    assert left[-1].payload == b"offline"


def test_of_more_phones_than_are_followed_the_last_are_online() -> None:
    presence = Presence(3600.0, 3)
    assert presence.update({"a": 1.0, "b": 2.0, "c": 3.0}, 3.0) == (["a", "b", "c"], [])
    assert presence.update({"b": 4.0, "d": 5.0}, 5.0) == (["d"], ["a"])
    presence.hear("e", 6.0)
    assert presence.update({}, 6.0) == ([], ["c"])
    assert sorted(presence.online()) == ["b", "d", "e"]


def test_a_worker_tells_why_messages_are_not_used_and_who_has_gone() -> None:
    written: list[bytes] = []
    letters, account = Letters(written.append), Account([], 10)
    letters.message("a", 1, Taken(), 0.0, "har")
    letters.fault("b", "too fast", Fault.TOO_FAST)
    letters.gone("a", True)
    letters.gone("c", False)
    letters.post()
    for letter in written:
        assert read_to(account, letter) == []
    totals = account.tally.totals
    assert account.tally.phones.keys() == {"b"}
    assert (totals.too_fast_messages, totals.evicted_phones, totals.forgotten_phones) == (1, 1, 1)
    assert totals.malformed_messages == 0


def test_a_message_that_was_too_long_is_so_for_a_worker_too() -> None:
    (message,) = unpack_messages(pack_messages([Message("har/p/imu", TooLong.of(5_000_000), 1.0)]))
    with pytest.raises(WireError, match="5000000 bytes") as refused:
        check_size(message.payload)
    assert refused.value.kind is Fault.TOO_LONG


def test_a_zip_that_would_become_too_much_is_refused_before_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "data.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("labels.txt", bytes(200_000))
    file = zipfile.Path(tmp_path / "data.zip") / "labels.txt"
    assert len(read_bytes(file)) == 200_000
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 199_999)
    with pytest.raises(DataError, match="would become 200000 bytes"):
        read_bytes(file)
