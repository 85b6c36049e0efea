"""Starts, restarts and stops the emulator's process."""

import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local import ROOT
from local.environment import clean
from local.errors import EmulatorError
from local.gate import AUTHORIZATION_HEADER, SAVE_PATH
from local.invocations import Invocation

HOST = "127.0.0.1"
REGION = "us-east-1"
ACCOUNT = "000000000000"
MAX_PORT = 65535
SERVICES = (
    "apigateway,budgets,cloudfront,cloudwatch,cognito-idp,dynamodb,execute-api,iam,kms,lambda,logs,route53,s3,sns,sts"
)
START_SECONDS = 60
NEEDED_MB = 16
"""Disk space for the emulator's data: 2 MB at the start, the rest for messages."""
SECRETS_VARIABLE = "LOCAL_RUN_SECRETS"
"""Environment variable that passes the credentials and the save token to the emulator's process, as JSON."""

_SAVE_SECONDS = 30
_END_SECONDS = 10


@dataclass(frozen=True)
class Credentials:
    """Credentials of the emulator's root user, new for each run. Functions have roles, which it enforces."""

    access_key_id: str = field(default_factory=lambda: f"AKIA{secrets.token_hex(8).upper()}")
    secret_access_key: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)


def listening_socket(wanted: int, *, tries: int = 100) -> socket.socket:
    """Return a socket that listens on the port `wanted`, or the next free one; 0 is any free port.

    Clients that connect before the emulator serves wait. Raises EmulatorError if no port is free.
    """
    for port in range(wanted, min(wanted + tries, MAX_PORT + 1)) if wanted else [0]:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen(100)
        except OSError:
            listening.close()
            continue
        return listening
    raise EmulatorError(f"No port from {wanted} to {wanted + tries - 1} is free. Choose another with --port.")


def _new_folder(parent: Path | None) -> Path:
    """Create a folder with enough space for the emulator's data. Raises EmulatorError."""
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix="serverless-chat-", dir=parent))
        room = folder / "room"
        with room.open("wb") as file:
            # Not a sparse file: a quota may allow less than the free space.
            for _ in range(NEEDED_MB):
                file.write(bytes(1024 * 1024))
        room.unlink()
    except OSError as error:
        if folder is None:
            raise EmulatorError(f"Cannot create temporary files: {error.strerror}. Set TMPDIR.") from None
        shutil.rmtree(folder, ignore_errors=True)
        raise EmulatorError(
            f"{folder.parent} has no space for temporary files: {error.strerror}. The local run needs {NEEDED_MB} MB:"
            " free some, or set TMPDIR to another folder."
        ) from None
    return folder


class Emulator:
    """MiniStack on 127.0.0.1, with its data in a temporary folder that `close` deletes."""

    def __init__(
        self,
        port: int,
        *,
        environment: Mapping[str, str] = os.environ,
        temporary: Path | None = None,
        report: Callable[[Invocation], None] = lambda _: None,
    ) -> None:
        """Take a port and create the folder, in `temporary` or the system's default. Raises EmulatorError.

        `report` is called with each invocation of a function, from another thread.
        """
        self._listening = listening_socket(port)
        self.port: int = self._listening.getsockname()[1]
        """Port it listens on."""
        self.url = f"http://{HOST}:{self.port}"
        """Endpoint of every service."""
        self.credentials = Credentials()
        """Credentials for the deployer and the developer."""
        self._token = secrets.token_hex(20)
        self.starts = 0
        """Number of starts. Each start loses unsaved state except DynamoDB items."""
        try:
            self._folder = _new_folder(temporary)
        except EmulatorError:
            self._listening.close()
            raise
        self._environment = environment
        self._report = report
        self._log = self._folder / "emulator.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = -1
        self._lock = threading.Lock()
        self._closed = False
        self._serving = threading.Event()

    def start(self) -> None:
        """Start the emulator and wait until it serves. Raises EmulatorError."""
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start the emulator without waiting. Raises EmulatorError if it is closed."""
        with self._lock:
            if self._closed:
                raise EmulatorError("The emulator was closed.")
            self._serving.clear()
            self.starts += 1
            self._ready, started = os.pipe()
            reported, invocations = os.pipe()
            try:
                self._process = self._spawn(started, invocations)
            finally:
                os.close(started)
                os.close(invocations)
            threading.Thread(target=self._listen, args=(reported,), daemon=True).start()

    def wait(self) -> None:
        """Wait until the emulator serves. Raises EmulatorError if it does not within START_SECONDS."""
        try:
            answered, _, _ = select.select([self._ready], [], [], START_SECONDS)
            if not answered:
                raise EmulatorError(f"The emulator did not answer within {START_SECONDS} s.")
            if not os.read(self._ready, 1):
                raise EmulatorError(f"The emulator ended at once. The end of its log:\n{self.log_tail()}")
        finally:
            os.close(self._ready)
        self._serving.set()

    def restart(self) -> None:
        """Kill what is left of the emulator and start it again with its data. Raises EmulatorError."""
        self._serving.clear()
        self._kill()
        self.start()

    def is_running(self) -> bool:
        """Return whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def wait_for_death(self) -> bool:
        """Wait until the process ends; return False if `close` ended it."""
        if self._process is not None:
            self._process.wait()
        return not self._closed

    def wait_until_serving(self) -> bool:
        """Wait until the emulator serves; return False if it is closed."""
        self._serving.wait()
        return not self._closed

    def save(self) -> None:
        """Save all data, so it survives a restart. Raises EmulatorError."""
        headers = {AUTHORIZATION_HEADER: self._token}
        request = urllib.request.Request(f"{self.url}{SAVE_PATH}", method="POST", headers=headers)
        try:
            urllib.request.urlopen(request, timeout=_SAVE_SECONDS).close()
        except urllib.error.HTTPError as failed:
            with failed:
                reason = failed.read().decode(errors="replace")
            raise EmulatorError(f"The emulator could not save its data: {reason}. Is the disk full?") from None
        except OSError as error:
            raise EmulatorError(f"The emulator does not answer: {error}.") from None

    def log_tail(self, lines: int = 5) -> str:
        """Return the last lines of the log."""
        try:
            return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def close(self) -> None:
        """Stop the emulator for good and delete its data."""
        with self._lock:
            self._closed = True
            self._kill()
        self._serving.set()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _listen(self, reported: int) -> None:
        """Report the functions' invocations until the process ends."""
        with open(reported, encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    self._report(Invocation.from_json(line))

    def _kill(self) -> None:
        """Kill the process and the functions' workers, which share its process group."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _spawn(self, started: int, invocations: int) -> subprocess.Popen[bytes]:
        state, temporary = self._folder / "state", self._folder / "tmp"
        for folder in (state, temporary):
            folder.mkdir(exist_ok=True)
        environment = {
            **clean(self._environment),
            "HOME": str(self._folder),
            SECRETS_VARIABLE: json.dumps({**asdict(self.credentials), "token": self._token}),
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
            # Both would open ports to the network.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
        listening = self._listening.fileno()
        command = [sys.executable, "-m", "local.emulated_aws", "--folder", str(self._folder), "--port", str(self.port)]
        command += ["--socket", str(listening), "--ready", str(started), "--invocations", str(invocations)]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(listening, started, invocations),
                start_new_session=True,  # Ctrl-C must reach only the local run
            )
