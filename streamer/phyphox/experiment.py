"""The experiment file with a broker filled in, and as the contents of QR codes.

File format: https://phyphox.org/wiki/index.php/Phyphox_file_format and Network_Connections. QR codes: phyphox-docs,
docs/transferring-experiments.md (Offline QR-Codes).
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
import zlib
from importlib import resources
from typing import TYPE_CHECKING

from model.errors import HarError
from streamer.formats.names import phone_name

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from streamer.address import BrokerAddress

TEMPLATE = "har-stream.phyphox"
"""The file in this package; complete but for the broker's address."""

TOPIC = "phyphox"
"""What it publishes to; with a phone's name, one level more."""

_MAGIC = b"phyphox"
_HEADER = len(_MAGIC) + 6


def template() -> bytes:
    """The file as it ships."""
    return resources.files("streamer.phyphox").joinpath(TEMPLATE).read_bytes()


def experiment(address: BrokerAddress, phone: str | None = None) -> bytes:
    """The experiment for a broker, without white space and comments, as UTF-8 XML.

    Parameters
    ----------
    phone : the phone's name in har-stream; without one it is made of the id that phyphox gives each phone.

    Raises
    ------
    HarError : phyphox cannot reach such a broker, or a name is none.
    """
    from xml.etree import ElementTree

    if phone is not None and phone_name(phone) != phone:
        raise HarError(f"The phone name {phone!r} is not 1 to 64 letters, digits, '_', '.' or '-'; give another.")
    root = ElementTree.fromstring(template())  # noqa: S314 - it is in the package
    connection = root.find("network/connection")
    assert connection is not None
    for name, value in _connection(address, phone).items():
        connection.set(name, value)
    _strip(root)
    return ElementTree.tostring(root, encoding="unicode").encode()


def _connection(address: BrokerAddress, phone: str | None) -> dict[str, str]:
    """Attributes of the connection element (phyphox-docs, spec/network.yml)."""
    if address.websockets:
        raise HarError("phyphox does not speak MQTT over WebSockets; give an mqtt:// or mqtts:// broker.")
    if address.tls and (address.username is None or address.password is None):
        raise HarError("phyphox encrypts only with a user and a password; give --username and HAR_PASSWORD too.")
    host = f"[{address.host}]" if ":" in address.host else address.host
    attributes = {
        "address": f"{host}:{address.port}",
        "service": "mqtts/json" if address.tls else "mqtt/json",
        "sendTopic": TOPIC if phone is None else f"{TOPIC}/{phone}",
    }
    if address.username is not None:
        attributes["username"] = address.username
    if address.password is not None:
        attributes["password"] = address.password
    return attributes


def _strip(element: Element) -> None:
    """Take away the white space between elements."""
    if element.text is not None and not element.text.strip():
        element.text = None
    for child in element:
        child.tail = None
        _strip(child)


def qr_payloads(content: bytes, most: int) -> list[bytes]:
    """What the QR codes of an experiment file hold, at most ``most`` bytes each; phyphox wants them in byte mode.

    All of them together are a zip with the file; each begins with ``phyphox``, the zip's checksum, the code's number
    and how many there are.

    Raises
    ------
    ValueError : ``most`` leaves no room, or there would be more than 255 codes.
    """
    whole = _zipped(content)
    count = math.ceil(len(whole) / (most - _HEADER)) if most > _HEADER else 256
    if count > 255:
        raise ValueError(f"Parameter {most=} is too small for {len(content)} bytes!")
    size = math.ceil(len(whole) / count)
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    header = _MAGIC + struct.pack(">I", zlib.crc32(whole))
    return [header + bytes([number, len(pieces)]) + piece for number, piece in enumerate(pieces)]


def _zipped(content: bytes) -> bytes:
    """A zip of the one file; always the same bytes for the same content."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(zipfile.ZipInfo("har.phyphox"), content, zipfile.ZIP_DEFLATED, 9)
    return made.getvalue()
