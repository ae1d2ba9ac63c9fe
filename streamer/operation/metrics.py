"""A listener's figures as Prometheus metrics, by the library that Prometheus keeps for Python.

Names follow Prometheus's conventions (https://prometheus.io/docs/practices/naming/): base units, ``_total`` for what
only grows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from streamer.operation.facts import Facts, Look
from streamer.operation.health import is_alive, is_ready

PREFIX = "har_stream"

COUNTED: dict[str, str] = {
    "messages": "Messages of samples that were taken",
    "samples": "Samples in them",
    "windows": "Windows that were recognised",
    "lost_messages": "Messages that are missing, by their sequence numbers",
    "late_messages": "Messages that came too late to be used",
    "repeated_messages": "Messages that had come before",
    "reordered_messages": "Messages that came out of order, and were put in order",
    "bridged_samples": "Samples of short gaps that were filled in",
    "malformed_messages": "Messages that could not be used",
    "too_long_messages": "Malformed messages: more bytes than any message needs",
    "undecodable_messages": "Malformed messages: neither JSON nor MessagePack, or nested too deeply",
    "mistyped_messages": "Malformed messages: a field is missing, of another type, or out of its range",
    "bad_value_messages": "Malformed messages: a value that is not finite, or that no sensor gives",
    "bad_time_messages": "Malformed messages: a time that is not finite, or that no clock shows",
    "bad_topic_messages": "Malformed messages: no valid phone's name in the topic",
    "unusable_messages": "Malformed messages: well formed, but not to be made a stream of",
    "too_fast_messages": "Messages of phones that send more samples than any sensor gives",
    "no_room_messages": "Messages of phones beyond --max-phones, while none was idle",
    "evicted_phones": "Idle phones that made room for others",
    "forgotten_phones": "Phones that were silent for too long",
    "untold_notices": "Notices about phones that were too many to be told",
    "flood_messages": "Messages of phones that send more of them than any sensor gives",
    "crowded_messages": "Messages that there was no room for",
    "outdated_messages": "Messages that had waited for too long",
    "dropped_messages": "Messages that were let in and not recognised: crowded and outdated ones",
    "ignored_messages": "Messages that were for somebody else",
    "gaps": "Gaps that ended a piece of a stream",
    "unknown_windows": "Windows answered with UNKNOWN",
    "transition_windows": "Windows answered with TRANSITION",
    "labelled_windows": "Windows whose label is known",
    "right_windows": "Labelled windows that were recognised rightly",
    "answered_windows": "Labelled windows that were answered with an activity",
    "right_answers": "Right answers among them",
}
"""What each count means; a count that is not here is told by its name."""

QUANTILES = {"p50": "0.5", "p90": "0.9", "p99": "0.99"}


class ListenerCollector(Collector):
    """Looks at the listener whenever it is asked."""

    def __init__(self, look: Look, version: str) -> None:
        self._look = look
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """All metrics of one instant."""
        facts = self._look()
        yield InfoMetricFamily(PREFIX, "The listener", {"version": self._version, "model": facts.model})
        yield from _gauges(facts)
        yield from _counters(facts)
        yield _latency(facts)


def registry_of(look: Look, version: str) -> CollectorRegistry:
    """The listener's metrics, and those of its process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ListenerCollector(look, version))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def _gauges(facts: Facts) -> Iterator[Metric]:
    for name, words, value in (
        ("alive", "Whether the listener works (1), or hangs or has failed (0)", is_alive(facts)),
        ("ready", "Whether it works and is connected", is_ready(facts)),
        ("connected", "Whether it is connected to its broker", facts.is_connected),
        ("phones", "Phones that are followed", facts.phones),
        ("active_phones", "Phones that have sent within the last seconds", facts.active_phones),
        ("queued_messages", "Messages that wait to be worked off", facts.queued),
        ("unpublished_messages", "Messages that wait for the broker, were dropped, or refused", facts.unpublished),
        ("last_message_age_seconds", "Since the last message came, of any phone", facts.last_message_age_s),
        ("stalled_seconds", "Since the recognising thread has turned", facts.stalled_s),
        ("threads", "Python's threads", threading.active_count()),
    ):
        yield GaugeMetricFamily(f"{PREFIX}_{name}", words, float(value))


def _counters(facts: Facts) -> Iterator[Metric]:
    for name, value in {**facts.counts, **facts.losses}.items():
        yield CounterMetricFamily(f"{PREFIX}_{name}", COUNTED.get(name, name.replace("_", " ").capitalize()), value)
    yield CounterMetricFamily(f"{PREFIX}_published_messages", "Messages that the broker has taken", facts.published)
    if facts.unkept is not None:
        yield CounterMetricFamily(f"{PREFIX}_unkept_messages", "Messages that a restart would lose", facts.unkept)
    if facts.recorded is not None and facts.unrecorded is not None:
        yield CounterMetricFamily(f"{PREFIX}_recorded_messages", "Messages in the recording", facts.recorded)
        yield CounterMetricFamily(f"{PREFIX}_unrecorded_messages", "Messages missing in it", facts.unrecorded)


def _latency(facts: Facts) -> Metric:
    words = "From the arrival of a window's last sample to its prediction, over the last 10,000 predictions"
    family = GaugeMetricFamily(f"{PREFIX}_latency_seconds", words, labels=("quantile",))
    for percentile, quantile in QUANTILES.items():
        value = facts.latency_ms.get(percentile)
        family.add_metric((quantile,), float("nan") if value is None else value / 1000)
    return family
