"""Sends a schedule in real time, hears the predictions, and says how it went, its own cost included.

One thread, which looks every millisecond or two which messages are due and writes them all at once, each to the
connection of its phone. How late it was, and what share of a core it took, are among the results: where either is
large, not the listener but the generator was measured.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benchmarks.load.connections import Connection, Ears
from benchmarks.load.packets import publish_head
from benchmarks.load.payloads import FIRST_SEQ, Bodies
from benchmarks.load.predictions import Heard
from benchmarks.load.schedule import Schedule

PAUSE_S = 0.002
"""From one look at what is due to the next."""

MOST = 512
"""Positions that are sent at once, at most: what has come is heard in between."""

ROOT = "har"
NAME = "p%05d"
_TOPIC = f"{ROOT}/{NAME}/imu"
_NAME_AT = slice(len(ROOT) + 4, len(ROOT) + 9)
"""Digits of the phone's number in the body of a PUBLISH, behind two bytes of length."""


@dataclass(slots=True)
class Sent:
    """When what was sent: at ``at_s[i]`` all positions before ``until[i]`` that had not been sent before."""

    until: list[int] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    messages: int = 0
    payload_bytes: int = 0

    def times(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """When each of these was sent, on the monotonic clock; infinity if it was not."""
        at_s = np.array([*self.at_s, np.inf])
        return at_s[np.searchsorted(np.array(self.until), positions, side="right")]


class Phones:
    """Makes the packets of all phones; a phone's recording, and where in it the phone begins, go by its number."""

    def __init__(self, schedule: Schedule, bodies: Bodies, qos: int) -> None:
        self.first_slots = schedule.first_slots.tolist()
        self._head = bodies.head
        self._qos = qos
        self._topics = [(_TOPIC % phone).encode() for phone in range(schedule.phones)]
        size = len(self._topics[0])
        self._parts = tuple(
            tuple((publish_head(size, bodies.head_size + len(tail), qos), tail) for tail in tails)
            for tails in bodies.tails
        )
        self._slot_s = schedule.slot_s
        self._n = schedule.phones
        self._ids = 0

    def begins_s(self, unix_s: float) -> npt.NDArray[np.float64]:
        """Unix time of each phone's first sample, if the schedule begins at ``unix_s``."""
        numbers = np.arange(self._n)
        slots = np.array(self.first_slots) - 1 + numbers / self._n
        return np.round(unix_s + slots * self._slot_s, 6)

    def write(self, phone: int, message: int, begins_s: float, parts: list[bytes]) -> int:
        """Add a message's packet to ``parts``; give the size of its payload."""
        recording = self._parts[phone % len(self._parts)]
        publish, tail = recording[(message + 37 * phone) % len(recording)]
        head = self._head(FIRST_SEQ + message, begins_s + message * self._slot_s)
        if self._qos:
            self._ids = self._ids % 0xFFFF + 1
            parts += (publish, self._topics[phone], self._ids.to_bytes(2, "big"), head, tail)
        else:
            parts += (publish, self._topics[phone], head, tail)
        return len(head) + len(tail)


class Generator:
    """Connected to a broker on this machine; ``heard`` are the predictions so far.

    Parameters
    ----------
    port : the broker's.
    connections : that the phones share.
    """

    def __init__(self, port: int, schedule: Schedule, bodies: Bodies, *, qos: int = 0, connections: int = 8) -> None:
        self.schedule = schedule
        self.heard = Heard(_NAME_AT)
        self.sent = Sent()
        self.phones = Phones(schedule, bodies, qos)
        self._connections = [Connection(port, f"load-{number}") for number in range(connections)]
        self._hearing = Connection(port, "load-ears")
        self._hearing.subscribe(f"{ROOT}/+/activity")
        self._ears = Ears(self._hearing, self._connections, self.heard.take)
        self.start_s = self.unix_offset_s = 0.0
        self._begins_s: list[float] = []

    def run(self) -> None:
        """Send everything, in real time."""
        self.start_s = time.monotonic() + 2 * PAUSE_S
        self.unix_offset_s = time.time() - time.monotonic()
        self._begins_s = self.begins_s().tolist()
        done, wake_s = 0, self.start_s
        while done < self.schedule.positions:
            now_s = time.monotonic()
            due = min(self.schedule.due(now_s - self.start_s), done + MOST)
            if due > done:
                self._send(done, due)
                done = due
            is_behind = self.schedule.due(time.monotonic() - self.start_s) > done + MOST // 2
            wake_s = max(wake_s + PAUSE_S, now_s)
            self._ears.listen(0.0 if is_behind else wake_s - time.monotonic())
            if not is_behind:
                time.sleep(max(0.0, wake_s - time.monotonic()))

    def begins_s(self) -> npt.NDArray[np.float64]:
        """Unix time of each phone's first sample."""
        return self.phones.begins_s(self.start_s + self.unix_offset_s)

    def drain(self, count: int, patience_s: float) -> None:
        """Hear on until so many predictions have come, or none for so long."""
        last, since_s = len(self.heard), time.monotonic()
        while len(self.heard) < count and time.monotonic() - since_s < patience_s:
            self._ears.listen(0.05)
            if len(self.heard) != last:
                last, since_s = len(self.heard), time.monotonic()

    def close(self) -> None:
        """Disconnect."""
        for connection in (*self._connections, self._hearing):
            connection.close()

    def _send(self, begin: int, end: int) -> None:
        out: list[list[bytes]] = [[] for _ in self._connections]
        phones, first_slots, n = self.phones, self.phones.first_slots, self.schedule.phones
        slot, phone = divmod(begin, n)
        for _ in range(end - begin):
            message = slot - first_slots[phone]
            if message >= 0:
                parts = out[phone % len(out)]
                self.sent.payload_bytes += phones.write(phone, message, self._begins_s[phone], parts)
                self.sent.messages += 1
            phone += 1
            if phone == n:
                slot, phone = slot + 1, 0
        self.sent.until.append(end)
        self.sent.at_s.append(time.monotonic())
        for connection, parts in zip(self._connections, out, strict=True):
            if parts:
                connection.send(b"".join(parts))
