"""Messages that wait, by phone; phones take turns. Pure, no locks.

Deficit round robin (M. Shreedhar, G. Varghese: Efficient fair queuing using deficit round robin, SIGCOMM 1995): in its
turn a phone may have :data:`streamer.limits.TURN_BYTES` handled, and what it has not used, as its next message is
longer, it keeps for its next turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field

from streamer.admission.sharing import allowance
from streamer.inbox import Message
from streamer.limits import BATCH_BYTES, MESSAGE_BYTES, TURN_BYTES


@dataclass(slots=True)
class _Flow:
    """One phone's messages, each with its number."""

    phone: str
    messages: deque[tuple[int, Message]] = field(default_factory=deque)
    bytes: int = 0
    credit: int = 0

    def pop(self) -> Message:
        _, message = self.messages.popleft()
        self.bytes -= len(message.payload)
        return message


class Backlog:
    """Each phone's messages stay in order.

    Parameters
    ----------
    phone_of : topic and payload to the phone.
    """

    def __init__(self, phone_of: Callable[[str, bytes], str]) -> None:
        self.bytes = 0
        self._n = 0
        self._phone_of = phone_of
        self._flows: dict[str, _Flow] = {}
        self._turns: deque[_Flow] = deque()

    def __iter__(self) -> Iterator[Message]:
        """What waits, each phone's in order."""
        return (message for flow in self._flows.values() for _, message in flow.messages)

    def __len__(self) -> int:
        return self._n

    @property
    def phones(self) -> Container[str]:
        """Those of which messages wait."""
        return self._flows.keys()

    def first(self, otherwise: int) -> int:
        """The lowest number of a message that waits."""
        return min((flow.messages[0][0] for flow in self._flows.values()), default=otherwise)

    def add(self, first: int, messages: Iterable[Message]) -> None:
        """Messages, numbered from ``first`` on."""
        for number, message in enumerate(messages, start=first):
            phone = self._phone_of(message.topic, message.payload)
            flow = self._flows.get(phone)
            if flow is None:
                flow = self._flows[phone] = _Flow(phone)
                self._turns.append(flow)
            flow.messages.append((number, message))
            flow.bytes += len(message.payload)
            self.bytes += len(message.payload)
            self._n += 1

    def take(self, most: int, oldest_s: float) -> tuple[list[Message], int]:
        """The next ones, at most ``most`` and about :data:`streamer.limits.BATCH_BYTES`; and how many were passed over,
        as they had come before ``oldest_s``.
        """
        taken: list[Message] = []
        passed, n_bytes = 0, 0
        while self._turns and len(taken) < most and n_bytes < BATCH_BYTES:
            flow = self._turns[0]
            while flow.messages and flow.messages[0][1].arrived_s < oldest_s:
                self._count(flow.pop())
                passed += 1
            if flow.credit <= 0:
                flow.credit += TURN_BYTES
            while flow.messages and flow.credit > 0 and len(taken) < most and n_bytes < BATCH_BYTES:
                message = flow.pop()
                self._count(message)
                taken.append(message)
                flow.credit -= len(message.payload) + MESSAGE_BYTES
                n_bytes += len(message.payload)
            if not flow.messages:
                self._turns.popleft()
                del self._flows[flow.phone]
            elif flow.credit <= 0:
                self._turns.rotate(-1)
        return taken, passed

    def drop(self, to_bytes: int, to_messages: int) -> int:
        """Drop the oldest messages of the phones of which most bytes wait, and then of those of which most messages do,
        until no more than so many are left; gives how many.
        """
        dropped = self._drop(lambda flow: flow.bytes, self.bytes - to_bytes)
        return dropped + self._drop(lambda flow: len(flow.messages), self._n - to_messages)

    def _drop(self, amount: Callable[[_Flow], int], surplus: int) -> int:
        if surplus <= 0:
            return 0
        flows, n_before = list(self._flows.values()), self._n
        most = allowance([amount(flow) for flow in flows], surplus)
        for flow in flows:
            while flow.messages and amount(flow) > most:
                self._count(flow.pop())
            if not flow.messages:
                del self._flows[flow.phone]
        self._turns = deque(flow for flow in self._turns if flow.messages)
        return n_before - self._n

    def _count(self, message: Message) -> None:
        """It waits no more."""
        self.bytes -= len(message.payload)
        self._n -= 1
