"""What the replay shows."""

from __future__ import annotations

import io

from rich.console import Console

from replay.display import progress, progress_frame, summary_line
from replay.phone import Outgoing
from replay.tally import Tally


def some_tally() -> Tally:
    tally = Tally(phones=4, duration_s=2.0)
    for number in range(40):
        tally.count(Outgoing(0.5 * (number + 1), "har/s02-e03/imu", b"x" * 1000, 25, number < 4))
        tally.lateness.add(0.001 * number)
    tally.count(Outgoing(20.0, "har/s02-e03/label", b"x" * 50))
    return tally


def shown(renderable: object) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_progress_tells_how_far_how_fast_and_how_late() -> None:
    frame = shown(progress_frame(some_tally(), where="localhost:1883", total=4000, elapsed_s=2.0))
    assert len(frame.splitlines()) == 2  # on 80 columns
    for fact in ("4 phones to localhost:1883", "1,000 of 4,000 samples", "500/s", "0:02 elapsed", "0:06 to go"):
        assert fact in frame
    assert "late 19.5 ms (max 39.0)" in frame


def test_progress_without_an_end_or_a_beginning() -> None:
    assert "to go" not in shown(progress_frame(some_tally(), where="b", total=None, elapsed_s=61.0))
    assert "0 of 10 samples" in shown(progress_frame(Tally(), where="b", total=10, elapsed_s=0.0))


def test_summary() -> None:
    tally = some_tally()
    tally.dropped, tally.lost = 3, 2
    assert summary_line(tally) == (
        "Sent 1000 samples in 40 messages and 1 label (0.0 MB) of 4 recordings by 4 phones; in 2.0 s, 10 times real "
        "time; late 19.5 ms (max 39.0); 3 dropped, 2 lost."
    )
    summary = tally.as_dict()
    assert (summary["bytes"], summary["real_time_factor"], summary["late_max_ms"]) == (40_050, 10.0, 39.0)


def test_without_a_terminal_there_is_one_line_at_the_start() -> None:
    console = Console(file=io.StringIO(), width=40)
    with progress(console, Tally(phones=19), where="localhost:1883", total=None, started=0.0):
        pass
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "Replaying 19 phones to localhost:1883: without end\n"
