"""Metrics and health over HTTP: ``/metrics`` for Prometheus, ``/health`` and ``/ready`` for whoever supervises."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from model.errors import HarError
from streamer.operation.address import HttpAddress
from streamer.operation.facts import Look
from streamer.operation.health import health_fields, is_alive, is_ready
from streamer.operation.metrics import registry_of

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
"""A request that is not there after so long is given up."""

MOST_AT_ONCE = 16
"""Requests that are answered at once; a further one is turned away."""

JSON = "application/json"


class _Handler(BaseHTTPRequestHandler):
    """One request. It reads the first line and the headers, never a body."""

    server: MetricsServer
    timeout = TIMEOUT_S
    server_version = "har-stream"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer."""
        path = self.path.partition("?")[0]
        if path == "/metrics":
            encode, kind = choose_encoder(self.headers.get("Accept") or "")
            self._answer(HTTPStatus.OK, kind, encode(self.server.registry))
        elif path in ("/health", "/ready"):
            facts = self.server.look()
            is_well = is_alive(facts) if path == "/health" else is_ready(facts)
            status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, JSON, msgspec.json.encode(health_fields(facts)))
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There are /metrics, /health and /ready.\n")

    def do_HEAD(self) -> None:
        """The same without its content."""
        self.do_GET()

    def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: who asks every few seconds would fill the log."""


class MetricsServer(ThreadingHTTPServer):
    """Listens from its making on; answers once its thread runs (:func:`serving`).

    Raises
    ------
    HarError : nothing can listen there.
    """

    daemon_threads = True
    registry: CollectorRegistry
    look: Look

    def __init__(self, address: HttpAddress, look: Look, version: str) -> None:
        self.look, self.registry = look, registry_of(look, version)
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)
        try:
            self.address_family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
            super().__init__(address, _Handler)
        except OSError as error:
            raise HarError(f"Metrics cannot be at {address} ({error.strerror}); give another --metrics.") from error

    def process_request(self, request: Any, client_address: Any) -> None:
        """On a thread of its own, if there are not too many."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The thread's work."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no news."""
        log.debug("a request for metrics has failed", exc_info=True)


@contextlib.contextmanager
def serving(address: HttpAddress | None, look: Look, version: str) -> Iterator[HttpAddress | None]:
    """Answer while the block runs; gives where, the port chosen by the system if it was 0.

    Raises
    ------
    HarError : nothing can listen there.
    """
    if address is None:
        yield None
        return
    with MetricsServer(address, look, version) as server:
        thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        try:
            yield HttpAddress(address.host, int(server.server_address[1]))
        finally:
            server.shutdown()
            thread.join()
