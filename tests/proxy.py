"""A TCP proxy that does to connections what networks do: cut them, refuse them, slow them down, swallow them."""

from __future__ import annotations

import asyncio
import math
import random
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

TIMEOUT_S = 60


class Proxy:
    """In front of a port of 127.0.0.1, until the end of :func:`proxy`'s block; its fields may be set at any time.

    ``latency_s`` holds up each piece that comes, and those behind it; ``loss`` is the share of pieces that wait for
    ``resend_s`` more, as what TCP sends again; ``bytes_per_s`` goes through at most, in pieces of ``piece`` bytes.
    """

    def __init__(self, upstream: int) -> None:
        self.port = 0
        self.latency_s = 0.0
        self.loss, self.resend_s = 0.0, 0.2
        self.bytes_per_s = math.inf
        self.piece = 1 << 16
        self.connections = 0
        self._upstream = upstream
        self._random = random.Random(0)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.open()

    def open(self) -> None:
        """Take connections, on the same port as before."""
        self._run(self._open())

    def shut(self) -> None:
        """Refuse connections from now on, and cut those that are there."""
        self._run(self._shut())

    def cut(self) -> None:
        """End the connections that are there."""
        self._call(self._cut)

    def swallow(self) -> None:
        """Let nothing through, and close nothing: what a cable does that is pulled out."""
        self._call(self._flowing.clear)

    def flow(self) -> None:
        """Let everything through again."""
        self._call(self._flowing.set)

    def close(self) -> None:
        self.flow()
        self._run(self._shut())
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT_S)

    def _call(self, action: Callable[[], None]) -> None:
        async def call() -> None:
            action()

        self._run(call())

    async def _open(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._cut()

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, upstream_writer}
        self._writers |= pair
        await asyncio.gather(self._pump(reader, upstream_writer), self._pump(upstream_reader, writer))
        self._writers -= pair

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if delay_s := self.latency_s + (self.resend_s if self._random.random() < self.loss else 0.0):
                    await asyncio.sleep(delay_s)
                await self._forward(data, writer)
        await self._closed(writer.close)

    async def _forward(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        piece = self.piece
        for place in range(0, len(data), piece):
            await self._flowing.wait()
            writer.write(data[place : place + piece])
            await writer.drain()
            await asyncio.sleep(min(piece, len(data)) / self.bytes_per_s)

    async def _closed(self, close: Callable[[], Awaitable[None] | None]) -> None:
        await self._flowing.wait()  # nobody hears of an end either
        with suppress(OSError, RuntimeError):
            close()


@contextmanager
def proxy(upstream: int) -> Iterator[Proxy]:
    made = Proxy(upstream)
    try:
        yield made
    finally:
        made.close()
