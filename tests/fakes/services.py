"""Fake services for the functions, and a driver that acts as their clients.

    chat = Chat()                                 # with a virtual clock, fake DynamoDB and API Gateway
    chat = Chat(message_burst=2, retention_seconds=86400)   # any field of Config
    chat.connect("anna")                          # address="203.0.113.7": source IP address; default none
    joined = chat.join("anna", "garden", name="Anna")      # returns the `joined` frame
    message = chat.send("anna", "hello", to="garden")      # returns the sender's copy; `message_id` may be given
    page = chat.history("anna", after=0)                   # returns the `history` frame
    chat.ping("anna"), chat.typing("anna"), chat.leave("anna", "garden"), chat.disconnect("anna")
    chat.ask("anna", {"action": "join"})                   # returns the first frame it gets, such as an `error`
    chat.call("anna", {...} or "any text")                 # returns the function's reply: {"statusCode": …}
    chat.frames("ben", "message")                          # the frames a connection received, of some types or all
    chat = Chat(sign_in="optional")                        # or "required": a chat with accounts
    chat.sign_in("anna", user="u-anna")                    # returns `signedin`; `secret` claims a guest's messages
    chat.token("u-anna", username="Anna", seconds=3600)    # an access token, signed by the issuer in tests/fakes
    chat.sign_out("anna", everywhere=True), chat.profile("anna", "Anna-Maria")
    chat.clear()                                           # forget the frames so far
    chat.clock, chat.dynamodb, chat.gateway, chat.services, chat.services.events()

Methods named after an action assert that they get its answer. `Services` is what entry points take
(chat.runtime.context): `config`, `clock`, `concurrently`, `new_id`, `stream`, `client`, `poster`, `keys`; a test may
replace each. `InTurn` runs concurrent calls one after another, each from the same virtual time, in order or shuffled.
"""

import io
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol, TextIO

from chat.identity.rs256 import RsaKey
from chat.protocol.events import Reply
from chat.runtime.config import Config, SignIn
from chat.schema import CONNECTIONS, MESSAGES, ROOMS
from tests.fakes.clock import VirtualClock
from tests.fakes.dynamodb import DynamoDB
from tests.fakes.gateway import Frame, Gateway
from tests.unit.identity import issuer


def config(**changes: Any) -> Config:
    """Return a config with generous message limits; `changes` are fields of Config, `sign_in` its mode too."""
    mode = changes.get("sign_in")
    if isinstance(mode, str):
        changes["sign_in"] = SignIn(mode == "required", issuer.ISSUER, issuer.CLIENT_ID, f"{issuer.ISSUER}/keys")
    given: dict[str, Any] = {
        "connections_table": CONNECTIONS,
        "messages_table": MESSAGES,
        "rooms_table": ROOMS,
        "callback_url": "https://api.example/production",
        "allowed_origins": frozenset({"https://chat.example"}),
        "message_burst": 100_000,
        "messages_per_second": 1000.0,
        "retention_seconds": 30 * 86400,
        "posts_per_second": 8000.0,
        "metrics_namespace": "",
        "address_allowances": 5,
        "blocked_addresses": (),
        "region": "us-east-1",
        "endpoint_url": None,
    }
    return Config(**given | changes)


class Clock(Protocol):
    """The clock of the functions (chat.delivery.broadcast)."""

    def now_ms(self) -> int: ...
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class InTurn:
    """Runs concurrent calls one after another, each from the same virtual time; in order, or shuffled by `draw`."""

    def __init__(self, clock: VirtualClock, draw: Random | None = None) -> None:
        self._clock = clock
        self._draw = draw

    def __call__(self, *calls: Callable[[], Any]) -> Sequence[Any]:
        """Return the results in the order of the calls, or raise the error of the first call that failed."""
        order = list(range(len(calls)))
        if self._draw is not None:
            self._draw.shuffle(order)
        started = ended = self._clock.monotonic()
        results: dict[int, Any] = {}
        errors: dict[int, Exception] = {}
        for number in order:
            self._clock.rewind(started)
            try:
                results[number] = calls[number]()
            except Exception as error:  # noqa: BLE001 - raised below, after the other calls
                errors[number] = error
            ended = max(ended, self._clock.monotonic())
        self._clock.rewind(ended)
        if errors:
            raise errors[min(errors)]
        return [results[number] for number in range(len(calls))]


def id_source(seed: int | str) -> Callable[[], str]:
    """Return a reproducible source of UUIDs."""
    draw = Random(seed)
    return lambda: str(uuid.UUID(int=draw.getrandbits(128), version=4))


@dataclass
class Services:
    """The services of a container; see chat.runtime.context.Services."""

    config: Config
    clock: Clock
    client: Any
    poster: Any
    concurrently: Any
    new_id: Callable[[], str] = field(default_factory=lambda: id_source("services"))
    seen_allowances: dict[str, Any] = field(default_factory=dict)
    keys: Callable[[str], RsaKey | None] = issuer.keys
    log: io.StringIO = field(default_factory=io.StringIO)

    def stream(self) -> TextIO:
        """Return the stream for log events."""
        return self.log

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """Return the log events so far, or those called `name`."""
        events = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [event for event in events if name in (None, event["event"])]


