"""The decoders under a coverage-guided fuzzer (Atheris, https://github.com/google/atheris): ``make fuzz``.

Any bytes on any topic must give messages of bounded size or a WireError of one line; anything else ends the run with
the input that did it. Arguments are libFuzzer's, as ``-max_total_time=120`` (https://llvm.org/docs/LibFuzzer.html).
The seeds are the golden messages; a folder named first keeps what the fuzzer finds, and begins from it next time.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["streamer", "msgspec"]):
    from tests.streamer.format_invariants import TOPICS, check
    from tests.streamer.format_messages import golden


def one_input(data: bytes) -> None:
    """The first byte chooses the topic."""
    if data:
        check(TOPICS[data[0] % len(TOPICS)], data[1:])


def write_seeds(folder: Path) -> None:
    """Every golden message on every topic."""
    for message in golden():
        for place in range(len(TOPICS)):
            (folder / f"{message.name}-{place}").write_bytes(bytes([place]) + message.payload)


def write_dictionary(path: Path) -> None:
    """The names of all fields, which no mutation of bytes would hit upon."""
    names = {part for message in golden() for part in re.findall(rb'"[^"\\]+"', message.payload)}
    path.write_bytes(b"\n".join(b'"\\"' + name[1:-1] + b'\\""' for name in sorted(names)))


def main() -> None:
    """Fuzz."""
    folders = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    options = [argument for argument in sys.argv[1:] if argument.startswith("-")]
    with tempfile.TemporaryDirectory() as work:
        seeds, dictionary = Path(work) / "seeds", Path(work) / "dictionary"
        seeds.mkdir()
        write_seeds(seeds)
        write_dictionary(dictionary)
        arguments = [sys.argv[0], "-max_len=4096", f"-dict={dictionary}", *options, *folders, str(seeds)]
        atheris.Setup(arguments, one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
