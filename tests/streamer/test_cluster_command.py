"""``har-stream cluster init`` and ``run``, and what listeners of partitions refuse."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from model.errors import HarError
from streamer.broker import nats_server
from streamer.cli import cli
from tests.processes import assert_one_sentence, run

NODES = "a.example,b.example:1884,[::1]:1885"


def test_the_brokers_accept_what_is_written_and_secrets_are_the_owner_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    tls = ["--cert", "/etc/ssl/node.pem", "--key", "/etc/ssl/node.key", "--cafile", "/etc/ssl/ca.pem"]
    for flags in ([], ["--root", "home/my.har", "--anonymous", "--store", "/var/lib/har store"]):
        made = run("streamer", "cluster", "init", folder, "--nodes", NODES, *flags)
        assert made.returncode == 0, made.stderr
        for node in range(3):
            words = [str(nats_server()), "-t", "-c", str(folder / f"node-{node}.conf")]
            tried = subprocess.run(words, capture_output=True, text=True, check=False)
            assert tried.returncode == 0, tried.stderr
        folder = tmp_path / "other"
    encrypted = run("streamer", "cluster", "init", tmp_path / "tls", "--nodes", NODES, *tls)
    assert encrypted.returncode == 0
    assert (tmp_path / "tls" / "node-0.conf").read_text().count('cert_file: "/etc/ssl/node.pem"') == 2
    secret = [*folder.glob("*.conf"), *folder.glob("*.password")]
    assert len(secret) == 7
    assert {path.stat().st_mode & 0o777 for path in secret} == {0o600}
    passwords = {path.read_text() for path in folder.glob("*.password")}
    assert len(passwords | {path.read_text() for path in (tmp_path / "made").glob("*.password")}) == 8
    cli.main(["cluster", "init", str(folder), "--nodes", "a", "--again"], standalone_mode=False)
    assert {path.read_text() for path in folder.glob("*.password")} == passwords


def refuse(*arguments: object) -> str:
    """The sentence in which a command refuses."""
    with pytest.raises(HarError) as error:
        cli.main([str(argument) for argument in arguments], standalone_mode=False)
    return str(error.value)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--nodes", "a,b"], "Two nodes cannot outvote a dead one"),
        (["--nodes", "a,a:1883,b"], "there twice"),
        (["--nodes", "mqtts://a"], "leave out scheme"),
        (["--nodes", "a:x"], "not a number"),
        (["--nodes", "a,a:2,a:3", "--route-port", "65534"], "beyond 65535"),
        (["--nodes", "a", "--cert", "c.pem"], "--cert and --key"),
        (["--nodes", "a", "--root", "x y"], "--root"),
    ],
)
def test_what_no_cluster_can_be_made_of_is_told_in_a_sentence(tmp_path: Path, flags: list[str], told: str) -> None:
    assert told in refuse("cluster", "init", tmp_path / "made", *flags)
    assert not (tmp_path / "made").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    assert_one_sentence(run("streamer", "cluster", "init", tmp_path, "--nodes", "a"), "not empty")
    assert "no passwords to keep" in refuse("cluster", "init", tmp_path, "--nodes", "a", "--again")
    assert "no node 0" in refuse("cluster", "run", tmp_path, "--node", 0)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--partition", "3/3"], "0 to 2"),
        (["--partition", "0/3", "--topic", "x/#"], "--topic"),
        (["--partition", "0/3", "--id", "me"], "--id"),
        (["--partition", "0/3", "--qos", "0"], "--qos"),
        (["--partition", "0/3", "-V", "5"], "--protocol-version"),
        (["--partition", "0/3", "--broker", "embedded"], "no cluster"),
        (["--broker", "embedded", "--broker", "localhost"], "no cluster"),
    ],
)
def test_a_listener_of_partitions_refuses_what_contradicts_it(flags: list[str], told: str) -> None:
    assert told in refuse("listen", *flags)
