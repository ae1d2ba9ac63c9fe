"""A soak of seconds: nothing grows that a minute can show; and a leak, were there one, is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.soak.run import LIMITS, Plan, soak
from benchmarks.soak.slopes import Limit, judge


def test_a_short_soak_shows_no_growth(tmp_path: Path) -> None:
    rounds: list[dict[str, float]] = []
    plan = Plan(seconds=20, phones=20, round_s=1, passing=30, restart_every=2, every_s=0.5)
    soaked = soak(plan, tmp_path, lambda _number, metrics: rounds.append(metrics))
    assert soaked.rounds == len(rounds) >= 2 and soaked.unanswered == 0
    assert soaked.metrics["har_stream_windows_total"] > 0
    assert soaked.metrics["har_stream_malformed_messages_total"] >= 3 * soaked.rounds
    by_name = {verdict.name: verdict for verdict in soaked.verdicts}
    assert by_name["threads"].is_steady and by_name["file descriptors"].is_steady, soaked
    assert by_name["memory [MB]"].growth < 20  # what its tables need for more phones; a test asserts no times
    assert soaked.said.count("connection to") <= 2 * soaked.rounds and "Traceback" not in soaked.said


@pytest.mark.parametrize("name", LIMITS)
def test_a_leak_is_found_and_noise_is_not_one(name: str) -> None:
    rng = np.random.default_rng(0)
    times = np.arange(300.0)
    steady = 200 + rng.normal(0, LIMITS[name].amount / 5, 300)
    steady[::37] += 400  # a burst now and then
    filling = steady + 100 * np.minimum(times / 60, 1)  # done before the warm-up is over
    leaking = filling + 2 * np.maximum(times - 60, 0)
    assert judge(name, times, steady, LIMITS[name]).is_steady
    assert judge(name, times, filling, LIMITS[name]).is_steady
    assert not judge(name, times, leaking, LIMITS[name]).is_steady


def test_too_short_a_run_is_not_judged() -> None:
    with pytest.raises(ValueError, match="too few"):
        judge("threads", [0, 1, 2, 3], [1, 1, 1, 1], Limit(0, 0))
