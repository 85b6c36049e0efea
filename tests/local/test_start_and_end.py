"""However a run starts and ends, it says so in sentences and leaves nothing behind."""

import os
import re
import signal
import urllib.request
from collections.abc import Callable

import pytest

from tests.conftest import free_port
from tests.local.conftest import LocalProcess, processes_in, until

Begin = Callable[..., LocalProcess]
READY = "The chat is ready"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP], ids=lambda how: how.name)
def test_a_run_that_is_told_to_stop_ends_with_0(begin: Begin, how: signal.Signals) -> None:
    run = begin()
    until(lambda: READY in run.said(), "ready")
    run.process.send_signal(how)
    assert run.wait() == 0
    assert "Stopped. Nothing is left behind." in run.said()
    run.leaves_nothing()


MOMENTS: dict[str, Callable[[LocalProcess], object]] = {
    "its handlers are set": LocalProcess.handles_signals,
    "its folder exists": lambda run: list(run.temporary.iterdir()),
    "the emulator starts": lambda run: processes_in(run.temporary),
    "the emulator serves": lambda run: list(run.temporary.glob("*/journal")),
    "objects are uploaded": lambda run: list(run.temporary.glob("*/state/s3/*")),
    "all is saved": lambda run: list(run.temporary.glob("*/state/*.json")),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_can_be_stopped_at_every_moment_of_its_start(begin: Begin, moment: str) -> None:
    run = begin()
    until(lambda: MOMENTS[moment](run), moment)
    os.killpg(run.process.pid, signal.SIGINT)  # as a terminal does: the whole group
    os.killpg(run.process.pid, signal.SIGINT)  # impatient
    assert run.wait() == 0, run.said()
    run.leaves_nothing()


def test_a_run_that_is_killed_takes_the_emulator_and_its_workers_along(begin: Begin) -> None:
    run = begin()
    until(lambda: READY in run.said(), "ready")
    assert processes_in(run.temporary)
    run.process.kill()
    run.wait()
    run.leaves_nothing()


def test_a_taken_port_is_skipped(begin: Begin) -> None:
    port = free_port()
    first = begin(port=port)
    until(lambda: READY in first.said(), "ready")
    second = begin(port=port)
    until(lambda: READY in second.said(), "ready beside the first")
    assert f"Port {port} is taken; using " in second.said()
    second.process.terminate()
    assert second.wait() == 0
    second.leaves_nothing()
    address = re.search(r"http://127\.0\.0\.1:\d+", first.said())
    assert address
    with urllib.request.urlopen(address[0], timeout=10) as page:
        assert page.status == 200


@pytest.mark.parametrize(
    ("command_line", "options"),
    [
        ("exec {} >&-", []),
        ("exec {} <&- >&- 2>&-", []),
        ("exec {} --json | true", []),
    ],
    ids=["no standard output", "no streams at all", "a reader that has gone"],
)
def test_nobody_needs_to_read_its_output(begin: Begin, command_line: str, options: list[str]) -> None:
    run = begin(*options, command_line=command_line)
    until(lambda: list(run.temporary.glob("*/state/*.json")), "ready")
    os.killpg(run.process.pid, signal.SIGTERM)
    run.wait()
    run.leaves_nothing()


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        ("no_such_key=1", "Config no_such_key is unknown"),
        ("allowed_origins=everybody", "Config allowed_origins must be a list of strings, not 'everybody'."),
    ],
)
def test_wrong_config_is_refused_in_one_sentence(begin: Begin, pair: str, sentence: str) -> None:
    run = begin("--config", pair)
    assert run.wait() == 1
    assert sentence in run.said()
    assert len(run.said().strip().splitlines()) == 1
    run.leaves_nothing()


@pytest.mark.parametrize("options", [("--port", "65536"), ("--config", "no-value")])
def test_wrong_options_are_refused_with_the_usage(begin: Begin, options: tuple[str, ...]) -> None:
    run = begin(*options)
    assert run.wait() == 2
    assert run.said().startswith("usage: python -m local")
    run.leaves_nothing()


def test_a_full_disk_is_reported_before_anything_is_started(begin: Begin) -> None:
    run = begin(command_line="ulimit -f 100; exec {}")  # a file can be created but not filled, as on a full disk
    assert run.wait() == 1
    assert "has no room for temporary files" in run.said()
    assert "set TMPDIR to another folder" in run.said()
    assert len(run.said().strip().splitlines()) == 1
    run.leaves_nothing()
