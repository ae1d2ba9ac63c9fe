"""``har-stream phyphox``: the experiment for a broker, as QR codes to scan or as a file."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from model.errors import HarError
from streamer.access_options import user_options, warn_of_password

HOW_TO = "In phyphox: +, Add experiment from QR code; then press play."


@click.command()
@click.option(
    "--broker",
    required=True,
    metavar="WHERE",
    help="HOST, HOST:PORT, or an mqtt:// or mqtts:// URL, as phones reach it.",
)
@user_options
@click.option("--phone", metavar="NAME", help="The phone's name here.  [default: phyphox- and its id]")
@click.option(
    "-o",
    "--file",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE.phyphox",
    help="Write the file (- for stdout) instead of showing QR codes.",
)
def phyphox(
    broker: str,
    username: str | None,
    pw: str | None,
    password_file: Path | None,
    phone: str | None,
    file: Path | None,
) -> None:
    """Make an experiment for the app phyphox, which then sends to the broker.

    Without -o it is shown as QR codes, as many as the width of the terminal asks for. User name and password become
    part of the experiment.
    """
    from streamer.address import parse_broker, read_password
    from streamer.phyphox.experiment import experiment

    warn_of_password()
    address = parse_broker(broker, username=username, password=read_password(pw, password_file))
    _check_reachable(address.host)
    content = experiment(address, phone)
    if file is None:
        _show(content)
    else:
        _write(content, file)


def _check_reachable(host: str) -> None:
    from ipaddress import ip_address

    try:
        is_here = ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        is_here = host == "embedded" or host.rstrip(".").lower() == "localhost"
    if is_here:
        raise HarError(f"A phone does not reach this computer as {host}; give its address in your network to --broker.")


def _write(content: bytes, path: Path) -> None:
    try:
        with click.open_file(str(path), "wb") as file:
            file.write(content)
    except OSError as error:
        raise HarError(f"The file {path} cannot be written ({error.strerror}); give another -o.") from error


def _show(content: bytes) -> None:
    from streamer.phyphox.experiment import qr_payloads
    from streamer.phyphox.qr import most_bytes, qr_lines

    is_terminal = sys.stdout.isatty()
    payloads = qr_payloads(content, most_bytes(shutil.get_terminal_size().columns))
    for number, payload in enumerate(payloads, 1):
        click.echo("\n".join(qr_lines(payload, colour=is_terminal)), color=is_terminal)
        click.echo(f"QR code {number} of {len(payloads)}. {HOW_TO if number == 1 else ''}".rstrip())
        if is_terminal and sys.stdin.isatty() and number < len(payloads):
            click.pause("Scan it, then press any key for the next one.")
