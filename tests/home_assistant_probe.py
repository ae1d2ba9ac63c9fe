"""Home Assistant with its MQTT integration, as a script for the Python that it is installed in.

``python home_assistant_probe.py PORT`` connects it to the broker on that port of 127.0.0.1, and prints each change of
an entity's state as a JSON line: ``entity``, ``state`` (null when the entity is removed), ``attributes``. It ends with
its standard input. It knows nothing of har-stream.
"""

# ruff: noqa: T201
from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

NOW = "2026-01-01T00:00:00+00:00"

ENTRY: dict[str, Any] = {
    "created_at": NOW,
    "modified_at": NOW,
    "disabled_by": None,
    "discovery_keys": {},
    "domain": "mqtt",
    "entry_id": "01JABCDEF0123456789ABCDEFG",
    "version": 1,
    "minor_version": 1,
    "options": {"discovery": True, "discovery_prefix": "homeassistant"},
    "pref_disable_new_entities": False,
    "pref_disable_polling": False,
    "source": "user",
    "subentries": [],
    "title": "broker",
    "unique_id": None,
}
"""What the integration's set-up dialogue stores."""


def configure(folder: Path, port: int) -> None:
    entries = [{**ENTRY, "data": {"broker": "127.0.0.1", "port": port}}]
    stored = {"version": 1, "minor_version": 5, "key": "core.config_entries", "data": {"entries": entries}}
    (folder / ".storage").mkdir()
    (folder / ".storage" / "core.config_entries").write_text(json.dumps(stored))
    with socket.create_server(("127.0.0.1", 0)) as free:
        web_port = free.getsockname()[1]
    (folder / "configuration.yaml").write_text(f"http:\n  server_host: 127.0.0.1\n  server_port: {web_port}\n")


def leave_out_the_web_page(folder: Path) -> None:
    """The web page's files are a large package of their own."""
    page = types.ModuleType("hass_frontend")
    page.where = lambda: folder  # type: ignore[attr-defined]
    (folder / "static" / "translations").mkdir(parents=True)
    sys.modules["hass_frontend"] = page


async def watch(folder: Path) -> None:
    from homeassistant import bootstrap, core, runner

    hass = await bootstrap.async_setup_hass(runner.RuntimeConfig(config_dir=str(folder), skip_pip=True))
    assert hass is not None

    def changed(event: Any) -> None:
        new = event.data["new_state"]
        state, attributes = (None, {}) if new is None else (new.state, dict(new.attributes))
        line = {"entity": event.data["entity_id"], "state": state, "attributes": attributes}
        print(json.dumps(line, default=str), flush=True)

    hass.bus.async_listen("state_changed", core.callback(changed))
    await hass.async_start()
    print(json.dumps({"entity": "started", "state": "mqtt" in hass.config.components, "attributes": {}}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await hass.async_stop(force=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        leave_out_the_web_page(folder / "page")
        configure(folder, int(sys.argv[1]))
        asyncio.run(watch(folder))


main()
