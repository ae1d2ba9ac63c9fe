"""The machine that was measured on, and which of its cores do what."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = ("numpy", "scipy", "onnxruntime", "msgspec", "paho-mqtt", "tensorflow", "keras")


@dataclass(frozen=True, slots=True)
class Cores:
    """Of the system that is measured, and of broker, generator and all else."""

    system: set[int]
    rest: set[int]


def share_cores() -> Cores:
    """The system gets the first core that this process may use, the rest the others; one core alone is shared."""
    first, *others = sorted(os.sched_getaffinity(0))
    return Cores({first}, set(others) or {first})


def describe() -> dict[str, Any]:
    """Processor, cores, versions, and how busy the machine is just now."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "load_average": [round(value, 2) for value in os.getloadavg()],
        "versions": {"python": platform.python_version(), "mosquitto": _mosquitto()} | _libraries(),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", path.read_text()) if path.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def _mosquitto() -> str | None:
    try:
        told = subprocess.run(["mosquitto", "-h"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    found = re.search(r"version (\S+)", told)
    return found[1] if found else None


def _libraries() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found
