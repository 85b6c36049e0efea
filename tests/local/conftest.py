"""Runs of `python -m local` whose traces are looked for, and a checkout whose files may be edited."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT, Stack, free_port, running_stack

SECONDS = 60.0
PROGRAM = ("__main__.py", "Pulumi.yaml", "README.md", "chat_stack", "components", "functions", "frontend", "local")


def until(true: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Wait for something, with a deadline."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def processes_in(folder: Path) -> list[int]:
    """Return the processes that were started with a folder below this one, or work in one: emulator and workers."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            place = str((process / "cwd").readlink())
        except OSError:
            continue  # it has ended meanwhile
        if f"--folder\0{folder}".encode() in command or place.startswith(str(folder)):
            found.append(int(process.name))
    return found


def emulator_of(temporary: Path) -> int:
    """Return the emulator's process: the one that has its folder on its command line."""
    return next(pid for pid in processes_in(temporary) if b"emulated_aws" in Path(f"/proc/{pid}/cmdline").read_bytes())


@dataclass
class LocalProcess:
    """A run that is watched from its first moment on, whatever becomes of it."""

    process: subprocess.Popen[bytes]
    temporary: Path
    log: Path

    def handles_signals(self) -> bool:
        """Return whether it has set its signal handlers; before that a signal ends it as it does any process."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
        return False

    def wait(self) -> int:
        """Wait until it ends; return its exit status."""
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise AssertionError(f"it does not end; its threads are at:\n{self.said()}") from None

    def said(self) -> str:
        return self.log.read_text(errors="replace", encoding="utf-8")

    def leaves_nothing(self) -> None:
        until(lambda: not processes_in(self.temporary), f"processes end: {processes_in(self.temporary)}")
        until(lambda: not list(self.temporary.iterdir()), f"folders go: {list(self.temporary.iterdir())}")
        assert "Traceback" not in self.said(), self.said()


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., LocalProcess]]:
    """Start a run and wait for nothing."""
    begun: list[LocalProcess] = []

    def started(*options: str, command_line: str = "exec {}", port: int | None = None) -> LocalProcess:
        place = tmp_path / str(len(begun))
        (place / "tmp").mkdir(parents=True)
        log = place / "log"
        port = free_port() if port is None else port
        command = " ".join([sys.executable, "-m local --no-watch --port", str(port), *options])
        with log.open("wb") as written:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command_line.format(command)],
                cwd=ROOT,
                env={
                    **{name: value for name, value in os.environ.items() if name.lower() != "no_proxy"},
                    "TMPDIR": str(place / "tmp"),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "PYTHONFAULTHANDLER": "1",
                    "http_proxy": "http://127.0.0.1:9",  # an office's proxy, which cannot reach this machine
                },
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                start_new_session=True,
            )
        begun.append(LocalProcess(process, place / "tmp", log))
        return begun[-1]

    yield started
    for one in begun:
        if one.process.poll() is None:
            one.process.terminate()
            one.wait()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program whose files may be edited."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in PROGRAM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, folder / name)
    return folder


@pytest.fixture(scope="module")
def watching(checkout: Path) -> Iterator[Stack]:
    """A run of the copy that deploys what is saved."""
    (checkout / "tmp").mkdir()
    with running_stack(cwd=checkout, temporary=checkout / "tmp") as running:
        yield running
