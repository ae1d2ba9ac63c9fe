"""Partitions: which topics the brokers move to which, and back. Pure; no network.

The brokers rewrite what phones publish (NATS's subject mapping, which knows a hash of a level of the topic):

===========================  =============================================================
what a phone publishes       where a worker hears it, of 8 partitions
===========================  =============================================================
``har/ann/imu``              ``har-partitions/8/5/har/ann/imu``
``sensor-logger/ann``        ``har-partitions/8/5/sensor-logger/ann``
``sensor-logger``            ``har-partitions/8/2/sensor-logger``: shared by phones, so one partition has it
===========================  =============================================================

The number of partitions is part of the topic: a worker that was told another one hears nothing, rather than another
share of the phones than it believes. Behind it is the topic as it was, so nothing else of the listener needs to know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from model.errors import HarError
from streamer.formats.names import AUTO, app_topics
from streamer.wire import phone_topics

MAX_PARTITIONS = 1024
"""Each has a session and two replicated consumers at the brokers."""

_FORM = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*/\d+")
_FNV_START, _FNV_FACTOR = 0x811C9DC5, 0x01000193


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One of ``count`` partitions; ``index`` counts from 0."""

    index: int
    count: int

    def __str__(self) -> str:
        """As ``--partition`` takes it."""
        return f"{self.index}/{self.count}"


def parse_partitions(texts: Iterable[str]) -> tuple[Partition, ...]:
    """The partitions of ``K/N``, ``K,K/N`` or ``K-K/N``, each once, in their order.

    Raises
    ------
    HarError : one is not of this form, is not among 0 to N-1, or they are of different numbers N.
    """
    found: set[Partition] = set()
    for text in texts:
        if not _FORM.fullmatch(text):
            raise HarError(
                f"The partition {text!a} is not understood; give K/N, as 0/3, or several, as 0,2/3 or 0-3/8."
            )
        indices, _, number = text.partition("/")
        count = int(number)
        if not 0 < count <= MAX_PARTITIONS:
            raise HarError(f"The number of partitions in {text} is not from 1 to {MAX_PARTITIONS}.")
        found |= {Partition(index, count) for part in indices.split(",") for index in _span(part, text, count)}
    if len({partition.count for partition in found}) > 1:
        raise HarError(
            "The partitions are of different numbers; all have the N that 'har-stream cluster init' was given."
        )
    return tuple(sorted(found))


def _span(part: str, text: str, count: int) -> range:
    first, _, last = part.partition("-")
    span = range(int(first), int(last or first) + 1)
    if not span or span[-1] >= count:
        raise HarError(f"There is no partition {part} in {text}; with {count} of them they are 0 to {count - 1}.")
    return span


def partitions_root(root: str) -> str:
    """First level (or levels) of the topics that the brokers move phones' messages to."""
    return f"{root}-partitions"


def moved_topics(root: str, partition: Partition) -> str:
    """Topic filter of everything that a partition's phones send."""
    return f"{partitions_root(root)}/{partition.count}/{partition.index}/#"


def original_topic(root: str, topic: str) -> str:
    """The topic that the phone published on, of the one that the brokers moved it to; any other as it is."""
    prefix = f"{partitions_root(root)}/"
    return topic[len(prefix) :].split("/", 2)[-1] if topic.startswith(prefix) else topic


def session_id(root: str, partition: Partition) -> str:
    """The MQTT client id of whoever serves a partition: the session is the partition's, not the worker's."""
    return f"{root.replace('/', '-')}-partition-{partition.index}-of-{partition.count}"


def worker_name(partitions: tuple[Partition, ...]) -> str:
    """A topic level that names the worker of these partitions: ``0-1-4-of-8``."""
    return f"{'-'.join(str(partition.index) for partition in partitions)}-of-{partitions[0].count}"


def mappings(root: str, count: int) -> dict[str, str]:
    """Subject and what NATS makes of it, of all topics that phones publish on.

    A phone of an app is known by the level behind the app's own topic; what comes on that topic itself, which many
    phones may share, goes to one partition as a whole. No two of the subjects overlap: NATS does not say which of
    overlapping mappings it takes.
    """
    by_first_level = f"{subject(partitions_root(root))}.{count}.{{{{partition({count},1)}}}}"
    moved = {}
    for topic in phone_topics(root):
        source = subject(topic)
        moved[source] = f"{by_first_level}.{_numbered(source)}"
    for app in (filter_.removesuffix("/#") for filter_ in app_topics(AUTO)):
        source = subject(app)
        moved[source] = f"{subject(partitions_root(root))}.{count}.{partition_of(app, count)}.{source}"
        for levels in ("*", "*.*"):
            moved[f"{source}.{levels}"] = f"{by_first_level}.{_numbered(f'{source}.{levels}')}"
    return moved


def subject(topic: str) -> str:
    """The NATS subject of an MQTT topic or topic filter of non-empty levels.

    From https://docs.nats.io/running-a-nats-service/configuration/mqtt: levels are separated by dots, a dot within a
    level is written as two slashes, ``+`` is ``*``.
    """
    return ".".join(level.replace(".", "//").replace("+", "*") for level in topic.split("/"))


def partition_of(name: str, count: int) -> int:
    """The index of the partition of a phone's name, as NATS computes it: FNV-1a of 32 bits, modulo the number
    (nats-server, server/subject_transform.go, getHashPartition)."""
    value = _FNV_START
    for byte in subject(name).encode():
        value = ((value ^ byte) * _FNV_FACTOR) & 0xFFFFFFFF
    return value % count


def _numbered(source: str) -> str:
    """The subject with its wildcards numbered, as the right side of a mapping has them."""
    number = 0
    levels = []
    for level in source.split("."):
        number += level == "*"
        levels.append(f"{{{{wildcard({number})}}}}" if level == "*" else level)
    return ".".join(levels)