class Chat:
    """A deployment and its clients, without concurrency. Connection ids are the names that a test chooses."""

    def __init__(self, *, draw: Random | None = None, **changes: Any) -> None:
        self.clock = VirtualClock()
        self.dynamodb = DynamoDB(self.clock)
        self.gateway = Gateway(self.clock)
        self.services = Services(
            config=config(**changes),
            clock=self.clock,
            client=self.dynamodb,
            poster=self.gateway,
            concurrently=InTurn(self.clock, draw),
        )
        self.gateway.services = self.services
        self.new_id = id_source("clients")

    def connect(self, *connection_ids: str, headers: dict[str, str] | None = None, address: str | None = None) -> None:
        """Open sockets."""
        for connection_id in connection_ids:
            assert self.gateway.connect(connection_id, headers, address) == 200

    def disconnect(self, connection_id: str) -> None:
        """Close a socket."""
        assert self.gateway.disconnect(connection_id) == {"statusCode": 200}

    def call(self, connection_id: str, frame: Frame | str) -> Reply:
        """Send a frame or a text; return the function's reply."""
        return self.gateway.send(connection_id, frame)

    def ask(self, connection_id: str, frame: Frame | str) -> Frame:
        """Send a frame; return the first frame that its sender gets."""
        before = len(self.frames(connection_id))
        self.call(connection_id, frame)
        frames = self.frames(connection_id)[before:]
        assert frames, f"no answer to {frame}"
        return frames[0]

    def join(self, connection_id: str, room: str, **fields: Any) -> Frame:
        """Join a room; return `joined`."""
        return self._answer("joined", connection_id, {"action": "join", "room": room, **fields})

    def leave(self, connection_id: str, room: str) -> Frame:
        """Leave a room; return `left`."""
        return self._answer("left", connection_id, {"action": "leave", "room": room})

    def send(self, connection_id: str, text: str, *, to: str | None = None, message_id: str | None = None) -> Frame:
        """Send a message, by default with a new `messageId`; return the sender's copy."""
        frame = {"action": "sendmessage", "message": text, "messageId": message_id or self.new_id()}
        return self._answer("message", connection_id, frame if to is None else {**frame, "to": to})

    def history(self, connection_id: str, **fields: Any) -> Frame:
        """Ask for a page of history; return `history`."""
        return self._answer("history", connection_id, {"action": "history", **fields})

    def ping(self, connection_id: str, **fields: Any) -> Frame:
        """Send a ping; return `pong`."""
        return self._answer("pong", connection_id, {"action": "ping", **fields})

    def typing(self, connection_id: str, **fields: Any) -> None:
        """Notify the others that a member is typing."""
        assert self.call(connection_id, {"action": "typing", **fields}) == {"statusCode": 200}

    def token(
        self,
        user: str,
        *,
        username: str | None = None,
        seconds: int = 3600,
        authenticated_at: int | None = None,
        **changed: Any,
    ) -> str:
        """Return an access token that expires in `seconds`; `changed` are other claims. Signing in was just now."""
        now = self.clock.now_ms() // 1000
        times = {"iat": now, "auth_time": now if authenticated_at is None else authenticated_at, "exp": now + seconds}
        return issuer.access_token(sub=user, username=username or user.removeprefix("u-"), **times | changed)

    def sign_in(
        self,
        connection_id: str,
        *,
        user: str | None = None,
        secret: str | None = None,
        name: str | None = None,
        **claims: Any,
    ) -> Frame:
        """Sign in as an account, by default `u-` and the connection's name; return `signedin`."""
        frame = {"action": "signin", "token": self.token(user or f"u-{connection_id}", **claims)}
        given = {field: value for field, value in (("secret", secret), ("name", name)) if value is not None}
        return self._answer("signedin", connection_id, frame | given)

    def sign_out(self, connection_id: str, *, everywhere: bool | None = None) -> Frame:
        """Sign out; return `signedout`. The socket is closed then."""
        frame: Frame = {"action": "signout"}
        return self._answer(
            "signedout", connection_id, frame if everywhere is None else {**frame, "everywhere": everywhere}
        )

    def profile(self, connection_id: str, name: str) -> Frame:
        """Change an account's name; return `signedin`."""
        return self._answer("signedin", connection_id, {"action": "profile", "name": name})

    def frames(self, connection_id: str, *types: str) -> list[Frame]:
        """Return the frames that a connection received, of some types or all."""
        socket = self.gateway.sockets[connection_id]
        return socket.of_type(*types) if types else list(socket.frames)

    def clear(self) -> None:
        """Forget the frames and posts so far."""
        self.gateway.posts.clear()
        for socket in self.gateway.sockets.values():
            socket.frames.clear()

    def _answer(self, expected: str, connection_id: str, frame: Frame) -> Frame:
        answer = self.ask(connection_id, frame)
        assert answer.get("type") == expected, (answer, self.services.events("fault"))
        return answer
