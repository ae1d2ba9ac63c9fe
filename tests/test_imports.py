"""The directions of imports between the packages, read from the sources."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("model", "streamer", "replay")
COMMANDS = ("model.cli", "streamer.cli", "replay.cli")

FORBIDDEN = {"model": ("streamer", "replay", "paho"), "streamer": ("replay",)}
"""What a package never imports; ``har-stream demo`` runs the replay as a process of its own."""

SHARED_WITH_REPLAY = {
    "streamer.wire",
    "streamer.access_options",
    "streamer.address",
    "streamer.faults",
    "streamer.packed",
    "streamer.tls",
    "streamer.capture.format",
    "streamer.capture.reader",
}
"""What a phone and the listener must have in common: payloads, how a broker is named and trusted, recorded messages."""

ONLY_IN = {
    "paho": {
        "streamer.link",
        "streamer.mqtt.client",
        "streamer.mqtt.connecting",
        "streamer.mqtt.session",
        "streamer.subscriber",
        "replay.publisher",
    },
    "rich": {
        "model.commands.console",
        "model.evaluation_tables",
        "model.stateful.evaluation_tables",
        "model.tables",
        "streamer.backfill.progress",
        "streamer.console.app",
        "streamer.console.detail",
        "streamer.console.frame",
        "streamer.console.health",
        "streamer.console.overview",
        "streamer.console.painter",
        "streamer.console.traces",
        "streamer.doctor.command",
        "streamer.doctor.tables",
        "streamer.report.command",
        "streamer.report.tables",
        "replay.cli",
        "replay.display",
        "replay.run",
    },
    "keras": {
        "model.artefact",
        "model.finetune",
        "model.layers",
        "model.learning",
        "model.packaging",
        "model.networks",
        "model.onnx_export",
        "model.stateful.export",
        "model.stateful.networks",
        "model.stateful.training",
        "model.training",
    },
    "tensorflow": {"model.learning", "model.onnx_export", "model.packaging", "model.training"},
    "blessed": {"streamer.console.app"},
    "psutil": {"streamer.console.source"},
    "matplotlib": {"model.plots", "streamer.report.plots"},
    "onnxruntime": {"model.inference"},
    "pandas": {"streamer.backfill.tables", "streamer.backfill.units", "streamer.report.export"},
    "pyarrow": {"streamer.backfill.sinks", "streamer.backfill.tables"},
}
"""The modules that may know a library, at run time or as a type."""

HEAVY = {"keras", "matplotlib", "onnx", "onnxruntime", "pandas", "pyarrow", "scipy", "soundfile"}
HEAVY |= {"tensorflow", "tf2onnx"}
"""What ``--help`` must not wait for."""


@dataclass(frozen=True)
class Import:
    """``importer`` imports ``target``, a module: at its own import, in a function, or for type checking alone."""

    importer: str
    target: str
    lazy: bool = False
    typing: bool = False

    @property
    def library(self) -> str:
        return self.target.partition(".")[0]


@cache
def modules() -> dict[str, str]:
    """Source of every module of the packages, by dotted name."""
    sources = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            sources[name.removesuffix(".__init__")] = path.read_text("utf-8")
    return sources


def imports_of(importer: str, node: ast.AST, lazy: bool = False, typing: bool = False) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(importer, alias.name, lazy, typing) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, f"{importer} has a relative import; write it out"
            for target in sorted({resolved(child.module or "", alias.name) for alias in child.names}):
                yield Import(importer, target, lazy, typing)
        else:
            in_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            checked = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from imports_of(importer, child, lazy or in_function or is_function, typing or checked)


def resolved(module: str, name: str) -> str:
    """``from model import bundled`` imports ``model.bundled``; ``from model.bundled import index`` too."""
    return f"{module}.{name}" if f"{module}.{name}" in modules() else module


@cache
def all_imports() -> tuple[Import, ...]:
    return tuple(found for name, source in modules().items() for found in imports_of(name, ast.parse(source)))


def offenders(imports: Iterator[Import]) -> list[str]:
    return sorted({f"{found.importer} -> {found.target}" for found in imports})


def test_the_reader_of_imports_sees_them_all() -> None:
    source = (
        "import os, paho.mqtt.client\n"
        "from model import bundled, errors\n"
        "from model.bundled import index\n"
        "if TYPE_CHECKING:\n    import keras\n"
        "class C:\n    import json\n    def f(self):\n        if x:\n            import scipy.signal as s\n"
        "try:\n    import msgspec\nexcept ImportError:\n    pass\n"
    )
    assert set(imports_of("m", ast.parse(source))) == {
        Import("m", "os"),
        Import("m", "paho.mqtt.client"),
        Import("m", "model.bundled"),
        Import("m", "model.errors"),
        Import("m", "keras", typing=True),
        Import("m", "json"),
        Import("m", "scipy.signal", lazy=True),
        Import("m", "msgspec"),
    }


def test_the_sources_are_found() -> None:
    assert {*PACKAGES, *COMMANDS, *SHARED_WITH_REPLAY} <= modules().keys()
    assert set().union(*ONLY_IN.values()) <= modules().keys()
    assert Import("model.windows", "model.signals") in all_imports()


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_import_in_one_direction(package: str) -> None:
    own = (found for found in all_imports() if found.importer.partition(".")[0] == package)
    assert offenders(found for found in own if found.library in FORBIDDEN[package]) == []


def test_replay_shares_with_the_listener_only_what_both_must_know() -> None:
    into_streamer = (i for i in all_imports() if i.importer.startswith("replay") and i.library == "streamer")
    assert offenders(i for i in into_streamer if i.target not in SHARED_WITH_REPLAY) == []


def test_what_replay_shares_brings_no_other_part_of_the_listener() -> None:
    shared = (i for i in all_imports() if i.importer in SHARED_WITH_REPLAY and i.library == "streamer")
    assert offenders(i for i in shared if i.target not in SHARED_WITH_REPLAY) == []


def test_nothing_imports_a_command_line() -> None:
    allowed = {f"{package}.__main__" for package in PACKAGES}
    assert offenders(i for i in all_imports() if i.target in COMMANDS and i.importer not in allowed) == []


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_known_only_to_its_modules(library: str) -> None:
    users = (i for i in all_imports() if i.library == library)
    assert offenders(i for i in users if i.importer not in ONLY_IN[library]) == []


def test_there_is_no_cycle_even_through_functions() -> None:
    graph: dict[str, set[str]] = {}
    for found in all_imports():
        if found.target in modules() and not found.typing:
            graph.setdefault(found.importer, set()).add(found.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_line_loads_nothing_heavy(command: str) -> None:
    """What its import brings, directly or through other modules; ``--help`` waits for no more."""
    eager = [i for i in all_imports() if not i.lazy and not i.typing]
    loaded, waiting = set(), [command]
    while waiting:
        module = waiting.pop()
        loaded.add(module)
        waiting += [i.target for i in eager if i.importer == module and i.target not in loaded]
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()
