"""However a run begins and ends, it says so in sentences and leaves nothing behind."""

import os
import re
import signal
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from local.emulator import Emulator, EmulatorFailed
from tests.conftest import free_port
from tests.local.conftest import Bare, processes_in, until

Begins = Callable[..., Bare]
READY = "The chat is ready"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP], ids=lambda how: how.name)
def test_a_run_that_is_told_to_stop_ends_with_0(begins: Begins, how: signal.Signals) -> None:
    run = begins()
    until(lambda: READY in run.said(), "ready")
    run.process.send_signal(how)
    assert run.ends() == 0
    assert "Stopped. Nothing is left behind." in run.said()
    run.leaves_nothing()


MOMENTS: dict[str, Callable[[Bare], object]] = {
    "its handlers stand": Bare.hears_signals,
    "its folder is made": lambda run: list(run.temporary.iterdir()),
    "the emulator begins": lambda run: processes_in(run.temporary),
    "the emulator serves": lambda run: list(run.temporary.glob("*/journal")),
    "objects are uploaded": lambda run: list(run.temporary.glob("*/state/s3/*")),
    "all is saved": lambda run: list(run.temporary.glob("*/state/*.json")),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_can_be_stopped_at_every_moment_of_its_start(begins: Begins, moment: str) -> None:
    run = begins()
    until(lambda: MOMENTS[moment](run), moment)
    os.killpg(run.process.pid, signal.SIGINT)  # as a terminal does: the whole group
    os.killpg(run.process.pid, signal.SIGINT)  # impatient
    assert run.ends() == 0, run.said()
    run.leaves_nothing()


def test_a_run_that_is_killed_takes_the_emulator_and_its_workers_along(begins: Begins) -> None:
    run = begins()
    until(lambda: READY in run.said(), "ready")
    assert processes_in(run.temporary)
    run.process.kill()
    run.ends()
    run.leaves_nothing()


def test_a_taken_port_is_passed_over(begins: Begins) -> None:
    port = free_port()
    first = begins(port=port)
    until(lambda: READY in first.said(), "ready")
    second = begins(port=port)
    until(lambda: READY in second.said(), "ready beside the first")
    assert f"Port {port} is taken; using " in second.said()
    second.process.terminate()
    assert second.ends() == 0
    second.leaves_nothing()
    address = re.search(r"http://127\.0\.0\.1:\d+", first.said())
    assert address
    with urllib.request.urlopen(address[0], timeout=10) as page:
        assert page.status == 200


@pytest.mark.parametrize(
    ("shell", "options"),
    [
        ("exec {} >&-", []),
        ("exec {} <&- >&- 2>&-", []),
        ("exec {} --json | true", []),
    ],
    ids=["no standard output", "no streams at all", "a reader that has gone"],
)
def test_nobody_need_listen(begins: Begins, shell: str, options: list[str]) -> None:
    run = begins(*options, shell=shell)
    until(lambda: list(run.temporary.glob("*/state/*.json")), "ready")
    os.killpg(run.process.pid, signal.SIGTERM)
    run.ends()
    run.leaves_nothing()


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        ("no_such_key=1", "Config no_such_key is unknown"),
        ("allowed_origins=everybody", "Config allowed_origins must be a list of strings, not 'everybody'."),
    ],
)
def test_wrong_config_is_refused_in_one_sentence(begins: Begins, pair: str, sentence: str) -> None:
    run = begins("--config", pair)
    assert run.ends() == 1
    assert sentence in run.said()
    assert len(run.said().strip().splitlines()) == 1
    run.leaves_nothing()


@pytest.mark.parametrize("options", [("--port", "65536"), ("--config", "no-value")])
def test_wrong_options_are_refused_by_usage(begins: Begins, options: tuple[str, ...]) -> None:
    run = begins(*options)
    assert run.ends() == 2
    assert run.said().startswith("usage: python -m local")
    run.leaves_nothing()


def test_no_place_for_temporary_files_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(prefix: str) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    with pytest.raises(EmulatorFailed, match="no place for temporary files: Permission denied. Set TMPDIR"):
        Emulator(0)


def test_an_emulator_that_cannot_start_says_its_last_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))  # no Python starts with that
    emulator = Emulator(0)
    try:
        with pytest.raises(EmulatorFailed, match="ended at once. Its last words:\n.*"):
            emulator.start()
    finally:
        emulator.clear_up()
