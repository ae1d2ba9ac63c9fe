"""Fine-tuning: a phone worn otherwise is learnt, what was known is kept, and the seed decides."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from model.activities import ACTIVITIES
from model.artefact import Artefact, default_artefact_path, make_artefact, read_artefact, rebuild_network
from model.augment import rotation_matrices
from model.bundled import load_recordings
from model.card import Card
from model.classifier import Classifier
from model.comparison import Comparison, compare, comparison_rows
from model.dataset import training_windows
from model.errors import HarError
from model.evaluate import scored_windows
from model.finetune import FinetuneOptions, finetune, training_card
from model.novelty import Novelty
from model.recorded import RecordedWindows, hold_out
from model.training import EpochReport, default_options, train_network
from tests.model.small_artefact import SMALL

pytest.importorskip("tensorflow", reason="the extra 'train' is not installed")

from model.packaging import pack, pack_finetuned

QUICK = FinetuneOptions(epochs=4, own_windows=300, shipped_windows=300)


def worn_otherwise(subject: int, degrees: float = 40.0) -> RecordedWindows:
    """The labelled windows of a training subject whose phone is turned about the axis to the side."""
    (turn,) = rotation_matrices(np.array([[0.0, 1.0, 0.0]]), np.deg2rad([degrees])).astype(np.float64)
    parts = []
    for recording in load_recordings((subject,)):
        turned = np.concatenate([recording.samples[:, :3] @ turn.T, recording.samples[:, 3:] @ turn.T], axis=1)
        parts.append(scored_windows(replace(recording, samples=turned)))
    counts = [len(part.labels) for part in parts]
    return RecordedWindows(
        np.concatenate([part.windows for part in parts]).astype(np.float32),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([1.28 * np.arange(count) for count in counts]),
        np.repeat(np.arange(len(counts)), counts),
    )


def half_and_half(recorded: RecordedWindows) -> tuple[RecordedWindows, RecordedWindows]:
    """The first recording, and the second."""
    return recorded.of(recorded.streams == 0), recorded.of(recorded.streams == 1)


@pytest.fixture(scope="module")
def small() -> Artefact:
    """One recurrent member and one on the summary, trained for seconds on two subjects."""
    options = replace(
        default_options("window"), hyperparameters=SMALL, subjects=(1, 3), epochs=6, batch_size=32, summary_members=1
    )
    return pack(train_network(options), "small")


def tuned(base: Artefact, learnt: RecordedWindows, options: FinetuneOptions = QUICK) -> Artefact:
    card = training_card(base.card, learnt, options, 0.5)
    return pack_finetuned(base, finetune(base, learnt, options), "mine", card, learnt.windows)


@pytest.fixture(scope="module")
def outcome(small: Artefact) -> tuple[Artefact, Comparison]:
    learnt, held_out = half_and_half(worn_otherwise(1))
    artefact = tuned(small, learnt)
    return artefact, compare(Classifier(small), Classifier(artefact), learnt, held_out)


def test_a_phone_worn_otherwise_is_learnt_and_nothing_forgotten(outcome: tuple[Artefact, Comparison]) -> None:
    _, comparison = outcome
    assert comparison.held_out is not None
    before, after = comparison.held_out.before, comparison.held_out.after
    assert before.n_windows > 100
    assert after.accuracy > before.accuracy + 0.05
    assert comparison.is_better
    kept = comparison.training_subjects
    assert kept.after.accuracy > kept.before.accuracy - 0.03
    assert kept.before.n_windows == len(training_windows((1, 3)).labels)


def test_the_shipped_model_learns_too_in_a_few_epochs() -> None:
    base = read_artefact(default_artefact_path())
    learnt, held_out = half_and_half(worn_otherwise(7))
    artefact = tuned(base, learnt, FinetuneOptions(epochs=2, own_windows=500, shipped_windows=500))
    before, after = (
        (each.probabilities(held_out.windows).argmax(axis=1) == held_out.labels).mean()
        for each in (Classifier(base), Classifier(artefact))
    )
    assert after > before


def test_the_artefact_is_whole(small: Artefact, outcome: tuple[Artefact, Comparison]) -> None:
    artefact, _ = outcome
    windows = training_windows((1,)).windows[:40]
    keras = rebuild_network(artefact).predict(windows, verbose=0)
    np.testing.assert_allclose(Classifier(artefact).class_probabilities(windows), keras, atol=1e-5)
    assert artefact.card.hyperparameters == small.card.hyperparameters
    assert artefact.card.classes == small.card.classes
    changed = [not np.array_equal(a, b) for a, b in zip(artefact.weights(), small.weights(), strict=True)]
    assert any(changed)


def test_the_card_says_how_it_was_made_and_not_by_whom(small: Artefact, outcome: tuple[Artefact, Comparison]) -> None:
    card: Card = outcome[0].card
    learnt, _ = half_and_half(worn_otherwise(1))
    assert card.name == "mine"
    assert card.training.data.endswith(f"then fine-tuned on {len(learnt)} recorded windows")
    assert card.training.windows == small.card.training.windows + len(learnt)
    assert card.training.options["recorded"] == learnt.counts()
    assert card.training.options["base_sha256"] == small.card.sha256
    assert card.training.subjects == (1, 3)
    text = msgspec.json.encode(card.training).decode()
    for second in (f"{learnt.start_s[5]:.2f}", "start_s", "phone"):
        assert second not in text


def test_what_was_recorded_is_not_strange_afterwards(small: Artefact) -> None:
    learnt, held_out = half_and_half(worn_otherwise(1, degrees=180))
    network = rebuild_network(small)
    artefact = pack_finetuned(small, network, "mine", training_card(small.card, learnt, QUICK, 0.5), learnt.windows)
    assert small.card.novelty
    assert artefact.card.novelty
    before, after = Novelty.from_json(small.card.novelty), Novelty.from_json(artefact.card.novelty)
    upright = held_out.of(held_out.labels != ACTIVITIES.index("LAYING")).windows
    assert np.mean(before.score(upright) > 1) > 0.9
    assert np.mean(after.score(upright) > 1) < 0.1
    ordinary = training_windows((1, 3)).windows
    assert np.mean(after.score(ordinary) > 1) <= np.mean(before.score(ordinary) > 1)


def test_the_seed_decides(small: Artefact) -> None:
    learnt, _ = hold_out(worn_otherwise(1), 0.25)
    reports: list[EpochReport] = []
    quick = FinetuneOptions(epochs=1, own_windows=100, shipped_windows=100, seed=5)
    first = finetune(small, learnt, quick, reports.append).get_weights()
    again = finetune(small, learnt, quick).get_weights()
    other = finetune(small, learnt, replace(quick, seed=6)).get_weights()
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert any(not np.array_equal(one, another) for one, another in zip(first, other, strict=True))
    assert [(report.epoch, report.epochs) for report in reports] == [(1, 1)]


def test_a_reference_network_can_be_fine_tuned_too() -> None:
    options = replace(default_options("lstm"), hyperparameters={"units": 6}, subjects=(1,), epochs=1)
    base = pack(train_network(options), "lstm")
    artefact = tuned(base, worn_otherwise(1), FinetuneOptions(epochs=1, own_windows=100, shipped_windows=100))
    assert artefact.card.network == "lstm"
    assert artefact.card.novelty is None
    assert Classifier(artefact).class_probabilities(np.zeros((1, 128, 9))).shape == (1, len(ACTIVITIES))


def test_weights_of_another_network_are_refused(small: Artefact) -> None:
    foreign = make_artefact(small.card, small.onnx, small.weights()[:-1])
    with pytest.raises(HarError, match="do not fit"):
        finetune(foreign, worn_otherwise(1), QUICK)


def test_the_table_has_a_line_for_each_activity_held_out(outcome: tuple[Artefact, Comparison]) -> None:
    rows = comparison_rows(outcome[1])
    assert [row[0].strip() for row in rows] == ["held out", *ACTIVITIES, "training subjects"]
    assert rows[0][1] == sum(row[1] for row in rows[1:-1])
