"""The link to a broker, or to one of several that are as good: opened, lost, and opened again until it stops."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import Any

from paho.mqtt.reasoncodes import ReasonCode

from streamer.address import BrokerAddress, BrokerError, not_mqtt, taken_over
from streamer.attempts import Attempts
from streamer.mqtt.client import BulkClient
from streamer.mqtt.packets import TAKEN_OVER
from streamer.mqtt.session import Session
from streamer.subscription import SubscriberOptions
from streamer.tls import tls_failed

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 10.0
"""How long a broker may take to answer before it is taken for something else."""


class ConnectionState(Enum):
    """How the listener stands with its broker."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"


class Link:
    """Whether there is a connection, and what is done when there is none.

    ``failure`` says why it has stopped by itself, ``retry_at_s`` when it tries again, on the monotonic clock.

    Parameters
    ----------
    client : what connects; who made it calls :meth:`accepted`, :meth:`refused` and :meth:`subscribed`.
    options : with which it was made.
    turn : one turn of the network loop; gives False when the connection is lost.
    """

    def __init__(self, client: BulkClient, options: SubscriberOptions, turn: Callable[[], bool]) -> None:
        self.state = ConnectionState.CONNECTING
        self.retry_at_s: float | None = None
        self.failure: BrokerError | None = None
        self.stopping = threading.Event()
        self._client = client
        self._options = options
        self._turn = turn
        self._session = Session(client, options)
        self._attempts = Attempts((options.address, *options.others), contested=options.contested)
        self._refusal: BrokerError | None = None
        self._is_accepted = False
        self._is_subscribed = False
        self._was_connected = False
        self._is_taken_over = False
        self._told = ""
        client.on_disconnect = self._on_disconnect

    @property
    def address(self) -> BrokerAddress:
        """Of the broker that is connected, or was tried last."""
        return self._attempts.address

    @property
    def is_connected(self) -> bool:
        """Whether the broker has accepted the subscriptions."""
        return self.state is ConnectionState.CONNECTED

    def accepted(self) -> None:
        """The broker has let the client in."""
        self._session.accepted()
        self._is_accepted = True

    def refused(self, error: BrokerError) -> None:
        """The broker has not let the client in, or not taken its subscriptions."""
        self._refusal = error

    def subscribed(self) -> None:
        """The broker has taken the subscriptions."""
        if self.state is ConnectionState.RECONNECTING:
            log.warning("connected to %s%s", self.address, " again" if self._was_connected else "")
        self._was_connected, self._told = True, ""
        self._is_subscribed = True
        self._attempts.connected()
        self.state = ConnectionState.CONNECTED

    def open(self) -> None:
        """Connect and subscribe for the first time.

        Raises
        ------
        BrokerError : there is no broker, it is none, or it refuses; of several brokers, all of them. With
            ``options.wait`` only what is final is raised; the rest is told, and :meth:`hold` tries again.
        """
        for left in reversed(range(len(self._attempts))):
            try:
                self._try()
                return
            except BrokerError as error:
                if left:
                    self._attempts.next()
                elif error.is_final or not self._options.wait:
                    raise
                else:
                    log.warning("%s Waiting for it.", error)

    def hold(self) -> None:
        """One turn of the network loop; or a new connection, once there is one, if there was none or it is lost."""
        if not (self._is_subscribed and self._turn()) and not self.stopping.is_set():
            self._reopen()

    def leave(self) -> None:
        """Take leave of the broker."""
        self._session.disconnect(self.address)

    def cut(self) -> None:
        """Close the connection without a word, so that the broker publishes the last will."""
        if connection := self._client.socket():
            connection.close()

    def _try(self) -> None:
        """Connect to the broker whose turn it is, until it has taken the subscriptions, or it stops."""
        self._refusal, self._is_accepted, self._is_subscribed = None, False, False
        self._session.connect(self.address)
        started_s = time.monotonic()
        while not self._is_subscribed and not self.stopping.is_set():
            is_lost = not self._turn()
            if self._refusal:
                raise self._refusal
            # What was kept for this client may come first, and be much.
            last_s = self._client.heard_s if self._is_accepted else started_s
            if is_lost or time.monotonic() > last_s + ANSWER_TIMEOUT_S:
                raise self._why_lost() or not_mqtt(self.address)

    def _why_lost(self) -> BrokerError | None:
        """What TLS says of it: since its version 1.3, a client's certificate is refused after the handshake."""
        fault = self._client.fault
        return tls_failed(self.address, fault) if isinstance(fault, ssl.SSLError) else None

    def _reopen(self) -> None:
        """Try again, one broker after the other, until one takes the subscriptions or it stops."""
        self.state = ConnectionState.RECONNECTING
        if self._is_subscribed:
            log.warning("connection to %s lost", self.address)
        self._is_subscribed = False
        self._attempts.lost()
        is_named = self._options.keep_session or self._options.has_given_id  # so that another may have that name
        if self._is_taken_over or (is_named and self._attempts.is_contested):
            self._fail(taken_over(self._options.client_id))
        while not self.stopping.is_set() and not self._is_subscribed:
            wait_s = self._attempts.wait_s()
            self._attempts.next()
            self.retry_at_s = time.monotonic() + wait_s
            if self.stopping.wait(wait_s):
                return
            self.retry_at_s = None
            try:
                self._try()
            except BrokerError as error:
                self._failed_again(error)

    def _failed_again(self, error: BrokerError) -> None:
        """An attempt has failed: each reason is told once, but that nobody is there goes without saying."""
        log.debug("%s", error)
        if error.is_final and error.exit_code != 1:  # refused; of everything else the broker may be cured
            self._fail(error)
        is_absent = isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, ssl.SSLError)
        if is_absent:
            self._attempts.absent()
        elif error.__cause__ is None and self._refusal is None:
            self._attempts.unanswered()
        if not is_absent and error is not self.failure and str(error) != self._told:
            log.warning("%s Trying again.", error)
            self._told = str(error)

    def _fail(self, error: BrokerError) -> None:
        """Stop by itself, for good."""
        self.failure = error
        self.stopping.set()

    def _on_disconnect(self, _client: Any, _user: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self._is_taken_over |= code.value == TAKEN_OVER
