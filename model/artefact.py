"""A trained model as one self-describing file, ``.har``: a zip of card, ONNX graph and Keras weights.

=============== ====================================================================
``card.json``   :class:`model.card.Card`, with the hashes of the other two
``model.onnx``  the exported graph: ``windows`` (n, 128, 9) to ``probabilities``
``weights.npz`` the Keras weights in ``get_weights()`` order, to train on
=============== ====================================================================

Members are stored uncompressed, sorted and dated 1980, so that equal models are equal files. Reading
executes nothing, unpickles nothing, and checks every size before it allocates.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from model.boxed import SHA256, boxed_path
from model.card import Card, check_card, decode_card, encode_card
from model.errors import ArtefactError
from model.files import replace_file

if TYPE_CHECKING:
    import keras

CARD, GRAPH, WEIGHTS = "card.json", "model.onnx", "weights.npz"
MAX_CARD_BYTES = 1 << 20
MAX_FILE_BYTES = 32 << 20
"""Far above what 500,000 parameters need, twice 2 MB."""

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What zipfile raises on a damaged or foreign file."""

Weights = list[npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Artefact:
    """A trained model in memory; ``weights_npz`` stays encoded, for only training needs it."""

    card: Card
    onnx: bytes
    weights_npz: bytes

    def weights(self) -> Weights:
        """The Keras weights, in ``get_weights()`` order.

        Raises
        ------
        ArtefactError : they are not plain float32 arrays.
        """
        return _decode_weights(self.weights_npz, self.card.name)


def default_artefact_path(network: str = "window") -> Path:
    """The model of this network in the box, one of :data:`model.boxed.IN_THE_BOX`."""
    return boxed_path(network)


def make_artefact(card: Card, onnx: bytes, weights: Sequence[npt.NDArray[np.float32]]) -> Artefact:
    """Put a model together; the card's ``sha256`` is filled in."""
    weights_npz = _encode_weights(weights)
    hashes = {GRAPH: hashlib.sha256(onnx).hexdigest(), WEIGHTS: hashlib.sha256(weights_npz).hexdigest()}
    return Artefact(msgspec.structs.replace(card, sha256=hashes), onnx, weights_npz)


def write_artefact(path: Path, artefact: Artefact) -> None:
    """Write a ``.har`` file; an existing one is replaced as a whole or not at all.

    Raises
    ------
    ArtefactError : it cannot be written there.
    """
    members = {CARD: encode_card(artefact.card), GRAPH: artefact.onnx, WEIGHTS: artefact.weights_npz}
    try:
        replace_file(path, _zip(members.items()))
    except OSError as error:
        raise ArtefactError(f"The model cannot be written to {path} ({error.strerror}); give another place.") from error


def read_artefact(path: Path) -> Artefact:
    """Read and check a ``.har`` file.

    Raises
    ------
    ArtefactError : it is missing, no artefact, damaged, too large, or made for another input than this
        program produces.
    """
    members = _read_members(path)
    card = decode_card(members[CARD], path.name)
    for name in (GRAPH, WEIGHTS):
        expected, actual = card.sha256.get(name), hashlib.sha256(members[name]).hexdigest()
        if actual != expected:
            raise ArtefactError(
                f"{path.name} is damaged: {name} has SHA-256 {actual}, its card says {expected}; fetch the file again."
            )
    check_card(card, path.name)
    return Artefact(card, members[GRAPH], members[WEIGHTS])


def rebuild_network(artefact: Artefact) -> keras.Model:
    """The Keras model with its trained weights; needs TensorFlow.

    Raises
    ------
    ArtefactError : the weights do not fit the network that the card names.
    """
    from model.networks import build_network

    try:
        network = build_network(artefact.card.network, **artefact.card.hyperparameters)
        network.set_weights(artefact.weights())
    except (TypeError, ValueError) as error:
        name, kind = artefact.card.name, artefact.card.network
        raise ArtefactError(
            f"The weights of {name} do not fit the network {kind!r} of this program ({error})."
        ) from error
    return network


def _check_boxed(path: Path, content: bytes) -> None:
    """Refuse a model in the box that is not the one that came in it."""
    expected = SHA256.get(path.stem)
    if expected is None or path != default_artefact_path(path.stem):
        return
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected:
        raise ArtefactError(
            f"{path.name} is not the model that came with this program: its SHA-256 is {actual} instead of {expected}; "
            "reinstall har-stream."
        )


def _read_members(path: Path) -> dict[str, bytes]:
    content = _read_bounded(path)
    _check_boxed(path, content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_members(archive.infolist(), path.name)
            return {info.filename: archive.read(info) for info in archive.infolist()}
    except _UNREADABLE as error:
        raise ArtefactError(
            f"{path.name} is not a model made by har-model train, or it is truncated or damaged ({error}); "
            "fetch the file again."
        ) from error


def _read_bounded(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise ArtefactError(f"{path} is not a file; give a model made by har-model train.")
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ArtefactError(f"The model {path} cannot be read ({error.strerror}); check the path.") from error
    if len(content) > MAX_FILE_BYTES:
        raise ArtefactError(
            f"{path.name} is too large for a model, over {MAX_FILE_BYTES} bytes; give one made by har-model train."
        )
    return content


def _check_members(members: Sequence[zipfile.ZipInfo], source: str) -> None:
    """Refuse other names, and sizes that would decompress into too much."""
    names = sorted(member.filename for member in members)
    expected = [CARD, GRAPH, WEIGHTS]
    if names != expected:
        found = ", ".join(map(repr, names[:5])) or "nothing"
        raise ArtefactError(
            f"{source} holds {found}, but a model holds {', '.join(expected)}; it is another file or a truncated "
            "model, so fetch the file again."
        )
    for member in members:
        limit = MAX_CARD_BYTES if member.filename == CARD else MAX_FILE_BYTES
        if member.file_size > limit:
            raise ArtefactError(
                f"The {member.filename} in {source} is too large, {member.file_size} of at most {limit} bytes; "
                "fetch the file again."
            )


def _zip(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip that depends on nothing but its members: stored, sorted, dated 1980."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(members):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # Unix, on whatever system it is made
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def _encode_weights(weights: Sequence[npt.NDArray[np.float32]]) -> bytes:
    members = []
    for position, array in enumerate(weights):
        buffer = io.BytesIO()
        # Version 1.0 explicitly: it is the one that the bounded reader takes.
        np.lib.format.write_array(buffer, np.asarray(array, "<f4", order="C"), version=(1, 0), allow_pickle=False)
        members.append((f"{position:03d}.npy", buffer.getvalue()))
    return _zip(members)


def _decode_weights(content: bytes, source: str) -> Weights:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_FILE_BYTES:
                raise ValueError(f"more than {MAX_FILE_BYTES} bytes")
            return [_decode_array(archive.read(name)) for name in sorted(archive.namelist())]
    except _UNREADABLE as error:
        raise ArtefactError(f"The {WEIGHTS} in {source} is malformed ({error}); train the model again.") from error


def _decode_array(content: bytes) -> npt.NDArray[np.float32]:
    """One ``.npy`` of version 1.0 and type float32; its size is checked before the array is made."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"array format {version} instead of (1, 0)")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype != np.dtype("<f4") or fortran_order:
        raise ValueError(f"array type {dtype} instead of float32 in C order")
    return np.frombuffer(content[stream.tell() :], "<f4").reshape(shape)
