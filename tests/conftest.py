"""The local stack, started once for all tests that need real sockets."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ARGUMENTS, executable

# A busy machine is no bug of the code under test.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Stack:
    """A running `python -m local`, and its outputs."""

    process: subprocess.Popen[bytes]
    outputs: dict[str, Any]
    endpoint_url: str
    log: Path

    @property
    def websocket_url(self) -> str:
        return self.outputs["websocket_url"]

    @property
    def site_url(self) -> str:
        return self.outputs["site_url"]

    def client(self, service: str) -> Any:
        """Return a boto3 client of the emulator, as its root user."""
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Stop it as a person would; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(30)

    def said(self) -> str:
        """Return what it has told the person at the terminal."""
        return self.log.read_text(errors="replace")

    def says(self, text: str, seconds: float = 30) -> str:
        """Wait until it has told the person something; return all that it has told."""
        deadline = time.monotonic() + seconds
        while text not in self.said():
            assert time.monotonic() < deadline, f"no {text!r} within {seconds} s, only:\n{self.said()}"
            time.sleep(0.02)
        return self.said()


def start_stack(*options: str, port: int | None = None, cwd: Path = ROOT, temporary: Path | None = None) -> Stack:
    """Start `python -m local --json` in a checkout and wait for its outputs; `temporary` is its TMPDIR."""
    port = port or free_port()
    handle, name = tempfile.mkstemp(prefix="local-run-", suffix=".log")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **({"TMPDIR": str(temporary)} if temporary else {})}
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "--port", str(port), "--json", *options],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=handle,
        env=environment,
    )
    os.close(handle)
    log = Path(name)
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        piece = os.read(process.stdout.fileno(), 65536) if ready else b""
        if not piece:
            process.kill()
            process.wait()
            said = log.read_text()
            log.unlink()
            raise AssertionError(f"the local stack did not start:\n{said}")
        line += piece
    outputs = json.loads(line)
    endpoint = "http://" + outputs["websocket_url"].split("/")[2]
    return Stack(process, outputs, endpoint, log)


@contextmanager
def running_stack(*options: str, **places: Any) -> Iterator[Stack]:
    """Start the local stack, and see it end as it should."""
    running = start_stack(*options, **places)
    try:
        yield running
    finally:
        status = running.stop()
        said = running.said()
        running.log.unlink()
    assert status == 0, said
    assert "Traceback" not in said, said


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack("--no-watch") as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what needs a browser last, in whatever order it is: Playwright's event loop then keeps this thread."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))
