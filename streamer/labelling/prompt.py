"""The prompt of ``har-stream label``: one key a label, until q."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from streamer.labelling.choices import NOTHING, Prompt, press
from streamer.labelling.sender import LabelSender
from streamer.outputs import clock_time


def run_prompt(sender: LabelSender, phone: str, where: str, clock: Callable[[], float]) -> int:
    """Publish a label a key until q, Ctrl-C or SIGTERM; then nothing is labelled any more. Gives the exit status.

    Keys come from a terminal, which is as before after each.
    """
    _say(f"What does the owner of {phone} do? Each key is published to {where}, and holds until the next one.")
    prompt, status, is_labelled = Prompt(), 0, False
    _say(prompt.help)
    with _log_lines(), _terminated_as_interrupted():
        try:
            while not prompt.is_over:
                before = prompt
                prompt, choice = press(prompt, click.getchar())
                if choice:
                    sender.send(choice.activity)
                    is_labelled = choice.activity is not None
                    late = "" if sender.is_connected else "  (not connected; it is sent later)"
                    _say(f"{clock_time(clock())}  {choice.activity or NOTHING}{late}")
                elif prompt.is_transition or (before.is_transition and not prompt.is_over):
                    _say(prompt.help)
        except (KeyboardInterrupt, EOFError):
            status = 130
        if is_labelled:
            sender.send(None)
            _say(f"{clock_time(clock())}  {NOTHING}")
    return status


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@contextmanager
def _log_lines() -> Iterator[None]:
    """Log records on stderr, on lines of their own also while a key is waited for, when lines end at no margin."""
    handler = logging.StreamHandler()
    handler.terminator = "\r\n"
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM is as Ctrl-C while the block runs, so that the last label is ended."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
