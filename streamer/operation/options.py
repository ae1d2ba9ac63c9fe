"""The flags of a listener that runs as a service, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from streamer.operation.address import HttpAddress, parse_http_address

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

LOG_FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True)
class OperationOptions:
    """``metrics`` is where metrics and health are to be had, if anywhere; ``log_format`` one of :data:`LOG_FORMATS`."""

    metrics: HttpAddress | None = None
    log_format: str = "text"


def operation_options(command: Decorated) -> Decorated:
    """The flags."""
    for option in reversed(
        (
            click.option(
                "--metrics",
                metavar="[HOST:]PORT",
                help="Answer /metrics (Prometheus), /health and /ready over HTTP there; on loopback without a HOST.",
            ),
            click.option(
                "--log-format",
                type=click.Choice(LOG_FORMATS),
                default="text",
                help="What stderr is told in, beside a dashboard: lines, or one JSON object each.",
            ),
        )
    ):
        command = option(command)
    return command


def operation_of(flags: dict[str, Any]) -> OperationOptions:
    """What the flags say.

    Raises
    ------
    HarError : metrics cannot be there.
    """
    metrics = flags.get("metrics")
    return OperationOptions(
        metrics=None if metrics is None else parse_http_address(metrics), log_format=flags.get("log_format", "text")
    )
