"""TLS to a broker: whom to trust, who this client is, and one sentence for each way in which it fails.

What a phone and the listener share. Standard library only, no network.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamer.address import BrokerAddress, BrokerError

INSECURE: Final = (
    "--insecure: the broker's name is not checked, so whoever has any certificate of a trusted authority can pretend "
    "to be it and read along."
)
"""Told at each start with that flag."""

_NOT_YET, _EXPIRED = 9, 10
_OTHER_NAME = (62, 64)
"""Results of verification (OpenSSL's x509_vfy.h): outside its time; made for another host name or IP address."""

_ALERT = re.compile(r"_ALERT_([A-Z_]+)")

_NO_CERTIFICATE: Final = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")
"""Alerts by which a broker wants a certificate (RFC 8446, section 6.2; RFC 5246, section 7.2.2)."""


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """``cafile`` holds the trusted authorities, None: the system's. ``cert`` and ``key`` are this client's, PEM all.

    With ``insecure`` the certificate may be made for any name; it must still be of a trusted authority.
    """

    cafile: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    insecure: bool = False


def tls_context(options: TlsOptions) -> ssl.SSLContext:
    """What a connection is encrypted with.

    Raises
    ------
    BrokerError : the files cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and name
    context.check_hostname = not options.insecure
    if options.cafile is None:
        context.load_default_certs()
    else:
        with _told(f"--cafile {options.cafile}"):
            context.load_verify_locations(options.cafile)
    if options.cert is None and options.key is not None:
        raise _unusable("--key without --cert", "give the certificate, too")
    if options.cert is not None:
        with _told(f"--cert {options.cert} and --key {options.key}" if options.key else f"--cert {options.cert}"):
            context.load_cert_chain(options.cert, options.key, password=_no_passphrase)
    return context


@contextmanager
def _told(flags: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise _unusable(flags, _reason(error)) from error


def _no_passphrase() -> str:
    """Nobody is asked for one: a listener starts by itself."""
    raise ValueError("the key has a passphrase; give one without")


def _unusable(flags: str, reason: str) -> BrokerError:
    return BrokerError(f"The certificate files cannot be used: {flags} ({reason}).", is_final=True)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "they do not belong together" if error.reason == "KEY_VALUES_MISMATCH" else "not in PEM format"
    return getattr(error, "strerror", None) or str(error)


def tls_failed(address: BrokerAddress, error: Exception) -> BrokerError | None:
    """Why there is no TLS connection; None if that is not for TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _not_trusted(address, error)
    if isinstance(error, ssl.SSLError) and (alerted := tls_alert(address, error.reason or "")):
        return alerted
    if address.tls and isinstance(error, ssl.SSLError | ConnectionResetError):
        return BrokerError(f"What answers at {address} does not speak TLS; give another port, or mqtt:// without it.")
    return None


def _not_trusted(address: BrokerAddress, error: ssl.SSLCertVerificationError) -> BrokerError:
    told = f"The certificate of the broker at {address}"
    if error.verify_code in (_NOT_YET, _EXPIRED):
        # Not final: the certificate is renewed one day, or this machine's clock is set.
        what = "has expired" if error.verify_code == _EXPIRED else "is not valid yet"
        return BrokerError(f"{told} {what}; renew it there, or set this machine's clock.")
    if error.verify_code in _OTHER_NAME:
        return BrokerError(
            f"{told} is not made for {address.host}; connect by a name that is in it, or have it made anew.",
            is_final=True,
        )
    return BrokerError(
        f"{told} is not trusted ({error.verify_message}); give its authority's with --cafile.", is_final=True
    )


def tls_alert(address: BrokerAddress, words: str) -> BrokerError | None:
    """The broker ended the connection by an alert that is in these words of OpenSSL's; None if there is none."""
    found = _ALERT.search(words)
    if found is None:
        return None
    if found[1] in _NO_CERTIFICATE:
        return BrokerError(
            f"The broker at {address} wants a certificate of this client; give --cert and --key.", is_final=True
        )
    reason = found[1].replace("_", " ").lower()
    return BrokerError(
        f"The broker at {address} does not take this client's certificate ({reason}); give another --cert and --key.",
        is_final=True,
    )
