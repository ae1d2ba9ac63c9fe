"""Partitions as they are written, and the topics that the brokers move messages to."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import HarError
from streamer.cluster.partitioning import (
    Partition,
    mappings,
    moved_topics,
    original_topic,
    parse_partitions,
    partition_of,
    session_id,
    subject,
    worker_name,
)

PHONES = st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True)


@pytest.mark.parametrize(
    ("texts", "indices"),
    [(["0/3"], [0]), (["0,2/3"], [0, 2]), (["1-3/8", "0/8", "2/8"], [0, 1, 2, 3]), (["0-1,4,6-7/8"], [0, 1, 4, 6, 7])],
)
def test_partitions_are_given_one_by_one_or_as_spans(texts: list[str], indices: list[int]) -> None:
    found = parse_partitions(texts)
    assert [partition.index for partition in found] == indices
    assert parse_partitions(map(str, found)) == found


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["3"], "0/3"),
        (["a/3"], "not understood"),
        (["3/3"], "0 to 2"),
        (["2-1/3"], "no partition 2-1"),
        (["0/0"], "from 1 to 1024"),
        (["0/5000"], "from 1 to 1024"),
        (["0/3", "1/4"], "different numbers"),
    ],
)
def test_what_is_no_partition_is_refused_in_a_sentence(texts: list[str], told: str) -> None:
    with pytest.raises(HarError, match=re.escape(told)):
        parse_partitions(texts)


def move(topic: str, root: str, count: int) -> str:
    """What the brokers make of a topic, by :func:`mappings`."""
    for source, target in mappings(root, count).items():
        pattern = re.escape(source).replace(r"\*", r"([^.]+)")
        if found := re.fullmatch(pattern, subject(topic)):
            for number, token in enumerate(found.groups(), 1):
                target = target.replace(f"{{{{wildcard({number})}}}}", token)
            if found.groups():
                target = target.replace(f"{{{{partition({count},1)}}}}", str(_fnv(found[1]) % count))
            return "/".join(level.replace("//", ".") for level in target.split("."))
    raise AssertionError(f"{topic} stays where it is")


def _fnv(token: str) -> int:
    value = 2166136261
    for byte in token.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


@given(PHONES, st.integers(1, 64), st.sampled_from(["har", "a/b-c", "x.y"]))
def test_a_moved_topic_is_under_its_phone_s_partition_and_comes_back_as_it_was(phone: str, n: int, root: str) -> None:
    heard = moved_topics(root, Partition(partition_of(phone, n), n)).removesuffix("#")
    own = (f"{root}/{phone}/imu", f"{root}/{phone}/label")
    for topic in (*own, f"phyphox/{phone}", f"android/sensor/{phone}/gyroscope"):
        moved = move(topic, root, n)
        assert moved.startswith(heard)
        assert original_topic(root, moved) == topic


def test_what_phones_share_goes_to_one_partition() -> None:
    assert original_topic("har", move("sensor-logger", "har", 8)) == "sensor-logger"


def test_other_topics_are_as_they_are() -> None:
    assert original_topic("har", "har/ann/imu") == "har/ann/imu"


def test_no_two_mappings_take_the_same_topic() -> None:
    for one, other in combinations(mappings("har", 4), 2):
        levels = list(zip(one.split("."), other.split("."), strict=False))
        same_depth = one.count(".") == other.count(".")
        assert not same_depth or any(a != b and "*" not in (a, b) for a, b in levels), (one, other)


def test_sessions_and_workers_have_names_that_tell_them_apart() -> None:
    two = parse_partitions(["0,3/8"])
    assert [session_id("home/har", p) for p in two] == ["home-har-partition-0-of-8", "home-har-partition-3-of-8"]
    assert worker_name(two) == "0-3-of-8"
