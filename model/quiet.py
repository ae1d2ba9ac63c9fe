"""Keeps the messages of native libraries off the console."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_messages_discarded() -> Iterator[None]:
    """Discard what is written to file descriptor 2, where TensorFlow's native code logs, whatever it is told."""
    sys.stderr.flush()
    kept, discard = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(discard, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(discard)
