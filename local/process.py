"""`python -m local` as a process of its own: for the tests, the pictures, and whatever else needs a running chat."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.errors import LocalRunError

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90.0
STOP_SECONDS = 30.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Stack:
    """A running `python -m local`, and its outputs."""

    process: subprocess.Popen[bytes]
    outputs: dict[str, Any]
    log: Path
    """What it tells the person at the terminal."""

    @property
    def websocket_url(self) -> str:
        """The address of the WebSocket."""
        return self.outputs["websocket_url"]

    @property
    def site_url(self) -> str:
        """The address of the page."""
        return self.outputs["site_url"]

    @property
    def endpoint_url(self) -> str:
        """The address of the emulator."""
        return self.outputs["emulator"]["endpoint_url"]

    @property
    def credentials(self) -> dict[str, Any]:
        """The emulator's root user and region, as boto3 takes them."""
        given = self.outputs["emulator"]
        return {
            "aws_access_key_id": given["access_key_id"],
            "aws_secret_access_key": given["secret_access_key"],
            "region_name": given["region"],
        }

    def client(self, service: str) -> Any:
        """Return a boto3 client of the emulator, as its root user."""
        import boto3  # noqa: PLC0415 - half a second that not every user of a stack needs

        make: Any = boto3.client
        return make(service, endpoint_url=self.endpoint_url, **self.credentials)

    def said(self) -> str:
        """Return what it has told the person at the terminal."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def says(self, text: str, seconds: float = 30.0) -> str:
        """Wait until it has told the person something; return all it has told. Raises LocalRunError."""
        deadline = time.monotonic() + seconds
        while text not in (said := self.said()):
            if time.monotonic() > deadline:
                raise LocalRunError(f"no {text!r} within {seconds:g} s, only:\n{said}")
            time.sleep(_POLL_SECONDS)
        return said

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Stop it as a person would; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(STOP_SECONDS)


def start_stack(
    *options: str,
    port: int = 0,
    cwd: Path = ROOT,
    temporary: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Stack:
    """Start `python -m local --json` in a checkout and wait for its outputs; `temporary` is its TMPDIR.

    Port 0 is any free one. Raises LocalRunError with what it said if it does not start.
    """
    handle, name = tempfile.mkstemp(prefix="local-run-", suffix=".log")
    log = Path(name)
    places = {"TMPDIR": str(temporary)} if temporary else {}
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "--port", str(port), "--json", *options],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=handle,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1", **places},
    )
    os.close(handle)
    line = _first_line(process)
    if line is None:
        process.kill()
        process.wait()
        said = log.read_text(encoding="utf-8", errors="replace")
        log.unlink()
        raise LocalRunError(f"the local stack did not start:\n{said}")
    return Stack(process, json.loads(line), log)


def _first_line(process: subprocess.Popen[bytes]) -> bytes | None:
    """Return the outputs' line, or None if the process ends or takes too long before it."""
    if process.stdout is None:
        return None
    deadline = time.monotonic() + START_SECONDS
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        piece = os.read(process.stdout.fileno(), 65536) if ready else b""
        if not piece:
            return None
        line += piece
    return line


@contextmanager
def running_stack(*options: str, **places: Any) -> Iterator[Stack]:
    """Run a stack for a while. Raises LocalRunError if it does not stop cleanly."""
    stack = start_stack(*options, **places)
    try:
        yield stack
    finally:
        status = stack.stop()
        said = stack.said()
        stack.log.unlink()
    if status or "Traceback" in said:
        raise LocalRunError(f"the local stack ended with status {status}:\n{said}")
