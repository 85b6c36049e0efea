"""Starting, watching and ending the emulator. It knows nothing of the program that is put into it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HOST = "127.0.0.1"
REGION = "us-east-1"
SERVICES = "apigateway,budgets,cloudfront,cloudwatch,dynamodb,execute-api,iam,lambda,logs,s3,sns,sts"
START_SECONDS = 30
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
"""The emulator's root user. The functions have roles of their own, which are enforced."""


class EmulatorFailed(Exception):  # noqa: N818 - said to a person, in one sentence
    """The emulator could not be started; the text says why."""


def free_port(wanted: int, *, tries: int = 100) -> int:
    """Return `wanted`, or the next port above it that nobody listens on; 0 asks the system for any."""
    for port in range(wanted, wanted + tries) if wanted else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except (OSError, OverflowError):
                continue
            return probe.getsockname()[1]
    raise EmulatorFailed(f"No port from {wanted} to {wanted + tries - 1} is free; choose another with --port.")


class Emulator:
    """MiniStack on 127.0.0.1, with its data in a folder that goes with it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self._folder = Path(tempfile.mkdtemp(prefix="serverless-chat-"))
        self._log = self._folder / "emulator.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers. Raises EmulatorFailed."""
        state = self._folder / "state"
        temporary = self._folder / "tmp"
        for folder in (state, temporary):
            folder.mkdir(exist_ok=True)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "localhost",
            "SERVICES": SERVICES,
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(state),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(state / "s3"),
            "TMPDIR": str(temporary),
            "LOG_LEVEL": "WARNING",
            "PYTHONDONTWRITEBYTECODE": "1",
            "MINISTACK_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.emulated_aws"],
                cwd=Path(__file__).resolve().parent.parent,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours to handle
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.is_running():
                raise EmulatorFailed(f"The emulator ended at once. Its last words:\n{self.last_words()}")
            try:
                with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=1):  # noqa: S310 - our own address
                    return
            except urllib.error.HTTPError:
                return  # it answers
            except OSError:
                time.sleep(0.03)
        raise EmulatorFailed(f"The emulator did not answer within {START_SECONDS} s.")

    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def last_words(self, lines: int = 5) -> str:
        """Return the end of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return self._process.pid if self._process else None

    def end(self) -> None:
        """End it with all that it started."""
        if self._process is None:
            return
        for how, seconds in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
            try:
                os.killpg(self._process.pid, how)
            except ProcessLookupError:
                break
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._kill_group()

    def _kill_group(self) -> None:
        """Kill what the process has left behind of its group: the functions' workers."""
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def clear_up(self) -> None:
        """End it and delete its data."""
        self.end()
        shutil.rmtree(self._folder, ignore_errors=True)
