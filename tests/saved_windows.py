"""Recordings replayed to a listener, and the windows that it must make of them, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from model.bundled import load_recordings
from model.windows import HOP, cut
from tests.processes import run


def replay(where: str, *arguments: object) -> dict[str, Any]:
    done = run("replay", "test", "--broker", where, "--speed", "max", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def expected_windows(subjects: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {r.name: cut(r.signals().astype(np.float32)) for r in load_recordings(subjects)}


def check_saved_windows(path: Path, expected: dict[str, np.ndarray]) -> None:
    """Every window is there once, bit for bit, and laid end to end they are the batch chain's signals."""
    with np.load(path, allow_pickle=False) as saved:
        phones, starts, windows = saved["phone"], saved["start_sample"], saved["windows"]
    assert set(phones.tolist()) == set(expected)
    for phone, batch in expected.items():
        mine = phones == phone
        assert starts[mine].tolist() == [HOP * k for k in range(len(batch))]
        assert np.array_equal(windows[mine], batch)
