"""Starting, watching and ending the emulator. It knows nothing of the program that is put into it."""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
REGION = "us-east-1"
SERVICES = "apigateway,budgets,cloudfront,cloudwatch,dynamodb,execute-api,iam,lambda,logs,s3,sns,sts"
START_SECONDS = 60
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
"""The emulator's root user. The functions have roles of their own, which are enforced."""

_SAVE_SECONDS = 30
_END_SECONDS = 10
_MAX_PORT = 65535


class EmulatorFailed(Exception):  # noqa: N818 - said to a person, in one sentence
    """The emulator could not be started; the text says why."""


def listening_socket(wanted: int, *, tries: int = 100) -> socket.socket:
    """Return a socket that listens on `wanted`, or on the next port above it that is free; 0 asks the system for any.

    It is held from here on: no other run can take the port, and whoever connects before it is served waits.
    """
    for port in range(wanted, min(wanted + tries, _MAX_PORT + 1)) if wanted else [0]:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen(100)
        except OSError:
            listening.close()
            continue
        return listening
    raise EmulatorFailed(f"No port from {wanted} to {wanted + tries - 1} is free; choose another with --port.")


class Emulator:
    """MiniStack on 127.0.0.1, on a port or the next free one, with its data in a folder that goes with it.

    Raises EmulatorFailed where there is no port, or no place for the folder.
    """

    def __init__(self, port: int) -> None:
        self._listening = listening_socket(port)
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="serverless-chat-"))
        except OSError as error:
            raise EmulatorFailed(f"There is no place for temporary files: {error.strerror}. Set TMPDIR.") from None
        self._log = self._folder / "emulator.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = -1
        self._lock = threading.Lock()
        self._cleared = False

    def start(self) -> None:
        """Start it and wait until it serves. Raises EmulatorFailed."""
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start it, without waiting. Raises EmulatorFailed once it was cleared up."""
        with self._lock:
            if self._cleared:
                raise EmulatorFailed("The emulator was ended.")
            self._ready, told = os.pipe()
            try:
                self._process = self._spawn(told)
            finally:
                os.close(told)

    def wait(self) -> None:
        """Wait until it serves. Raises EmulatorFailed."""
        try:
            answered, _, _ = select.select([self._ready], [], [], START_SECONDS)
            if not answered:
                raise EmulatorFailed(f"The emulator did not answer within {START_SECONDS} s.")
            if not os.read(self._ready, 1):
                raise EmulatorFailed(f"The emulator ended at once. Its last words:\n{self.last_words()}")
        finally:
            os.close(self._ready)

    def _spawn(self, told: int) -> subprocess.Popen[bytes]:
        state, temporary = self._folder / "state", self._folder / "tmp"
        for folder in (state, temporary):
            folder.mkdir(exist_ok=True)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
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
            # Both would listen on ports of their own, and to the whole network.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
        listening = self._listening.fileno()
        command = [sys.executable, "-m", "local.emulated_aws", "--folder", str(self._folder)]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*command, "--socket", str(listening), "--ready", str(told)],
                cwd=Path(__file__).resolve().parent.parent,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(listening, told),
                start_new_session=True,  # Ctrl-C is ours to handle
            )

    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process's id, which is its group's too."""
        return self._process.pid if self._process else None

    def save(self) -> None:
        """Have it keep all that it holds, so that it has it when it is started again. Raises OSError."""
        request = urllib.request.Request(f"{self.url}/_local/save", method="POST")  # noqa: S310 - our own address
        urllib.request.urlopen(request, timeout=_SAVE_SECONDS).close()  # noqa: S310

    def last_words(self, lines: int = 5) -> str:
        """Return the end of its log."""
        try:
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def end(self) -> None:
        """End it at once with all that it started: the functions' workers are of its group. Its data is saved."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        if self._process.stdin is not None:
            self._process.stdin.close()

    def clear_up(self) -> None:
        """End it for good and delete its data."""
        with self._lock:
            self._cleared = True
            self.end()
        shutil.rmtree(self._folder, ignore_errors=True)
