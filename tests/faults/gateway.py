"""Simulates API Gateway with only the guarantees that the chat relies on.

Frames overtake each other, posts are lost, and `$disconnect` comes late or never.
"""

import json

from chat_client.session import ChatSession
from chat_client.timeline import Frame
from tests.fakes.dynamodb import KilledError
from tests.fakes.gateway import Gateway, Socket, route_of
from tests.faults.plan import Faults
from tests.faults.simulation import Simulation


class SimulatedGateway(Gateway):
    """The fake API Gateway behind an unreliable network."""

    def __init__(self, simulation: Simulation, faults: Faults) -> None:
        super().__init__(simulation)
        self._simulation, self._faults = simulation, faults
        self._lines: dict[str, Line] = {}
        self.stalled: set[str] = set()
        """Sockets that stay open but carry no more frames."""
        self.deliver = self._deliver_late

    @property
    def open_sockets(self) -> set[str]:
        """Ids of the connections that are open on the server's side."""
        return {connection_id for connection_id, socket in self.sockets.items() if socket.is_open}

    def accept(self, line: "Line") -> str:
        """Accept a client; return its connection id. `$connect` runs before the socket opens."""
        connection_id = f"{self._faults.draw.getrandbits(40):010x}{len(self._lines):04d}="
        self._lines[connection_id] = line

        def connecting() -> None:
            socket = self.sockets[connection_id] = Socket(connection_id, self._simulation.now_ms())
            reply = self.invoke("$connect", self.event(socket, "$connect", "CONNECT"))
            self._simulation.sleep(self._faults.draw.uniform(0.005, 0.08))
            if reply["statusCode"] == 200:
                socket.is_open = True
                if line.connection_id == connection_id:
                    line.session.opened()
                else:
                    self.cut(connection_id)
            elif line.connection_id == connection_id:
                line.hung_up()

        self._simulation.after(self._hop(), connecting)
        return connection_id

    def carry(self, connection_id: str, frame: Frame) -> None:
        """Carry a frame from a client."""
        if connection_id in self.stalled or self._faults.strikes("frame lost", 0.01):
            return
        text = json.dumps(frame)
        for _ in range(2 if self._faults.strikes("frame duplicated", 0.03) else 1):
            self._simulation.after(self._hop(), lambda: self._arrive(connection_id, text))
        if self._faults.strikes("cut after a frame", 0.01):
            self.cut(connection_id)

    def cut(self, connection_id: str) -> None:
        """Break a connection: the client notices at once, the server up to 10 s later; `$disconnect` may never come."""
        self._simulation.after(self._faults.draw.uniform(0, 10), lambda: self._close(connection_id))
        line = self._lines[connection_id]
        if line.connection_id == connection_id:
            line.hung_up()

    def post_one(self, connection_id: str, frame: bytes) -> str:
        """Post a frame, which takes time and may fail."""
        self._simulation.sleep(self._faults.draw.expovariate(1 / 0.0005))
        if self._faults.strikes("function killed between posts", 0.001):
            raise KilledError
        if self._faults.strikes("post failed", 0.01):
            return "failed"
        return super().post_one(connection_id, frame)

    def _close(self, connection_id: str) -> None:
        if self.sockets[connection_id].is_open:
            self.vanish(connection_id)
            if not self._faults.strikes("$disconnect never came", 0.3):
                self._simulation.sleep(self._hop())
                self.disconnect(connection_id)

    def _hop(self) -> float:
        draw = self._faults.draw
        return draw.uniform(0.1, 2.5) if self._faults.strikes("frame late", 0.03) else draw.uniform(0.005, 0.06)

    def _arrive(self, connection_id: str, text: str) -> None:
        socket = self.sockets[connection_id]
        if socket.is_open:
            route = route_of(text)
            reply = self.invoke(route, self.event(socket, route, "MESSAGE", body=text))
            if socket.is_open and "body" in reply:
                self.deliver(socket, reply["body"])

    def _deliver_late(self, socket: Socket, text: str) -> None:
        if self._faults.strikes("post lost", 0.01):
            return
        for _ in range(2 if self._faults.strikes("post duplicated", 0.01) else 1):
            self._simulation.after(self._hop(), lambda: self._reach(socket.connection_id, text))

    def _reach(self, connection_id: str, text: str) -> None:
        line = self._lines[connection_id]
        if line.connection_id == connection_id and connection_id not in self.stalled:
            line.session.received(json.loads(text))


class Line:
    """A session's transport in the simulation."""

    session: ChatSession

    def __init__(self, gateway: SimulatedGateway, simulation: Simulation) -> None:
        self._gateway, self._simulation = gateway, simulation
        self.connection_id: str | None = None
        """Connection id of the current attempt; None: closed."""

    def open(self) -> None:
        """Start to connect."""
        self.close()
        self.connection_id = self._gateway.accept(self)

    def send(self, frame: Frame) -> None:
        """Send a frame."""
        if self.connection_id is not None:
            self._gateway.carry(self.connection_id, frame)

    def close(self) -> None:
        """Close the connection."""
        connection_id, self.connection_id = self.connection_id, None
        if connection_id is not None and connection_id in self._gateway.open_sockets:
            self._gateway.cut(connection_id)

    def hung_up(self) -> None:
        """Notify the session that its connection is gone, after its current step."""
        broken = self.connection_id

        def notify() -> None:
            if broken is not None and self.connection_id == broken:
                self.session.closed()

        self._simulation.after(0, notify)
