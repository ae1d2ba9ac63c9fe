"""The filter over consecutive windows: its settings, chosen on held-out training subjects.

    python -m benchmarks.crossval default --seeds 1 --keep DIR
    python -m benchmarks.smoothing grid --streams DIR --seed 1
    python -m benchmarks.smoothing table
    python -m benchmarks.smoothing nested --streams DIR --seed 1

The cross-validation trains the window network of each fold (model.validation.folds) and keeps its probabilities of
all windows of the held-out subjects' whole recordings, transitions included. ``grid`` filters them with every
combination of settings and writes a JSON line each to docs/experiments/smoothing.jsonl, then the same for the detector
of changes behind the default filter; ``table`` prints it. ``nested`` chooses on two folds' streams and judges on the
third's: what the choice itself is worth.

Each setting is judged on three kinds of stream: *natural*, the recordings as they are; *unseen*, the same with the
TRANSITION class's probability taken away, as if the network had missed every transition; *cut*, only the windows
inside a segment, segments in random order, so that one activity follows another at once. A filter that lives off the
data set's script, or that cannot do without the TRANSITION class, shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES, TRANSITION
from model.bundled import index, load_recording
from model.changes import ChangeDetector, ChangeSettings
from model.recordings import Segment
from model.signals import SAMPLING_RATE
from model.smoothing import FilterSettings, smooth
from model.stream_metrics import (
    Answers,
    EventScores,
    StreamScores,
    owners,
    score_events,
    score_streams,
    window_answers,
)
from model.training_options import WINDOW_TEMPERATURE
from model.validation import folds, soften
from model.windows import HOP, WINDOW_LENGTH

LOG = Path(__file__).parent.parent / "docs" / "experiments" / "smoothing.jsonl"

TEMPERATURE = WINDOW_TEMPERATURE
"""The filter is fed what the trained artefact would give."""

GRID: dict[str, tuple[float, ...]] = {
    "stay": (0.8, 0.9, 0.95, 0.98),
    "exponent": (0.6, 0.7, 0.8, 0.9, 1.0),
    "door": (0.0, 0.5, 0.9),
    "posture": (1.0, 0.3, 0.1, 0.03),
}

KINDS = ("natural", "unseen", "cut")

_EXPERIMENT = re.compile(r"e\d\d")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stream:
    """One stream with its truth: ``rows`` ``(n, 7)``, class probabilities of windows cut from sample 0."""

    segments: tuple[Segment, ...]
    rows: Floats


def load_streams(directory: Path, seed: int) -> dict[int, Stream]:
    """The held-out streams of the default network that ``crossval --keep`` kept, by experiment."""
    subjects, streams = dict(index()), {}
    for fold_index, fold in enumerate(folds()):
        path = directory / f"default-{fold_index}-{seed}.npz"
        if path.exists():
            with np.load(path) as kept:
                for name in filter(_EXPERIMENT.fullmatch, kept.files):
                    experiment = int(name.removeprefix("e"))
                    if subjects[experiment] not in fold.held_out:
                        raise click.ClickException(f"{path} has experiment {experiment}, which fold does not hold out.")
                    streams[experiment] = Stream(load_recording(experiment).segments, soften(kept[name], TEMPERATURE))
    return dict(sorted(streams.items()))


def without_transitions(stream: Stream, rng: np.random.Generator) -> Stream:
    """Only the windows inside segments, segments in random order, as if one followed the other at once."""
    owner = owners(stream.segments, window_answers(np.zeros(len(stream.rows))))
    present = rng.permutation(np.unique(owner[owner >= 0]))
    segments, rows, first = [], [], 0
    for segment in present:
        rows.append(stream.rows[owner == segment])
        last = first + len(rows[-1]) - 1
        segments.append(Segment(stream.segments[segment].activity, HOP * first, HOP * last + WINDOW_LENGTH))
        first = last + 1
    return Stream(tuple(segments), np.concatenate(rows))


def unseen(stream: Stream) -> Stream:
    """The same stream from a network that misses every transition."""
    rows = stream.rows * (np.arange(stream.rows.shape[1]) < len(ACTIVITIES))
    return Stream(stream.segments, rows / rows.sum(axis=1, keepdims=True))


def together(streams: list[Stream]) -> Floats:
    """The rows of all streams side by side, ``(n, n_streams, 7)``; rows that say nothing fill up the shorter."""
    longest = max(len(stream.rows) for stream in streams)
    n_activities = len(ACTIVITIES)
    rows = np.full((longest, len(streams), n_activities + 1), 1 / n_activities)
    rows[..., n_activities] = 0
    for column, stream in enumerate(streams):
        rows[: len(stream.rows), column] = stream.rows
    return rows


def judge(streams: list[Stream], rows: Floats, settings: FilterSettings | None) -> StreamScores:
    """The scores of the filter (None: of each window's own likeliest activity) over all streams."""
    smoothed = rows[..., : len(ACTIVITIES)] if settings is None else smooth(rows, settings)
    lag = settings.lag if settings else 0
    best = smoothed.argmax(axis=-1)
    answers: list[Answers] = [window_answers(best[: len(s.rows), i], lag=lag) for i, s in enumerate(streams)]
    return score_streams((s.segments, a) for s, a in zip(streams, answers, strict=True))


def candidates() -> Iterator[FilterSettings | None]:
    """No filter, the grid, and the default with every lag."""
    yield None
    for values in product(*GRID.values()):
        stay, exponent, door, posture = values
        yield FilterSettings(stay=stay, exponent=exponent, door=door, posture=posture)
    for lag in range(4):
        yield replace(FilterSettings(), lag=lag)


def scores(result: StreamScores | EventScores) -> dict[str, Any]:
    """Rounded, for the log."""
    names = result.__struct_fields__
    return {name: round(value, 5) if isinstance(value := getattr(result, name), float) else value for name in names}


@click.group()
def main() -> None:
    """Choose the filter's settings."""


@main.command()
@click.option("--streams", "directory", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--seed", default=1, show_default=True)
def grid(directory: Path, seed: int) -> None:
    """Judge every combination of settings; writes the log anew."""
    natural = list(load_streams(directory, seed).values())
    rng = np.random.default_rng(0)
    kinds = {
        "natural": natural,
        "unseen": [unseen(stream) for stream in natural],
        "cut": [without_transitions(stream, rng) for stream in natural],
    }
    rows = {kind: together(streams) for kind, streams in kinds.items()}
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w", encoding="utf-8") as log:
        for settings in candidates():
            line: dict[str, Any] = {"recordings": len(natural), "settings": asdict(settings) if settings else None}
            line |= {kind: scores(judge(kinds[kind], rows[kind], settings)) for kind in kinds}
            log.write(json.dumps(line) + "\n")
        for lag, answers, probability in product((0, 1), (1, 2, 3), (0.0, 0.6, 0.8, 0.9, 0.95)):
            chosen = ChangeSettings(answers=answers, probability=probability)
            events = judge_events(natural, rows["natural"], replace(FilterSettings(), lag=lag), chosen)
            log.write(json.dumps({"lag": lag, "changes": asdict(chosen), "events": scores(events)}) + "\n")


def judge_events(
    streams: list[Stream], rows: Floats, filter_settings: FilterSettings, chosen: ChangeSettings
) -> EventScores:
    """The scores of the detector's events between the first and the last activity of each recording."""
    smoothed, windows = smooth(rows, filter_settings), rows.argmax(axis=-1)
    recordings = []
    for column, stream in enumerate(streams):
        ends = (min(s.start for s in stream.segments), max(s.stop for s in stream.segments))
        events = events_of(smoothed[: len(stream.rows), column], windows[:, column], chosen)
        within = [e for e in events if ends[0] <= e[0] * SAMPLING_RATE < ends[1]]
        recordings.append((stream.segments, within))
    return score_events(recordings)


def events_of(smoothed: Floats, windows: npt.NDArray[np.int64], chosen: ChangeSettings) -> list[tuple[float, str]]:
    """The events of one stream: smoothed answers ``(n, 6)``, and what each window alone looked like."""
    detector, events = ChangeDetector(chosen), []
    names = (*ACTIVITIES, TRANSITION)
    for number, probabilities in enumerate(smoothed):
        start_s, best = number * HOP / SAMPLING_RATE, int(probabilities.argmax())
        event = detector.push(
            ACTIVITIES[best],
            float(probabilities[best]),
            start_s=start_s,
            end_s=start_s + WINDOW_LENGTH / SAMPLING_RATE,
            window_activity=names[int(windows[number])],
        )
        events += [(event.time_s, event.after)] if event else []
    return events


@main.command()
@click.option("--streams", "directory", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--seed", default=1, show_default=True)
def nested(directory: Path, seed: int) -> None:
    """Choose by accuracy, natural and unseen, on two folds; judge on the third."""
    streams, subjects = load_streams(directory, seed), dict(index())
    grid_settings = [settings for settings in candidates() if settings and not settings.lag]
    per_fold = []
    for fold in folds():
        natural = [stream for experiment, stream in streams.items() if subjects[experiment] in fold.held_out]
        kinds = [natural, [unseen(stream) for stream in natural]]
        rows = [together(kind) for kind in kinds]
        per_fold.append(
            [[judge(k, r, settings) for k, r in zip(kinds, rows, strict=True)] for settings in grid_settings]
        )
    for held_out in range(len(per_fold)):
        others = [results for fold, results in enumerate(per_fold) if fold != held_out]
        worth = [sum(scored.accuracy for results in others for scored in results[i]) for i in range(len(grid_settings))]
        chosen = int(np.argmax(worth))
        click.echo(f"fold {held_out}: {grid_settings[chosen]} {_told(scores(per_fold[held_out][chosen][0]))}")


@main.command()
@click.option("--best", default=20, show_default=True, help="Settings shown, by accuracy over the kinds of stream.")
def table(best: int) -> None:
    """Print the log: no filter, the best of the grid, the default with every lag."""
    logged = [json.loads(line) for line in LOG.read_text(encoding="utf-8").splitlines()]
    lines, n_lags = [line for line in logged if "events" not in line], 4
    in_grid = sorted(lines[1:-n_lags], key=lambda row: -sum(row[kind]["accuracy"] for kind in KINDS))
    for line in [lines[0], *in_grid[:best], *lines[-n_lags:]]:
        click.echo("  ".join([_named(line["settings"] or {}) or "no filter", *(_told(line[kind]) for kind in KINDS)]))
    for line in logged[len(lines) :]:
        figures = {name: value for name, value in line["events"].items() if value is not None}
        click.echo(f"lag={line['lag']} {_named(line['changes'])} | {_named(figures)}")


def _named(values: dict[str, float]) -> str:
    return " ".join(f"{name}={value:g}" for name, value in values.items())


def _told(result: dict[str, Any]) -> str:
    return (
        f"| {100 * result['accuracy']:.2f} %  {result['false_switches_per_hour']:.1f}/h  "
        f"{result['delay_median_s']} s  {result['delay_p90_s']} s  missed {result['missed_changes']}"
    )


if __name__ == "__main__":
    main()
