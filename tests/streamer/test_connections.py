"""Several connections that are started as one."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from streamer.address import BrokerError
from streamer.cluster.sessions import Connections


class Made:
    """A connection that waits in its start for the others', or cannot be made."""

    def __init__(self, together: threading.Barrier, fault: str | None = None) -> None:
        self.has_stopped = False
        self._together = together
        self._fault = fault

    def start(self) -> None:
        self._together.wait(timeout=10)
        if self._fault:
            raise BrokerError(self._fault)

    def stop(self) -> None:
        self.has_stopped = True


def connections(made: list[Made]) -> Connections:
    return Connections(cast(Any, made))


def test_all_are_made_at_once() -> None:
    together = threading.Barrier(3)
    made = [Made(together) for _ in range(3)]
    connections(made).start()
    assert not any(each.has_stopped for each in made)


@pytest.mark.parametrize("faulty", [0, 2])
def test_where_one_cannot_be_made_none_is_left(faulty: int) -> None:
    together = threading.Barrier(3)
    made = [Made(together, "refused" if k == faulty else None) for k in range(3)]
    with pytest.raises(BrokerError, match="refused"):
        connections(made).start()
    assert [each.has_stopped for each in made] == [k != faulty for k in range(3)]
