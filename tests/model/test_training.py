"""Training: no test subject gets in, the same seed gives the same weights, and something is learnt."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model import bundled
from model.activities import ACTIVITIES, ALL_LABELS, TEST_SUBJECTS, TRAIN_SUBJECTS
from model.dataset import training_crops, training_windows
from model.errors import HarError
from model.recordings import Recording
from model.stateful.sequences import source_of
from model.training import (
    NETWORKS,
    REFERENCE_OPTIONS,
    EpochReport,
    TrainedNetwork,
    TrainingOptions,
    default_options,
    train_network,
)

pytest.importorskip("tensorflow", reason="the extra 'train' is not installed")

ROUNDS: list[EpochReport] = []
SMALL = {"filters": (8, 8), "kernels": (5, 3), "units": 8}
SMALL_STREAM = {"filters": (8, 8, 8), "kernels": (5, 3, 3), "units": 8}


def small(network: str, **changes: object) -> TrainingOptions:
    """A training of seconds on one subject."""
    hyperparameters = {"window": SMALL, "stream": SMALL_STREAM}.get(network, {"units": 6})
    chosen = {"subjects": (1,), "epochs": 1, "hyperparameters": hyperparameters, "teacher": None}
    chosen |= {"summary_members": int(network == "window"), **changes}
    return replace(default_options(network), **chosen)  # type: ignore[arg-type]


@pytest.mark.parametrize("subject", TEST_SUBJECTS)
def test_test_subjects_are_refused_everywhere(subject: int) -> None:
    message = rf"\[{subject}\] are test subjects"
    with pytest.raises(HarError, match=message):
        TrainingOptions("window", subjects=(1, subject))
    with pytest.raises(HarError, match=message):
        training_windows((subject,))
    with pytest.raises(HarError, match=message):
        training_crops((1, subject), transitions=True)


def test_a_smuggled_test_subject_is_refused_by_the_training_itself() -> None:
    options = small("window")
    object.__setattr__(options, "subjects", (1, 2))
    with pytest.raises(HarError, match="test subjects"):
        train_network(options)


@pytest.fixture(scope="module")
def trained() -> TrainedNetwork:
    """Two small recurrent members and one on the summary, with averaged weights and mixup."""
    ROUNDS.clear()
    options = small("window", seed=7, subjects=(1, 3), epochs=6, batch_size=32, members=2)
    options = replace(options, summary_members=1, ema=0.9, mixup=0.2)
    return train_network(options, ROUNDS.append)


@pytest.mark.parametrize("network", ["lstm", "window", "stream"])
def test_the_seed_decides_and_no_test_subject_is_even_opened(network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: set[int] = set()
    load = bundled.load_recording

    def watch(experiment: int) -> Recording:
        opened.add(dict(bundled.index())[experiment])
        return load(experiment)

    monkeypatch.setattr(bundled, "load_recording", watch)
    first, second = train_network(small(network, seed=3)), train_network(small(network, seed=3))
    for mine, again in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, again)
    assert opened and not opened & set(TEST_SUBJECTS)


def test_another_seed_gives_other_weights() -> None:
    weights = [train_network(small("lstm", seed=seed)).model.get_weights() for seed in (0, 1)]
    assert not np.allclose(weights[0][0], weights[1][0])


def test_default_subjects_are_the_official_training_split() -> None:
    windows = training_windows(TRAIN_SUBJECTS)
    official = bundled.official_windows("train")
    np.testing.assert_array_equal(windows.windows, official.windows)
    assert len(windows.labels) == 7352
    assert all(default_options(network).subjects == TRAIN_SUBJECTS for network in NETWORKS)


def test_members_differ_and_are_rebuilt_from_what_was_written_down(trained: TrainedNetwork) -> None:
    from model.networks import build_network, member_name

    weights = [trained.model.get_layer(member_name(i)).get_weights() for i in range(2)]
    assert not np.allclose(weights[0][0], weights[1][0])
    again = build_network(trained.network, **json.loads(json.dumps(trained.hyperparameters)))
    again.set_weights(trained.model.get_weights())
    windows = training_windows((1,)).windows[:20]
    np.testing.assert_array_equal(again(windows), trained.model(windows))


def test_scaling_comes_from_the_chosen_subjects_alone(trained: TrainedNetwork) -> None:
    windows = training_windows((1, 3)).windows.astype(float)
    np.testing.assert_allclose(trained.hyperparameters["mean"], windows.mean(axis=(0, 1)), atol=1e-6)
    np.testing.assert_allclose(trained.hyperparameters["scale"], windows.std(axis=(0, 1)), rtol=1e-5)


def test_the_window_network_learns_and_reports_each_epoch(trained: TrainedNetwork) -> None:
    assert trained.history == ROUNDS
    assert [(report.epoch, report.epochs) for report in ROUNDS] == [(i, 18) for i in range(1, 19)]
    assert ROUNDS[5].loss < ROUNDS[0].loss and ROUNDS[17].loss < ROUNDS[12].loss
    held_out = training_windows((5,))
    predictions = np.asarray(trained.model(held_out.windows))[:, :6].argmax(axis=1)
    assert np.mean(predictions == held_out.labels) > 0.5  # six activities: chance is below 0.2


def test_the_record_says_what_was_done(trained: TrainedNetwork) -> None:
    record = json.loads(json.dumps(trained.training))
    assert record["subjects"] == [1, 3] and record["seed"] == 7
    assert record["windows"] == len(training_windows((1, 3)).labels)
    assert record["options"]["mixup"] == 0.2 and record["options"]["augmentation"]["rotation_deg"] > 0
    assert trained.classes == (*ACTIVITIES, "TRANSITION")


def test_the_stream_network_learns_from_sequences_and_says_so() -> None:
    options = small("stream", subjects=(1, 3), epochs=20, batch_size=4, seed=1)
    trained = train_network(options)
    assert trained.history[-1].loss < 0.7 * trained.history[0].loss
    assert trained.classes == ALL_LABELS
    record = json.loads(json.dumps(trained.training))
    assert record["windows"] % options.batch_size == 0
    assert record["options"]["sequences"]["spliced"] == options.sequences.spliced
    assert not {"members", "augmentation", "mixup"} & set(record["options"])
    signals = bundled.load_recording(9).signals().astype(np.float32)  # subject 5
    labels = source_of(bundled.load_recording(9)).labels[7 : len(signals) // 8 * 8 : 8]
    answers = np.asarray(trained.model(signals[np.newaxis, : len(labels) * 8]))[0, :, :6].argmax(axis=1)
    inside = (labels >= 0) & (labels < 6)
    assert np.mean(answers[inside] == labels[inside]) > 0.5  # six activities: chance is below 0.2


def test_a_taught_stream_network_learns_what_its_teacher_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from model.stateful import training

    teachers, told = [], ALL_LABELS.index("LIE_TO_SIT")  # labelled for seconds of a recording

    def teaching(teacher: Any, batch_size: int) -> Any:
        teachers.append(teacher)
        answer = np.eye(len(ALL_LABELS), dtype=np.float32)[told]
        return lambda signals: np.tile(answer, (len(signals), signals.shape[1] // 8, 1))

    monkeypatch.setattr(training, "_teaching", teaching)
    teacher = {**SMALL_STREAM, "units": 12}
    trained = train_network(small("stream", teacher=teacher, epochs=3, batch_size=2))
    assert [report.epochs for report in trained.history] == [6] * 6
    assert teachers[0].get_layer("lstm").units == 12 and trained.model.get_layer("lstm").units == 8
    assert json.loads(json.dumps(trained.training))["options"]["teacher"]["units"] == 12
    signals = bundled.load_recording(9).signals().astype(np.float32)[np.newaxis, :8000]  # subject 5
    pupil, alone = (np.asarray(model(signals))[0].argmax(axis=1) for model in (trained.model, teachers[0]))
    assert np.mean(pupil == told) > 0.9 > 0.1 > np.mean(alone == told)


def test_what_a_teacher_answers_is_what_it_gives_of_each_step() -> None:
    from model.networks import build_network
    from model.stateful.training import _teaching

    network = build_network("stream", **SMALL_STREAM)
    signals = np.random.default_rng(0).normal(size=(3, 64, 9)).astype(np.float32)
    np.testing.assert_allclose(_teaching(network, 2)(signals), np.asarray(network(signals)), atol=1e-6)


def test_the_record_of_a_reference_network_leaves_out_what_it_did_not_use() -> None:
    trained = train_network(small("lstm2", hyperparameters={"units": 4, "second_units": 3}))
    assert sorted(trained.training["options"]) == sorted(REFERENCE_OPTIONS)
    assert trained.classes == ACTIVITIES


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "gru"}, "no network 'gru'"),
        ({"network": "lstm", "epochs": 0}, "at least 1 for epochs"),
        ({"network": "window", "members": 0}, "at least 1 for n_members"),
        ({"network": "lstm", "subjects": (31,)}, r"\[31\] do not exist"),
        ({"network": "lstm", "subjects": ()}, "one or more"),
    ],
)
def test_impossible_options_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(HarError, match=message):
        TrainingOptions(**changes)
