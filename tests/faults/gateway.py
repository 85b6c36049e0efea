"""API Gateway as far as the chat relies on it, and no better: frames overtake each other, posts are swallowed, the end
of a socket is told late or never, and each function runs in a container that may die under it.
"""

import importlib
import json
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

from greenlet import getcurrent

from chat.fan_out import Outcome
from tests.faults.client import Client, Frame
from tests.faults.plan import Faults, Killed
from tests.faults.simulation import Simulation

ROUTES = {"sendmessage": "sendmessage", "join": "join", "history": "history", "typing": "typing_notice", "ping": "ping"}


@dataclass
class Socket:
    """A connection as the server sees it; `line` is None once nobody is at the other end."""

    connection_id: str
    connected_at: float
    line: "Line | None"
    open: bool = False
    stalled: bool = False


class Containers(MutableMapping[str, Any]):
    """What a container keeps between its invocations; which container it is depends on the task that asks."""

    def __init__(self) -> None:
        self.of_task: dict[Any, dict[str, Any]] = {}

    def _kept(self) -> dict[str, Any]:
        return self.of_task[getcurrent()]

    def __getitem__(self, key: str) -> Any:
        return self._kept()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._kept()[key] = value

    def __delitem__(self, key: str) -> None:
        del self._kept()[key]

    def __iter__(self) -> Any:
        return iter(self._kept())

    def __len__(self) -> int:
        return len(self._kept())


class Gateway:
    """Runs the functions, and stands in for the fan-out engine."""

    def __init__(self, simulation: Simulation, faults: Faults) -> None:
        self._clock, self._faults = simulation, faults
        self.sockets: dict[str, Socket] = {}
        self.containers = Containers()
        self._idle: dict[str, list[dict[str, Any]]] = {}
        self._made = 0

    def connect(self, line: "Line") -> Socket:
        """Let a client in: its function runs before the socket opens."""
        self._made += 1
        socket = Socket(f"{self._clock.random.getrandbits(40):010x}{self._made:04d}=", self._clock.now, line)

        def connecting() -> None:
            answer = self._run("connect", self._event(socket, "CONNECT"))
            self._clock.sleep(self._clock.random.uniform(0.005, 0.08))
            if answer.get("statusCode") == 200:
                socket.open = True
                self.sockets[socket.connection_id] = socket
                if socket.line is None:
                    self.cut(socket)
                else:
                    socket.line.opened()
            elif socket.line is not None:
                socket.line.hung_up()

        self._clock.after(self._hop(), connecting)
        return socket

    def send(self, socket: Socket, frame: Frame) -> None:
        """Take a frame from a client."""
        if socket.stalled or self._faults.strikes("frame swallowed", 0.01):
            return
        copies = 2 if self._faults.strikes("frame doubled", 0.03) else 1
        for _ in range(copies):
            self._clock.after(self._hop(), lambda: self._arrive(socket, frame))
        if self._faults.strikes("cut after a frame", 0.01):
            self.cut(socket)

    def cut(self, socket: Socket) -> None:
        """Break a link: its client sees it at once, the server a while later, and `$disconnect` may never come."""
        line, socket.line = socket.line, None
        self._clock.after(self._clock.random.uniform(0, 10), lambda: self.close(socket))
        if line is not None:
            line.hung_up()

    def close(self, socket: Socket) -> None:
        """End a socket on the server's side."""
        if socket.open:
            socket.open = False
            self.sockets.pop(socket.connection_id, None)
            if not self._faults.strikes("$disconnect never came", 0.3):
                self._clock.sleep(self._hop())
                self._run("disconnect", self._event(socket, "DISCONNECT"))

    def _hop(self) -> float:
        draw = self._clock.random
        return draw.uniform(0.005, 0.06) if draw.random() < 0.97 else draw.uniform(0.1, 2.5)

    def _event(self, socket: Socket, kind: str, body: str | None = None) -> dict[str, Any]:
        context = {
            "connectionId": socket.connection_id,
            "connectedAt": int(socket.connected_at * 1000),
            "eventType": kind,
        }
        return {"requestContext": context, "body": body}

    def _arrive(self, socket: Socket, frame: Frame) -> None:
        if not socket.open:
            return
        answer = self._run(ROUTES[frame["action"]], self._event(socket, "MESSAGE", json.dumps(frame)))
        if answer.get("body") is not None:
            self._deliver(socket.connection_id, answer["body"])

    def _run(self, module: str, event: dict[str, Any]) -> dict[str, Any]:
        """Run a function in a container that is idle, or a new one; one that is killed is not used again."""
        idle = self._idle.setdefault(module, [])
        kept = idle.pop() if idle else {}
        self.containers.of_task[getcurrent()] = kept
        try:
            answer = importlib.import_module(module).lambda_handler(event, None)
            idle.append(kept)
        except Killed:
            return {"statusCode": 502}
        finally:
            del self.containers.of_task[getcurrent()]
        return answer

    def post(self, connection_ids: Iterable[str], frame: bytes, *, deadline: float) -> Outcome:
        """Post a frame to each connection, as the fan-out engine does."""
        outcome = Outcome(0, [], [], [])
        delivered = 0
        for connection_id in connection_ids:
            self._clock.sleep(self._clock.random.expovariate(1 / 0.0005))
            if self._faults.strikes("function ended between posts", 0.001):
                raise Killed
            if connection_id not in self.sockets:
                outcome.gone.append(connection_id)
            elif self._faults.strikes("post failed", 0.01):
                outcome.failed.append(connection_id)
            else:
                delivered += 1
                copies = 2 if self._faults.strikes("post doubled", 0.01) else 1
                for _ in range(copies):
                    self._deliver(connection_id, frame.decode())
        return Outcome(delivered, outcome.gone, outcome.throttled, outcome.failed)

    def _deliver(self, connection_id: str, text: str) -> None:
        socket = self.sockets.get(connection_id)
        if socket is None or self._faults.strikes("post swallowed", 0.01):
            return

        def arrives() -> None:
            if socket.line is not None and not socket.stalled:
                socket.line.client.take(json.loads(text))

        self._clock.after(self._hop(), arrives)


class Line:
    """A client's way to the gateway."""

    client: Client

    def __init__(self, gateway: Gateway, simulation: Simulation) -> None:
        self._gateway, self._clock = gateway, simulation
        self.socket: Socket | None = None

    def open(self) -> None:
        self.close()
        self.socket = self._gateway.connect(self)

    def send(self, frame: Frame) -> None:
        if self.socket is not None:
            self._gateway.send(self.socket, frame)

    def close(self) -> None:
        socket, self.socket = self.socket, None
        if socket is not None:
            socket.line = None
            if socket.open:
                self._gateway.cut(socket)

    def opened(self) -> None:
        self.client.opened()

    def hung_up(self) -> None:
        """Tell the client that its link is gone, once it has done what it is at."""
        broken = self.socket

        def tell() -> None:
            if broken is not None and self.socket is broken:
                self.client.cut()

        self._clock.after(0, tell)
