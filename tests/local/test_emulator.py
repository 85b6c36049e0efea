"""What the local run adds to the emulator: it comes back with its data, and lets in whom it should, nobody else."""

import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Stack, running_stack
from tests.end_to_end.chatter import Chatter, fresh_room
from tests.local.conftest import emulator_of, processes_in, until

LISTENING = "0A"  # /proc/net/tcp


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tmp")


@pytest.fixture(scope="module")
def mortal(temporary: Path) -> Iterator[Stack]:
    """A run whose emulator may be killed."""
    with running_stack(
        "--no-watch", "--config", 'allowed_origins=["https://friend.example"]', temporary=temporary
    ) as run:
        yield run


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_a_dead_emulator_comes_back_with_all_that_was_acknowledged(
    mortal: Stack, temporary: Path, how: signal.Signals
) -> None:
    room = fresh_room()
    with Chatter(mortal.websocket_url) as ada:
        ada.joins(room, "Ada")
        said = [ada.sends(f"number {number}") for number in range(5)]
        os.kill(emulator_of(temporary), how)
        ada.is_closed_with()
    with Chatter(mortal.websocket_url) as again:  # at once: who comes before it is back waits
        assert again.joins(room, "Ada", after=0)["lastSeq"] == said[-1]["seq"]
        assert [one["messageId"] for one in again.reads_all()] == [one["messageId"] for one in said]
        assert again.sends("after")["seq"] == said[-1]["seq"] + 1
    mortal.says("It is back")
    with urllib.request.urlopen(f"{mortal.site_url}/config.json", timeout=10) as page:
        assert mortal.websocket_url in page.read().decode()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_page_may_be_opened_under_both_names(mortal: Stack, host: str) -> None:
    origin = mortal.site_url.replace("127.0.0.1", host)
    with Chatter(mortal.websocket_url, origin=origin) as page:
        assert page.pings()["type"] == "pong"


def test_origins_that_are_given_are_let_in_as_well(mortal: Stack) -> None:
    with Chatter(mortal.websocket_url, origin="https://friend.example") as friend:
        assert friend.pings()["type"] == "pong"


def test_the_pages_port_is_the_same_at_each_start(mortal: Stack) -> None:
    port = int(mortal.endpoint_url.rpartition(":")[2])
    assert mortal.site_url == f"http://127.0.0.1:{port + 1000 if port + 1000 <= 65535 else port - 1000}"


def test_nothing_listens_to_the_network(mortal: Stack, temporary: Path) -> None:
    until(lambda: processes_in(temporary), "the emulator lives")
    of_ours = set()
    for pid in (mortal.process.pid, *processes_in(temporary)):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            of_ours.add(str(descriptor.readlink()))
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in of_ours:
                listening.append(fields[1])
    loopback = socket.inet_aton("127.0.0.1")[::-1].hex().upper()
    assert len(listening) == 2, listening
    assert all(address.startswith(loopback) for address in listening), listening
