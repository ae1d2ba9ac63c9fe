"""An authority of the tests' own, made with openssl, and certificates of it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

LOOPBACK = "IP:127.0.0.1,DNS:localhost"


@dataclass(frozen=True)
class Authority:
    """``certificate`` is to be trusted; others are made by :meth:`issue`."""

    folder: Path
    certificate: Path
    key: Path

    def issue(self, name: str, names: str = LOOPBACK, *, days: int = 2) -> tuple[Path, Path]:
        """A certificate and its key, for these names; of -1 days, it has expired."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        request, extension = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extension.write_text(f"subjectAltName={names}\n")
        _openssl("req", "-new", *_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        made = ("-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-out", certificate)
        _openssl("x509", "-req", *made, "-extfile", extension, "-days", days)
        return certificate, key


def make_authority(folder: Path, name: str = "authority") -> Authority:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    _openssl("req", "-x509", *_KEY, "-keyout", key, "-out", certificate, "-subj", f"/CN={name}", "-days", 30)
    return Authority(folder, certificate, key)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that vouches for itself, and its key."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    _openssl("req", "-x509", *_KEY, "-keyout", key, "-out", certificate, *names)
    return certificate, key


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*words: object) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    subprocess.run([openssl, *map(str, words)], check=True, capture_output=True)
