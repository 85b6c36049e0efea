"""Sets up both stubs and function containers, and measures a message from its event to the last recipient."""

import json
import random
import shutil
import tempfile
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

from benchmarks import FUNCTIONS
from benchmarks.processes import Process
from benchmarks.store_stub import ROOM
from chat.schema import CONNECTIONS, MESSAGES, ROOMS
from local.certificate import make_certificate

CONNECTED = 10_000
LATENCY = 0.01
STORE_LATENCY = 0.005
ACCOUNT = {"per_second": 10_000, "burst": 5_000}
"""The account's limit (API Gateway quotas)."""

REFILL_SECONDS = 0.7
"""Pause between messages: the bursts of account and engine refill in half a second."""

TABLES = {"TABLE_NAME": CONNECTIONS, "HISTORY_TABLE_NAME": MESSAGES, "ROOMS_TABLE_NAME": ROOMS}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEEXAMPLE00",
    "AWS_SECRET_ACCESS_KEY": "example/" * 5,
    "AWS_SESSION_TOKEN": "token/" * 120,  # as long as a real role's
}
ADDRESS = "203.0.113.7"
TEXT = "x" * 100


def room(size: int, *, gone: float = 0, slow: float = 0, throttled: float = 0) -> list[str]:
    """Return the shuffled connection ids of a room; the first is the sender's and healthy."""
    letters: list[str] = []
    for letter, share in (("g", gone), ("s", slow), ("t", throttled)):
        letters += letter * int(size * share)
    letters += "h" * (size - 1 - len(letters))
    random.Random(7).shuffle(letters)
    return [f"{letter}{number:014d}=" for number, letter in enumerate(["h", *letters])]


@dataclass(frozen=True)
class Measured:
    """One measured message. Times are in seconds since its event was sent to the function."""

    first: float
    """Until the stub received the first copy."""
    last: float
    """Until the stub received the copy for the last healthy recipient."""
    wall: float
    """Until the function returned."""
    cpu: float
    """CPU time of the function's process."""
    delivered: int
    limited: int
    read_units: float
    write_units: float
    requests: int
    """Requests to DynamoDB."""
    peak_mb: float
    new_sockets: int


class Scene:
    """Both stubs and the functions as deployed. `tls`: whether posts are encrypted, as on AWS."""

    def __init__(self, *, tls: bool = True) -> None:
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="serverless-chat-bench-")))
        certificate = [str(path) for path in make_certificate(folder)] if tls else None
        self.connections = self._stack.enter_context(
            Process("benchmarks.connections_stub", {"certificate": certificate})
        )
        self.store = self._stack.enter_context(Process("benchmarks.store_stub", {}))
        self.callback_url = f"{'https' if tls else 'http'}://127.0.0.1:{self.connections.started['port']}/production"
        self.certificate = certificate
        # Without bytecode, as in the archive: on Lambda each cold start compiles the functions.
        self._functions = shutil.copytree(FUNCTIONS, folder / "functions", ignore=shutil.ignore_patterns("__pycache__"))
        self._ids: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def fill(self, ids: list[str], connected: int = CONNECTED) -> None:
        """Set the members of the room and the total number of connections."""
        self._ids = ids
        self.store.ask({"ids": ids, "connected": max(connected, len(ids)), "latency": STORE_LATENCY})

    def container(self, module: str, handler: str = "lambda_handler", *, posts_per_second: float = 8000) -> Process:
        """Start a container of a function."""
        authorities = ("SSL_CERT_FILE", "AWS_CA_BUNDLE")  # for OpenSSL, and for boto3 in the baseline
        return Process(
            "benchmarks.container",
            {"functions": str(self._functions), "module": module, "handler": handler},
            {
                **TABLES,
                **CREDENTIALS,
                "CALLBACK_URL": self.callback_url,
                "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{self.store.started['port']}",
                "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                "MESSAGE_BURST": "100",
                "POSTS_PER_SECOND": str(posts_per_second),
                "PYTHONDONTWRITEBYTECODE": "1",
                **(dict.fromkeys(authorities, self.certificate[0]) if self.certificate else {}),
            },
        )

    def send(self, container: Process, *, most_posts: int | None = None, **endpoint: float) -> Measured:
        """Send a message from the room's first member, after a pause to refill all limits."""
        time.sleep(REFILL_SECONDS)
        before = self.connections.ask({"latency": LATENCY, **ACCOUNT, **endpoint})
        self.store.ask({})
        done = container.ask({"event": message(self._ids[0], most_posts)})
        if done["result"]["statusCode"] != HTTPStatus.OK:
            raise RuntimeError(f"the function answered {done['result']}")
        posts, rows = self.connections.ask({}), self.store.ask({})
        return Measured(
            first=posts["first"] - done["started"],
            last=posts["last_healthy"] - done["started"],
            wall=done["wall"],
            cpu=done["cpu"],
            delivered=posts["delivered"],
            limited=posts["limited"],
            read_units=rows["read_units"],
            write_units=rows["write_units"],
            requests=sum(rows["requests"].values()),
            peak_mb=done["peak_mb"],
            new_sockets=posts["accepted"] - before["accepted"],
        )


def message(connection_id: str, most_posts: int | None = None) -> dict[str, Any]:
    """Return the event for a `sendmessage` frame with id and room, as the page sends it."""
    frame = {"action": "sendmessage", "message": TEXT, "messageId": str(uuid.uuid4()), "to": ROOM}
    return event("sendmessage", connection_id, frame) | ({} if most_posts is None else {"mostPosts": most_posts})


def event(
    route: str, connection_id: str, frame: dict[str, Any] | None = None, *, address: str = ADDRESS
) -> dict[str, Any]:
    """Return an event as API Gateway sends it."""
    return {
        "requestContext": {
            "routeKey": route,
            "connectionId": connection_id,
            "connectedAt": int(time.time() * 1000) - 60_000,
            "requestId": "AbCdEfGhIjKlMnO=",
            "identity": {"sourceIp": address},
        },
        "headers": {},
        **({"body": json.dumps(frame)} if frame else {}),
    }
