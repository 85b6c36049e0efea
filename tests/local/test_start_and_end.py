"""However a run starts and ends, it reports this in sentences and leaves nothing behind."""

import os
import re
import signal
import urllib.request
from collections.abc import Callable

import pytest

from tests.conftest import free_port, wait_until
from tests.local.conftest import LocalProcess, processes_in

StartRun = Callable[..., LocalProcess]
READY = "The chat is ready"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP], ids=lambda how: how.name)
def test_sigterm_and_sighup_stop_a_run_with_status_0(start_run: StartRun, how: signal.Signals) -> None:
    run = start_run()
    wait_until(lambda: READY in run.output(), "ready")
    run.process.send_signal(how)
    assert run.wait() == 0
    assert "Stopped. Nothing is left behind." in run.output()
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
def test_a_run_can_be_stopped_at_any_moment_of_its_start(start_run: StartRun, moment: str) -> None:
    run = start_run()
    wait_until(lambda: MOMENTS[moment](run), moment)
    os.killpg(run.process.pid, signal.SIGINT)  # as a terminal does, to the whole process group
    os.killpg(run.process.pid, signal.SIGINT)  # pressed twice
    assert run.wait() == 0, run.output()
    run.leaves_nothing()


def test_killing_a_run_also_ends_the_emulator_and_its_workers(start_run: StartRun) -> None:
    run = start_run()
    wait_until(lambda: READY in run.output(), "ready")
    assert processes_in(run.temporary)
    run.process.kill()
    run.wait()
    run.leaves_nothing()


def test_a_taken_port_is_skipped(start_run: StartRun) -> None:
    port = free_port()
    first = start_run(port=port)
    wait_until(lambda: READY in first.output(), "ready")
    second = start_run(port=port)
    wait_until(lambda: READY in second.output(), "ready beside the first")
    assert f"Port {port} is taken; using " in second.output()
    second.process.terminate()
    assert second.wait() == 0
    second.leaves_nothing()
    address = re.search(r"http://127\.0\.0\.1:\d+", first.output())
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
def test_a_run_does_not_depend_on_a_reader_of_its_output(
    start_run: StartRun, command_line: str, options: list[str]
) -> None:
    run = start_run(*options, command_line=command_line)
    wait_until(lambda: list(run.temporary.glob("*/state/*.json")), "ready")
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
def test_invalid_config_is_reported_in_one_sentence(start_run: StartRun, pair: str, sentence: str) -> None:
    run = start_run("--config", pair)
    assert run.wait() == 1
    assert sentence in run.output()
    assert len(run.output().strip().splitlines()) == 1
    run.leaves_nothing()


@pytest.mark.parametrize("options", [("--port", "65536"), ("--config", "no-value")])
def test_invalid_options_print_the_usage(start_run: StartRun, options: tuple[str, ...]) -> None:
    run = start_run(*options)
    assert run.wait() == 2
    assert run.output().startswith("usage: python -m local")
    run.leaves_nothing()


def test_a_full_disk_is_reported_before_anything_starts(start_run: StartRun) -> None:
    run = start_run(command_line="ulimit -f 100; exec {}")  # files can be created but not filled, as on a full disk
    assert run.wait() == 1
    assert "has no space for temporary files" in run.output()
    assert "set TMPDIR to another folder" in run.output()
    assert len(run.output().strip().splitlines()) == 1
    run.leaves_nothing()
