"""Starts `python -m local` as a child process, for tests and documentation that need a running chat."""

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

from local import ROOT
from local.errors import LocalRunError

START_SECONDS = 90.0
STOP_SECONDS = 30.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Stack:
    """A running `python -m local` and its outputs."""

    process: subprocess.Popen[bytes]
    outputs: dict[str, Any]
    log: Path
    """File with its terminal output."""

    @property
    def websocket_url(self) -> str:
        """URL of the WebSocket."""
        return self.outputs["websocket_url"]

    @property
    def site_url(self) -> str:
        """URL of the page."""
        return self.outputs["site_url"]

    @property
    def endpoint_url(self) -> str:
        """URL of the emulator."""
        return self.outputs["emulator"]["endpoint_url"]

    @property
    def credentials(self) -> dict[str, Any]:
        """Credentials of the emulator's root user and its region, as boto3's keyword arguments."""
        given = self.outputs["emulator"]
        return {
            "aws_access_key_id": given["access_key_id"],
            "aws_secret_access_key": given["secret_access_key"],
            "region_name": given["region"],
        }

    def client(self, service: str) -> Any:
        """Return a boto3 client for the emulator's root user."""
        import boto3  # noqa: PLC0415 - takes half a second, and not every caller needs it

        make: Any = boto3.client
        return make(service, endpoint_url=self.endpoint_url, **self.credentials)

    def terminal_output(self) -> str:
        """Return the terminal output so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for_output(self, text: str, seconds: float = 30.0) -> str:
        """Wait until the terminal output contains a text; return all of it. Raises LocalRunError after `seconds`."""
        deadline = time.monotonic() + seconds
        while text not in (output := self.terminal_output()):
            if time.monotonic() > deadline:
                raise LocalRunError(f"{text!r} did not appear within {seconds:g} s:\n{output}")
            time.sleep(_POLL_SECONDS)
        return output

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, by default that of Ctrl-C; return the exit status."""
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
    """Start `python -m local --json` in a checkout and wait for its outputs.

    `temporary` is its TMPDIR; port 0 is any free port. Raises LocalRunError with its terminal output if it does not
    start.
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
        output = log.read_text(encoding="utf-8", errors="replace")
        log.unlink()
        raise LocalRunError(f"the local stack did not start:\n{output}")
    return Stack(process, json.loads(line), log)


def _first_line(process: subprocess.Popen[bytes]) -> bytes | None:
    """Return the line with the outputs, or None if the process ends first or exceeds START_SECONDS."""
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
    """Start a stack and stop it on exit. Raises LocalRunError if it does not stop cleanly."""
    stack = start_stack(*options, **places)
    try:
        yield stack
    finally:
        status = stack.stop()
        output = stack.terminal_output()
        stack.log.unlink()
    if status or "Traceback" in output:
        raise LocalRunError(f"the local stack ended with status {status}:\n{output}")
