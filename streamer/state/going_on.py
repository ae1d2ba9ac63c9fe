"""A session that goes on from where the one before ended: everything put back, and what came since worked off again."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from model.errors import HarError
from streamer.listener import Listener
from streamer.publishing.publisher import Publisher
from streamer.state.keeper import Earlier, Keeper, Kept
from streamer.state.once import Once


def go_on(keeper: Keeper, listener: Listener, once: Once, publisher: Publisher | None) -> bool:
    """Before the listener starts: go on from what an earlier run kept, and keep from now on; whether there was one.

    Raises
    ------
    HarError : what was kept cannot be worked off; it is set aside, so that the next start is one from nothing.
    """
    roots: dict[str, Any] = listener.roots | {"once": once}
    if publisher and publisher.ledger:
        roots |= {"publisher": publisher, "ledger": publisher.ledger}
    unix_offset_s = listener.recognizer.unix_offset_s
    earlier = keeper.restore(roots)
    if earlier:
        try:
            listener.recognizer.unix_offset_s -= earlier.shift_s
            _work_again(earlier, listener, once, publisher)
            listener.recognizer.unix_offset_s = unix_offset_s
        except Exception as error:
            keeper.put_aside(f"it cannot be worked off: {error!r}")
            with suppress(OSError):
                keeper.close(is_whole=False)
            raise HarError("What an earlier run kept cannot be worked off, and is set aside; start again.") from error
    ledger = publisher.ledger if publisher else None
    keeper.start(Kept(roots, listener.inbox, listener.lock, once, ledger, lambda: listener.tally.phones))
    return earlier is not None


def _work_again(earlier: Earlier, listener: Listener, once: Once, publisher: Publisher | None) -> None:
    once.resume(earlier.told)
    if publisher and publisher.ledger:
        publisher.outbox.put(*publisher.ledger.resume(earlier.published))
    listener.work_again(earlier.messages())
    listener.recognizer.wait_on(earlier.gap_s)
    once.resumed()
    if publisher and publisher.ledger:
        publisher.ledger.resumed()
