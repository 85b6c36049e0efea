"""A room to post to: both stubs, a container, and one message measured from its event to its last recipient."""

import json
import random
import shutil
import tempfile
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks import FUNCTIONS
from benchmarks.certificate import make_certificate
from benchmarks.processes import Process
from benchmarks.store_stub import ROOM
from chat.schema import CONNECTIONS, MESSAGES, ROOMS

CONNECTED = 10_000
LATENCY = 0.01
STORE_LATENCY = 0.005
ACCOUNT = {"per_second": 10_000, "burst": 5_000}
"""The account's limit (API Gateway quotas)."""

REFILL_SECONDS = 0.7
"""Between two messages: the account's burst and the engine's own are full again after half a second."""

TABLES = {"TABLE_NAME": CONNECTIONS, "HISTORY_TABLE_NAME": MESSAGES, "ROOMS_TABLE_NAME": ROOMS}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEEXAMPLE00",
    "AWS_SECRET_ACCESS_KEY": "example/" * 5,
    "AWS_SESSION_TOKEN": "token/" * 120,  # as long as a role's
}
ADDRESS = "203.0.113.7"
TEXT = "x" * 100


def room(size: int, *, gone: float = 0, slow: float = 0, throttled: float = 0) -> list[str]:
    """Return the ids of a room, mixed; the first is the sender's and healthy."""
    letters: list[str] = []
    for letter, share in (("g", gone), ("s", slow), ("t", throttled)):
        letters += letter * int(size * share)
    letters += "h" * (size - 1 - len(letters))
    random.Random(7).shuffle(letters)  # noqa: S311 - the same room each time
    return [f"{letter}{number:014d}=" for number, letter in enumerate(["h", *letters])]


@dataclass(frozen=True)
class Measured:
    """One message. Seconds count from the moment its event was handed over."""

    first: float
    """Until the first copy was taken."""
    last: float
    """Until the last healthy recipient's copy was taken."""
    wall: float
    """Until the function returned."""
    cpu: float
    """Of the function's process."""
    delivered: int
    limited: int
    read_units: float
    write_units: float
    requests: int
    """To DynamoDB."""
    peak_mb: float
    new_sockets: int


class Scene:
    """Both stubs, and the functions as they are deployed. `tls`: whether posts are encrypted, as on AWS."""

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
        # The archive holds no bytecode, so on Lambda each cold start compiles the functions.
        self._functions = shutil.copytree(FUNCTIONS, folder / "functions", ignore=shutil.ignore_patterns("__pycache__"))
        self._ids: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def fill(self, ids: list[str], connected: int = CONNECTED) -> None:
        """Say who is in the room, and how many are connected in all."""
        self._ids = ids
        self.store.ask({"ids": ids, "connected": max(connected, len(ids)), "latency": STORE_LATENCY})

    def container(self, module: str, handler: str = "lambda_handler", *, posts_per_second: float = 8000) -> Process:
        """Start a container of a function, as Lambda would."""
        authorities = ("SSL_CERT_FILE", "AWS_CA_BUNDLE")  # OpenSSL's variable, and the naive way's
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
        """Let the room's first member say something, once every limit has been left alone for long enough."""
        time.sleep(REFILL_SECONDS)
        before = self.connections.ask({"latency": LATENCY, **ACCOUNT, **endpoint})
        self.store.ask({})
        done = container.ask({"event": message(self._ids[0], most_posts)})
        if done["result"]["statusCode"] != 200:  # noqa: PLR2004 - HTTP's OK
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
    """Return the event of a `sendmessage` frame as the page sends it: with an id, and with the room."""
    frame = {"action": "sendmessage", "message": TEXT, "messageId": str(uuid.uuid4()), "to": ROOM}
    return event("sendmessage", connection_id, frame) | ({} if most_posts is None else {"mostPosts": most_posts})


def event(
    route: str, connection_id: str, frame: dict[str, Any] | None = None, *, address: str = ADDRESS
) -> dict[str, Any]:
    """Return an event as API Gateway hands it over."""
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
