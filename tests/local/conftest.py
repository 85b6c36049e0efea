"""A checkout of the test's own, in which files may be saved and broken, and runs whose traces are looked for."""

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
PROGRAM = ("__main__.py", "Pulumi.yaml", "README.md", "components", "functions", "frontend", "local")


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
    """Return the emulator's process: the one whose folder is named on its command line."""
    return next(pid for pid in processes_in(temporary) if b"emulated_aws" in Path(f"/proc/{pid}/cmdline").read_bytes())


@dataclass
class Bare:
    """A run that is watched from its first moment on, whatever becomes of it."""

    process: subprocess.Popen[bytes]
    temporary: Path
    log: Path

    def hears_signals(self) -> bool:
        """Tell whether the process has set its handlers; before that, Python's own start ends it."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
        return False

    def ends(self) -> int:
        """Wait for its end; return its exit status."""
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise AssertionError(f"it does not end; its threads are at:\n{self.said()}") from None

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def leaves_nothing(self) -> None:
        until(lambda: not processes_in(self.temporary), f"processes end: {processes_in(self.temporary)}")
        until(lambda: not list(self.temporary.iterdir()), f"folders go: {list(self.temporary.iterdir())}")
        assert "Traceback" not in self.said(), self.said()


@pytest.fixture
def begins(tmp_path: Path) -> Iterator[Callable[..., Bare]]:
    """Start a run, and wait for nothing."""
    begun: list[Bare] = []

    def begin(*options: str, shell: str = "exec {}", port: int | None = None) -> Bare:
        place = tmp_path / str(len(begun))
        (place / "tmp").mkdir(parents=True)
        log = place / "log"
        port = free_port() if port is None else port
        command = " ".join([sys.executable, "-m local --no-watch --port", str(port), *options])
        with log.open("wb") as written:
            process = subprocess.Popen(
                ["/bin/sh", "-c", shell.format(command)],
                cwd=ROOT,
                env={
                    **{name: value for name, value in os.environ.items() if name.lower() != "no_proxy"},
                    "TMPDIR": str(place / "tmp"),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "PYTHONFAULTHANDLER": "1",
                    "http_proxy": "http://127.0.0.1:9",  # an office's proxy, which knows nothing of this machine
                },
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                start_new_session=True,
            )
        begun.append(Bare(process, place / "tmp", log))
        return begun[-1]

    yield begin
    for one in begun:
        if one.process.poll() is None:
            one.process.terminate()
            one.ends()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program, in which files may be saved."""
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
    """A run of the copy that looks for saved files."""
    (checkout / "tmp").mkdir()
    with running_stack(cwd=checkout, temporary=checkout / "tmp") as running:
        yield running
