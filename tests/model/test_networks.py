"""The networks: the reference's parameter counts, features by hand, rebuilding, averaging."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import HarError
from model.stateful.shape import STEP
from model.validation import mean_of_members, soften

networks = pytest.importorskip("model.networks", reason="needs TensorFlow")
layers = pytest.importorskip("model.layers", reason="needs TensorFlow")

SMALL = {"filters": (4, 6), "kernels": (3, 3), "units": 5}


@pytest.fixture
def windows() -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.normal(0, 0.3, (6, 128, 9)).astype(np.float32)


def predict(model: Any, windows: np.ndarray) -> np.ndarray:
    return np.asarray(model(windows, training=False))


@pytest.mark.parametrize(
    ("name", "hyperparameters", "parameters"),
    [
        ("lstm", {}, 71_430),
        ("lstm2", {}, 120_454),
        ("lstm", {"units": 64}, 4 * 64 * (9 + 64 + 1) + 65 * 6),
        ("lstm2", {"second_units": 32}, 4 * 128 * (9 + 128 + 1) + 4 * 32 * (128 + 32 + 1) + 33 * 6),
    ],
)
def test_reference_networks_have_the_notebooks_sizes(
    name: str, hyperparameters: dict[str, Any], parameters: int
) -> None:
    assert networks.build_network(name, **hyperparameters).count_params() == parameters


@pytest.mark.parametrize("name", sorted(networks.NETWORK_CLASSES))
def test_outputs_are_probabilities_of_the_networks_classes(name: str, windows: np.ndarray) -> None:
    probabilities = predict(networks.build_network(name), windows)
    answers = (6, 128 // STEP) if name == "stream" else (6,)
    assert probabilities.shape == (*answers, len(networks.NETWORK_CLASSES[name]))
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "hyperparameters",
    [
        {},
        {"jerk": True},
        {"magnitudes": True, "jerk": True},
        {"gravity": False},
        {"members": 3},
        {"summary_units": 4},
        {"members": 1, "summary_members": 2},
    ],
)
def test_name_and_hyperparameters_rebuild_the_network(hyperparameters: dict[str, Any], windows: np.ndarray) -> None:
    chosen = {**SMALL, "mean": [0.1] * 9, "scale": [0.4] * 9, "temperature": 0.7, **hyperparameters}
    first = networks.build_network("window", **chosen)
    second = networks.build_network("window", **chosen)
    assert not np.allclose(predict(first, windows), predict(second, windows))
    second.set_weights(first.get_weights())
    np.testing.assert_array_equal(predict(first, windows), predict(second, windows))


def test_features_are_the_formulas(windows: np.ndarray) -> None:
    mean, scale = np.arange(9) / 10, 1 + np.arange(9) / 7
    layer = layers.MotionFeatures(mean.tolist(), scale.tolist(), 500.0, 200.0, jerk=True, magnitudes=True)
    features = np.asarray(layer(windows))
    acc, gyro = 500.0 * windows[..., :3].astype(float), 200.0 * windows[..., 3:6].astype(float)
    jerk = [np.diff(sensor, axis=1, prepend=sensor[:, :1]) for sensor in (acc, gyro)]
    length = [np.linalg.norm(sensor, axis=-1, keepdims=True) for sensor in (acc, gyro)]
    logarithmic = np.arcsinh(np.concatenate([acc, gyro, *jerk, *length], axis=-1)) / 3
    expected = np.concatenate([(windows - mean) / scale, logarithmic], axis=-1)
    np.testing.assert_allclose(features, expected, atol=2e-4)


def test_the_summary_is_the_spectrum_of_the_motion_and_the_posture(windows: np.ndarray) -> None:
    summary = np.asarray(layers.WindowSummary()(windows))
    np.testing.assert_allclose(summary[:, 72:], windows[..., 6:].mean(axis=1), atol=1e-6)
    motion = windows[..., :6].astype(float)
    motion -= motion.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(motion * np.hanning(128)[:, np.newaxis], axis=1)) ** 2
    edges = layers.BAND_EDGES
    bands = [spectrum[:, a:b].sum(axis=1) for a, b in pairwise(edges)]
    np.testing.assert_allclose(summary[:, :72].reshape(6, 6, 12), np.log(np.stack(bands, axis=-1) + 1e-6), atol=1e-3)


def test_attention_is_a_weighted_mean_over_time(windows: np.ndarray) -> None:
    layer = layers.AttentionPooling()
    pooled = np.asarray(layer(windows))
    scores = windows @ np.asarray(layer.score)
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(pooled, (weights * windows).sum(axis=1), atol=1e-6)


def test_members_are_averaged_by_their_logits(windows: np.ndarray) -> None:
    whole = networks.build_network("window", **SMALL, members=2, temperature=0.5)
    alone = []
    for index in range(2):
        member = networks.build_network("window", **SMALL)
        weights = whole.get_layer(networks.member_name(index)).get_weights()
        member.get_layer(networks.member_name(0)).set_weights(weights)
        alone.append(predict(member, windows))
    np.testing.assert_allclose(predict(whole, windows), soften(mean_of_members(alone), 0.5), atol=1e-5)


def test_the_two_kinds_of_members_count_half_each(windows: np.ndarray) -> None:
    whole = networks.build_network("window", **SMALL, members=2, summary_members=1)
    kinds = []
    for counts in ({"members": 2}, {"members": 0, "summary_members": 1}):
        kind = networks.build_network("window", **SMALL, **counts)
        for layer in kind.layers:
            if "member_" in layer.name:
                layer.set_weights(whole.get_layer(layer.name).get_weights())
        kinds.append(predict(kind, windows))
    np.testing.assert_allclose(predict(whole, windows), mean_of_members(kinds), atol=1e-5)


def test_features_survive_kerass_own_format(windows: np.ndarray, tmp_path: Path) -> None:
    import keras

    network = networks.build_network("window", **SMALL, jerk=True, summary_units=4)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(predict(loaded, windows), predict(network, windows), atol=1e-6)


def test_unknown_network_is_named_with_the_choices() -> None:
    with pytest.raises(HarError, match=r"'gru'.*lstm, lstm2, window"):
        networks.build_network("gru")


def test_unknown_hyperparameter_is_refused() -> None:
    with pytest.raises(HarError, match=r"'lstm'.*colour"):
        networks.build_network("lstm", colour="red")


def test_without_gravity_the_total_acceleration_is_not_seen(windows: np.ndarray) -> None:
    network = networks.build_network("window", **SMALL, gravity=False)
    tilted = windows.copy()
    tilted[..., 6:9] += 0.5
    np.testing.assert_array_equal(predict(network, tilted), predict(network, windows))
