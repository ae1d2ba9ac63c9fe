"""The golden messages of ``tests/data/formats``: each with its source, its topic, and what it must be decoded to."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[1] / "data" / "formats"


class Golden(NamedTuple):
    """A message as an app sends it, and what it says."""

    name: str
    topic: str
    message: dict[str, Any]
    decoded: dict[str, Any]

    @property
    def payload(self) -> bytes:
        return json.dumps(self.message).encode()


@cache
def golden() -> tuple[Golden, ...]:
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        assert content["source"]
        found.append(Golden(path.stem, content["topic"], content["message"], content["decoded"]))
    return tuple(found)


def golden_message(name: str) -> Golden:
    return next(message for message in golden() if message.name == name)
