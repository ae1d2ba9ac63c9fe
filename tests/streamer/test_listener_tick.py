"""A phone that has fallen silent: what it sent last is recognised while other phones go on, or nobody sends at all."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from model.activities import ACTIVITIES
from streamer.inbox import Message
from streamer.listener import Listener, ListenerOptions
from streamer.outputs import Recent
from streamer.recognition.window_engine import WindowEngine
from streamer.wire import encode_imu
from tests.streamer.rules import Rules
from tests.streamer.scenes import EPOCH, Clock

UPRIGHT = np.tile([1.0, 0, 0, 0, 0, 0], (25, 1))


def message(phone: str, k: int) -> Message:
    """The k-th half second."""
    return Message(f"har/{phone}/imu", encode_imu(UPRIGHT, time_s=EPOCH + k / 2, seq=k), k / 2)


@pytest.mark.parametrize("others", [True, False])
def test_what_it_sent_last_is_recognised_and_its_loss_is_counted(others: bool) -> None:
    clock = Clock()
    with patch("streamer.listener.time", clock):
        listener = Listener(ListenerOptions(max_phones=2), WindowEngine(Rules()), [Recent()])
        listener._work([message("a", k) for k in range(20) if k != 17])
        silent = listener.tally.phones["a"]
        assert (silent.counts.windows, silent.counts.lost_messages) == (5, 0)
        for k in range(20, 40):
            clock.now_s = k / 2
            listener._work([message("b", k)] if others else [])
    assert (silent.counts.windows, silent.counts.lost_messages, silent.counts.messages) == (6, 1, 19)
    assert listener.tally.totals.lost_messages == 1
    assert silent.answer in ACTIVITIES
