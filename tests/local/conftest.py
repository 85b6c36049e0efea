"""Runs of `python -m local` that are checked for leftovers, and a checkout whose files tests may edit."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import ROOT, Stack, free_port, running_stack, wait_until

SECONDS = 60.0
PROGRAM = ("__main__.py", "Pulumi.yaml", "README.md", "chat_stack", "components", "functions", "frontend", "local")


def processes_in(folder: Path) -> list[int]:
    """Return the emulator and workers that run in or for a folder below this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            place = str((process / "cwd").readlink())
        except OSError:
            continue  # it has just ended
        if f"--folder\0{folder}".encode() in command or place.startswith(str(folder)):
            found.append(int(process.name))
    return found


def emulator_of(temporary: Path) -> int:
    """Return the emulator's process id."""
    return next(pid for pid in processes_in(temporary) if b"emulated_aws" in Path(f"/proc/{pid}/cmdline").read_bytes())


@dataclass
class LocalProcess:
    """A run that may not have started yet, or may fail to."""

    process: subprocess.Popen[bytes]
    temporary: Path
    log: Path

    def handles_signals(self) -> bool:
        """Return whether its signal handlers are set; until then a signal simply kills it."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
        return False

    def wait(self) -> int:
        """Wait until the process ends; return its exit status."""
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise AssertionError(f"the run does not end; its threads:\n{self.output()}") from None

    def output(self) -> str:
        return self.log.read_text(errors="replace", encoding="utf-8")

    def leaves_nothing(self) -> None:
        wait_until(lambda: not processes_in(self.temporary), f"all processes end: {processes_in(self.temporary)}")
        wait_until(
            lambda: not list(self.temporary.iterdir()), f"all folders are deleted: {list(self.temporary.iterdir())}"
        )
        assert "Traceback" not in self.output(), self.output()


@pytest.fixture
def start_run(tmp_path: Path) -> Iterator[Callable[..., LocalProcess]]:
    """Start a run without waiting for it."""
    runs: list[LocalProcess] = []

    def start(*options: str, command_line: str = "exec {}", port: int | None = None) -> LocalProcess:
        place = tmp_path / str(len(runs))
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
                    "http_proxy": "http://127.0.0.1:9",  # like a company's proxy, which cannot reach this machine
                },
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                start_new_session=True,
            )
        runs.append(LocalProcess(process, place / "tmp", log))
        return runs[-1]

    yield start
    for one in runs:
        if one.process.poll() is None:
            one.process.terminate()
            one.wait()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program whose files tests may edit."""
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
    """A run of the copy that deploys saved files."""
    (checkout / "tmp").mkdir()
    with running_stack(cwd=checkout, temporary=checkout / "tmp") as running:
        yield running


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of a foreign page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Blank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
