"""A fake API Gateway with @connections: sockets in front, the functions' entry points behind; the only one.

    gateway = Gateway(clock)                      # pass it as `poster` in the services
    gateway.services = services                   # passed to the functions
    gateway.connect("anna")                       # runs $connect, returns its status; 200 opens the socket
    gateway.send("anna", {"action": "ping"})      # a frame or text; runs the route's function, returns its reply
    gateway.disconnect("anna")                    # closes the socket, runs $disconnect
    gateway.vanish("anna")                        # closes the socket without $disconnect
    gateway.closed                                # the sockets that the functions have closed, by connection id

    gateway.sockets["anna"].frames                # every frame received, by post or as a route response, in order
    gateway.posts                                 # every post: Post(connection_id, frame, at, outcome)
    gateway.throttled.add("ben")                  # posts to it return 429
    gateway.failing.add("ben")                    # posts to it fail

As on AWS, a post to a socket that is closed, or whose $connect is still running, returns 410. For a function that is
killed (KilledError), API Gateway itself replies. Routes are those of functions/chat/routes.py, selected by
`$request.body.action`. `deliver` may be replaced: a simulation delivers late, twice, or never.
"""

import importlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from chat.protocol.events import Reply
from chat.protocol.frames_in import MAX_FRAME_BYTES
from chat.protocol.text import is_encodable
from chat.push.poster import Outcome
from chat.routes import ACCOUNT_ROUTES, routes
from chat.runtime.context import Services
from tests.fakes.dynamodb import KilledError

Frame = dict[str, Any]

INTERNAL_SERVER_ERROR = {"message": "Internal server error"}
"""Sent by API Gateway to a socket whose function returned no response."""

_FUNCTION_SECONDS = 30.0


class Clock(Protocol):
    """The clock of events and posts."""

    def now_ms(self) -> int: ...
    def monotonic(self) -> float: ...


@dataclass
class Socket:
    """One connection as API Gateway sees it."""

    connection_id: str
    connected_ms: int
    is_open: bool = False
    address: str | None = None
    """Source IP address; None: events have none."""
    frames: list[Frame] = field(default_factory=list)

    def of_type(self, *types: str) -> list[Frame]:
        """Return the frames of some types."""
        return [frame for frame in self.frames if frame.get("type") in types]


@dataclass(frozen=True)
class Post:
    """A post to @connections. `at` is in monotonic seconds; `outcome` is delivered, gone, throttled or failed."""

    connection_id: str
    frame: Frame
    at: float
    outcome: str


