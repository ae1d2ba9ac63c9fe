"""Simulated phones of every rate, as an app's messages: recognised as well as the recordings themselves."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

import pytest

from benchmarks.intake import RATES, Score, direct, score, through_app
from benchmarks.simulated_phone import Manner
from model.bundled import load_recording
from model.classifier import Classifier
from model.recordings import Recording

EXPERIMENTS = (1, 5, 15, 27)
"""One a rate, all of training subjects."""


@cache
def beginning(experiment: int) -> Recording:
    """The first two minutes and a half of a recording."""
    whole = load_recording(experiment)
    segments = tuple(segment for segment in whole.segments if segment.stop <= 7500)
    return replace(whole, samples=whole.samples[:7500], segments=segments)


@cache
def directly(experiment: int) -> Score:
    return score(Classifier.load(), [beginning(experiment)], direct)


@pytest.mark.parametrize("ios", [True, False], ids=["iOS", "Android"])
@pytest.mark.parametrize(("rate", "experiment"), list(zip(RATES, EXPERIMENTS, strict=True)))
def test_what_an_app_sends_is_recognised_as_well_as_the_recording(rate: float, experiment: int, ios: bool) -> None:
    sent = partial(through_app, manner=Manner(rate, ios=ios))
    found, expected = score(Classifier.load(), [beginning(experiment)], sent), directly(experiment)
    assert abs(found.windows - expected.windows) <= 3
    assert found.accuracy >= expected.accuracy - 0.01
    assert expected.accuracy > 0.9
