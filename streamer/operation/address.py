"""Where metrics are to be had: ``PORT``, ``HOST:PORT`` or ``[IPV6]:PORT``. Pure."""

from __future__ import annotations

from typing import NamedTuple

from model.errors import HarError

LOOPBACK = "127.0.0.1"


class HttpAddress(NamedTuple):
    """Where a program of this machine, or of others, finds it."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_http_address(where: str) -> HttpAddress:
    """``PORT`` alone is loopback's: who wants others to read metrics names the address that they come in by.

    Raises
    ------
    HarError : it is none of the forms.
    """
    host, _, port = where.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not port.isascii() or not port.isdecimal() or not 0 <= int(port) < 65536:
        raise HarError(f"Metrics cannot be at {where!r}; give PORT, HOST:PORT or [IPV6]:PORT.")
    return HttpAddress(host or LOOPBACK, int(port))
