"""Shared set-up: hypothesis never judges by time, since the machine may be busy; a Mosquitto for one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.brokers import Mosquitto, start_mosquitto
from tests.obedient import Obedient

settings.register_profile("har-stream", deadline=None, print_blob=True)
settings.load_profile("har-stream")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with start_mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def obedient() -> Iterator[Obedient]:
    broker = Obedient()
    yield broker
    broker.close()
