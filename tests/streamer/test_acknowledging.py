"""What is acknowledged when: after it was handled, in order, and never on another connection."""

from __future__ import annotations

from streamer.acknowledging import Acknowledgements
from streamer.inbox import Inbox, Message


def put(inbox: Inbox, acknowledgements: Acknowledgements, message_id: int) -> None:
    inbox.put(Message("t", b"x", 0.0))
    acknowledgements.owe([bytes([0, message_id])])


def ids(acknowledgements: Acknowledgements) -> list[int]:
    return [packet_id[1] for packet_id in acknowledgements.due()]


def test_a_message_is_owed_until_the_one_who_took_it_is_done() -> None:
    inbox = Inbox()
    owed = Acknowledgements(inbox)
    for message_id in (7, 8, 9):
        put(inbox, owed, message_id)
    assert ids(owed) == []
    inbox.take(2, 0)
    assert ids(owed) == []
    inbox.settle()
    assert ids(owed) == [7, 8]
    inbox.take(2, 0)
    inbox.settle()
    assert ids(owed) == [9]
    assert ids(owed) == []


def test_two_connections_to_one_inbox_wait_for_their_own() -> None:
    inbox = Inbox()
    one, other = Acknowledgements(inbox), Acknowledgements(inbox)
    put(inbox, one, 1)
    put(inbox, other, 1)
    inbox.take(1, 0)
    inbox.settle()
    assert (ids(one), ids(other)) == ([1], [])


def test_a_message_that_found_no_room_is_owed_no_longer_than_those_before_it() -> None:
    inbox = Inbox(max_bytes=1)
    owed = Acknowledgements(inbox)
    put(inbox, owed, 1)
    put(inbox, owed, 2)
    inbox.take(1, 0)
    inbox.settle()
    assert ids(owed) == [1, 2]


def test_a_new_connection_owes_nothing() -> None:
    inbox = Inbox()
    owed = Acknowledgements(inbox)
    put(inbox, owed, 1)
    owed.forget()
    inbox.take(1, 0)
    inbox.settle()
    assert ids(owed) == []