class LambdaContext:
    """The context object of a Lambda function."""

    def __init__(self, clock: Clock, request_id: str, seconds: float = _FUNCTION_SECONDS) -> None:
        self.aws_request_id = request_id
        self._clock = clock
        self._ends = clock.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the timeout."""
        return max(0, round((self._ends - self._clock.monotonic()) * 1000))


class Gateway:
    """The API and its @connections."""

    services: Services

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._requests = 0
        self.sockets: dict[str, Socket] = {}
        """Connection id → socket, closed ones included."""
        self.posts: list[Post] = []
        self.closed: list[str] = []
        self.function_seconds = _FUNCTION_SECONDS
        """Timeout of a function."""
        self.throttled: set[str] = set()
        self.failing: set[str] = set()
        self.deliver: Callable[[Socket, str], None] = _deliver
        """Delivers a text to a socket's client."""

    # The client's side.

    def connect(self, connection_id: str, headers: Mapping[str, str] | None = None, address: str | None = None) -> int:
        """Open a socket if `$connect` allows it; return the status."""
        socket = self.sockets[connection_id] = Socket(connection_id, self._clock.now_ms(), address=address)
        reply = self.invoke("$connect", self.event(socket, "$connect", "CONNECT", headers=dict(headers or {})))
        socket.is_open = reply["statusCode"] == 200
        return reply["statusCode"]

    def send(self, connection_id: str, frame: Frame | str) -> Reply:
        """Run the function for a frame and deliver its response to the socket; return the reply."""
        socket = self.sockets[connection_id]
        assert socket.is_open, f"{connection_id} is not connected"
        text = frame if isinstance(frame, str) else _encoded(frame)
        assert len(text.encode()) <= MAX_FRAME_BYTES, "API Gateway would close the socket: the frame is too large"
        route = route_of(text, accounts=self.services.config.sign_in is not None)
        reply = self.invoke(route, self.event(socket, route, "MESSAGE", body=text))
        if socket.is_open and "body" in reply:
            self.deliver(socket, reply["body"])
        return reply

    def disconnect(self, connection_id: str) -> Reply:
        """Close a socket and run `$disconnect`."""
        self.vanish(connection_id)
        socket = self.sockets[connection_id]
        return self.invoke("$disconnect", self.event(socket, "$disconnect", "DISCONNECT"))

    def vanish(self, connection_id: str) -> None:
        """Close a socket without `$disconnect`, which AWS delivers only on a best-effort basis."""
        self.sockets[connection_id].is_open = False

    # AWS's side.

    def event(self, socket: Socket, route: str, event_type: str, **more: Any) -> dict[str, Any]:
        """Return an event as API Gateway sends it."""
        self._requests += 1
        context: dict[str, Any] = {
            "routeKey": route,
            "eventType": event_type,
            "connectionId": socket.connection_id,
            "connectedAt": socket.connected_ms,
            "requestTimeEpoch": self._clock.now_ms(),
            "requestId": f"request-{self._requests}",
            "stage": "production",
            "domainName": "api.example",
        }
        if socket.address is not None:
            context["identity"] = {"sourceIp": socket.address, "userAgent": "test"}
        if event_type == "MESSAGE":
            context["messageId"] = f"frame-{self._requests}"
        return {"requestContext": context, "isBase64Encoded": False, **more}

    def invoke(self, route: str, event: dict[str, Any]) -> Reply:
        """Run a route's function; if it is killed, return API Gateway's own reply."""
        entry_point = importlib.import_module(ACCOUNT_ROUTES[route].module).lambda_handler
        lambda_context = LambdaContext(self._clock, event["requestContext"]["requestId"], self.function_seconds)
        try:
            return entry_point.answer(self.services, event, lambda_context)
        except KilledError:
            return {"statusCode": 502, "body": json.dumps(INTERNAL_SERVER_ERROR)}

    def post(self, connection_ids: Iterable[str], frame: bytes, *, deadline: float) -> Outcome:
        """Post a frame to connections one by one until the deadline, with the interface of chat.push.poster."""
        assert deadline > self._clock.monotonic(), "posted after the deadline"
        assert len(frame) <= MAX_FRAME_BYTES, "API Gateway would refuse the post: the frame is too large"
        outcome = Outcome(0, [], [], [])
        delivered = 0
        is_cut_short = False
        for connection_id in connection_ids:
            if self._clock.monotonic() >= deadline:
                outcome.failed.append(connection_id)
                is_cut_short = True
                break
            result = self.post_one(connection_id, frame)
            self.posts.append(Post(connection_id, json.loads(frame), self._clock.monotonic(), result))
            if result == "delivered":
                delivered += 1
            else:
                {"gone": outcome.gone, "throttled": outcome.throttled, "failed": outcome.failed}[result].append(
                    connection_id
                )
        return Outcome(delivered, outcome.gone, outcome.throttled, outcome.failed, cut_short=is_cut_short)

    def close_sockets(self, connection_ids: Iterable[str], *, deadline: float) -> Outcome:
        """Close connections, with the interface of chat.push.poster; `$disconnect` follows, as on AWS."""
        assert deadline > self._clock.monotonic(), "closed after the deadline"
        outcome, closed = Outcome(0, [], [], []), 0
        for connection_id in connection_ids:
            socket = self.sockets.get(connection_id)
            if socket is None or not socket.is_open:
                outcome.gone.append(connection_id)
            elif connection_id in self.failing:
                outcome.failed.append(connection_id)
            else:
                closed += 1
                self.closed.append(connection_id)
                self.disconnect(connection_id)
        return Outcome(closed, outcome.gone, [], outcome.failed)

    def post_one(self, connection_id: str, frame: bytes) -> str:
        """Post a frame to one connection; return the outcome."""
        socket = self.sockets.get(connection_id)
        if socket is None or not socket.is_open:
            return "gone"
        if connection_id in self.throttled:
            return "throttled"
        if connection_id in self.failing:
            return "failed"
        self.deliver(socket, frame.decode())
        return "delivered"


def route_of(text: str, *, accounts: bool = False) -> str:
    """Return the route key that `$request.body.action` selects, in a chat with or without accounts."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return "$default"
    action = body.get("action") if isinstance(body, dict) else None
    return action if isinstance(action, str) and action in routes(accounts=accounts) else "$default"


def _encoded(frame: Frame) -> str:
    """Encode a frame as a browser does: only lone surrogates are escaped."""
    text = json.dumps(frame, ensure_ascii=False)
    return text if is_encodable(text) else json.dumps(frame)


def _deliver(socket: Socket, text: str) -> None:
    socket.frames.append(json.loads(text))
