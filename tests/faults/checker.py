"""The chat under faults drawn from a seed, then judged in the manner of Jepsen (total-queue, set-full).

`python -m tests.faults.checker --seed 7 --clients 20 --rooms 3 --actions 1200` prints the run's figures. The functions
are the real ones; DynamoDB, API Gateway, the network and the time are simulated: a seed repeats its run exactly.
"""

import argparse
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock
from uuid import UUID

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "functions"))

import join

from chat import clients, connections, contention, delivery, log, messages, rooms
from chat import history as chat_history
from tests.faults.client import Client, Timeline
from tests.faults.gateway import Gateway, Line
from tests.faults.plan import Faults, Injected
from tests.faults.simulation import Simulation
from tests.faults.store import Store

CLIENTS, ROOMS, ACTIONS, SECONDS = 20, 3, 1200, 120.0
SETTLE_SECONDS = 90.0
ENVIRONMENT = {
    "TABLE_NAME": "ActiveConnections",
    "HISTORY_TABLE_NAME": "MessageHistory",
    "ROOMS_TABLE_NAME": "ChatRooms",
    "CALLBACK_URL": "https://api.example/production",
    "ALLOWED_ORIGINS": "",
    "MESSAGE_BURST": "10",
    "MESSAGES_PER_SECOND": "2",
}


class World:
    """The chat, its clients, and all that stands between them."""

    def __init__(self, seed: int, clients_count: int, room_count: int, *, share: float = 1.0) -> None:
        self.seed = seed
        self.simulation = Simulation(seed)
        self.faults = Faults(self.simulation.random, share)
        self.store = Store(self.simulation, self.faults)
        self.gateway = Gateway(self.simulation, self.faults)
        self.rooms = [f"room-{number}" for number in range(room_count)]
        self.errors: list[str] = []
        self.clients = [self._client(number) for number in range(clients_count)]

    def _client(self, number: int) -> Client:
        line = Line(self.gateway, self.simulation)
        client = Client(
            f"Client {number}",
            self.rooms[number % len(self.rooms)],
            line,
            self.simulation.time,
            self.simulation.random,
        )
        line.client = client
        return client

    def start(self, client: Client) -> None:
        """Connect a client, and look after its timers."""
        client.connect()

        def living() -> None:
            while True:
                client.tick()
                self.simulation.sleep(0.1)

        self.simulation.after(0, living)

    @contextmanager
    def stands_in(self) -> Iterator[None]:
        """Put this world in the place of AWS, of the time and of chance."""
        draw = self.simulation.random
        identity = SimpleNamespace(uuid4=lambda: UUID(int=draw.getrandbits(128), version=4))

        def fault(error: BaseException) -> None:
            code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
            if not isinstance(error, Injected):
                self.errors.append(f"{type(error).__name__} {code} {error}")

        def one_by_one(first: Any, second: Any) -> tuple[Any, Any]:
            if draw.random() < 0.5:
                return first(), second()
            later = second()
            return first(), later

        with ExitStack() as put:
            put.enter_context(mock.patch.dict(os.environ, ENVIRONMENT))
            for module in (connections, messages, chat_history, contention, delivery):
                put.enter_context(mock.patch.object(module, "time", self.simulation))
            for place, name, stand_in in (
                (clients, "_client", lambda *_: self.store),
                (delivery, "_engine", lambda *_: self.gateway),
                (rooms, "_rosters", self.gateway.containers),
                (messages, "uuid", identity),
                (contention, "random", draw),
                (join, "side_by_side", one_by_one),
                (log, "line", lambda *_, **__: None),
                (log, "fault", fault),
            ):
                put.enter_context(mock.patch.object(place, name, stand_in))
            yield


@dataclass
class Verdict:
    """What a run has shown. `broken` holds every breach of a guarantee, in words."""

    seed: int
    figures: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def breach(self, kind: str, text: str) -> None:
        self.figures[kind] += 1
        self.broken.append(f"{kind}: {text}")

    def __str__(self) -> str:
        names = ("sent", "acknowledged", "read", "faults", "reconnects", "lost", "doubled", "misordered", "invented")
        return f"seed {self.seed}: " + ", ".join(f"{self.figures[name]} {name}" for name in names)


def act(world: World, client: Client, number: int) -> None:
    """Do one of the things that people and networks do."""
    draw = world.simulation.random
    what = draw.random()
    line: Any = client._line
    if what < 0.68:
        client.say(f"{client.name} says {number}")
    elif what < 0.80:
        client.type()
    elif what < 0.84:
        client.go(draw.choice(world.rooms))
    elif what < 0.87:
        client.go(client.room, f"{client.name.split(',')[0]}, {number}")
    elif what < 0.91:
        client.ping()
    elif line.socket is not None and world.faults.share:
        if what < 0.95:
            world.faults.counts["link cut"] += 1
            world.gateway.cut(line.socket)
        elif what < 0.98:
            world.faults.counts["link stalled"] += 1
            line.socket.stalled = True
        else:
            world.faults.counts["left for a while"] += 1
            client.cut()
            client._timers["reconnect"] = (world.simulation.now + draw.uniform(5, 30), client.connect)


def run(  # noqa: PLR0913 - each is an option of the command
    seed: int,
    *,
    client_count: int = CLIENTS,
    room_count: int = ROOMS,
    actions: int = ACTIONS,
    share: float = 1.0,
    defect: Any = None,
) -> Verdict:
    """Run the chat for two minutes of its own time (more for more actions), let it settle, and judge.

    `share` scales the faults; `defect` is put into the code for the run: a context manager that is given the world.
    """
    world = World(seed, client_count, room_count, share=share)
    simulation = world.simulation
    pace = SECONDS / ACTIONS * CLIENTS / client_count
    with world.stands_in(), defect(world) if defect else ExitStack():
        for client in world.clients:
            world.start(client)
        simulation.run(3)
        for number in range(actions):
            act(world, simulation.random.choice(world.clients), number)
            simulation.run(simulation.random.expovariate(1 / pace))
        world.faults.share = 0
        settle(world)
        fresh = read_anew(world)
    return judge(world, fresh)


def settle(world: World) -> None:
    """Let everybody come back to each room they have been in, and say something there, with no more faults."""
    world.simulation.run(SETTLE_SECONDS)
    visitor = world.clients[0]  # whoever connected and never joined a room is still in the lobby
    visitor.go("lobby")
    visitor.say("Is anybody here?")
    world.simulation.run(SETTLE_SECONDS)
    for room in world.rooms:
        for client in world.clients:
            if room in client.timelines and client.room != room:
                client.go(room)
        world.simulation.run(SETTLE_SECONDS)
        next(client for client in world.clients if client.room == room).say("Is anybody here?")
        world.simulation.run(SETTLE_SECONDS)


def read_anew(world: World) -> dict[str, Timeline]:
    """Read each room from its beginning by a client that has never been there."""
    fresh = {}
    for room in [*world.rooms, "lobby"]:
        line = Line(world.gateway, world.simulation)
        reader = Client("Reader", room, line, world.simulation.time, world.simulation.random)
        line.client = reader
        reader.timelines[room] = Timeline()
        world.start(reader)
        world.simulation.run(40)
        fresh[room] = reader.timelines[room]
    return fresh


def judge(world: World, fresh: dict[str, Timeline]) -> Verdict:
    """Hold what everybody read against what was sent and acknowledged."""
    verdict = Verdict(world.seed, faults=world.faults.counts)
    for error in world.errors:
        verdict.breach("unexpected error", error)
    _judge_store(world, verdict)
    _judge_members(world, verdict)
    judge_readers(world.clients, fresh, verdict)
    return verdict


def judge_readers(people: list[Client], fresh: dict[str, Timeline], verdict: Verdict) -> None:
    """Hold what clients read against what they sent and had acknowledged, and against a fresh reading of each room."""
    sent = {frame["messageId"]: frame for client in people for frame in client.sent}
    acknowledged = {key: frame for client in people for key, frame in client.acknowledged.items()}
    verdict.figures.update(
        sent=len(sent),
        acknowledged=len(acknowledged),
        faults=sum(verdict.faults.values()),
        reconnects=sum(client.figures["reconnects"] for client in people),
    )
    for client in people:
        if client.outbox or client.refused:
            verdict.breach("unacknowledged", f"{client.name} has {len(client.outbox)} messages left")
        for room, timeline in client.timelines.items():
            _judge_reader(client.name, room, timeline, sent, verdict, told=client.lost[room])
            _judge_completeness(client.name, room, timeline, acknowledged, verdict)
            _judge_snapshot(client.name, room, timeline, fresh[room], verdict)
    for room, timeline in fresh.items():
        _judge_reader("a fresh reader", room, timeline, sent, verdict, told=0)
        _judge_completeness("a fresh reader", room, timeline, acknowledged, verdict)
        _judge_order(people, room, timeline, verdict)


def _judge_store(world: World, verdict: Verdict) -> None:
    """Each message is stored once, each place is held once."""
    sent = {frame["messageId"] for client in world.clients for frame in client.sent}
    rows = list(world.store.tables["MessageHistory"].items.values())
    for key, times in Counter(row["messageId"] for row in rows).items():
        if times > 1:
            verdict.breach("doubled", f"message {key} is stored {times} times")
        if key not in sent:
            verdict.breach("invented", f"message {key} was never sent")
    for place, times in Counter((row["room"], row["seq"]) for row in rows).items():
        if times > 1:
            verdict.breach("misordered", f"{place} is held by {times} messages")


def _judge_members(world: World, verdict: Verdict) -> None:
    """Whoever is connected is a member of its room, and nobody else is."""
    rows = world.store.tables["ActiveConnections"].items.values()
    members = {row["connectionId"]: row["room"] for row in rows if "room" in row}
    for connection_id in members.keys() - world.gateway.sockets.keys():
        verdict.breach("ghost", f"{connection_id} haunts {members[connection_id]}")
    for client in world.clients:
        if members.get(client.connection_id) != client.room:
            verdict.breach("not a member", f"{client.name} is in {members.get(client.connection_id)}")


def _judge_reader(  # noqa: PLR0913 - what it holds against each other
    who: str, room: str, timeline: Timeline, sent: dict[str, Any], verdict: Verdict, *, told: int
) -> None:
    """What was read was sent, and is read once."""
    verdict.figures["read"] += len(timeline.shown)
    for key, times in Counter(one["messageId"] for one in timeline.shown.values()).items():
        if times > 1:
            verdict.breach("doubled", f"{who} read {key} {times} times in {room}")
    for one in timeline.doubled:
        verdict.breach("misordered", f"{who} was given two messages for place {one['seq']} of {room}")
    for one in timeline.shown.values():
        original = sent.get(one["messageId"])
        if original is None or original["message"] != one["message"] or original["to"] != room:
            verdict.breach("invented", f"{who} read {one}")
    if told:
        verdict.breach("told lost", f"{who} was told that something of {room} is lost")


def _judge_completeness(
    who: str, room: str, timeline: Timeline, acknowledged: dict[str, Any], verdict: Verdict
) -> None:
    """Whatever was acknowledged, from a reader's first sight of the room on, has been read."""
    for key, one in acknowledged.items():
        if one["room"] == room and one["seq"] > timeline.base:
            shown = timeline.shown.get(one["seq"])
            if shown is None or shown["messageId"] != key:
                verdict.breach("lost", f"{who} never read {one['seq']} of {room}")


def _judge_snapshot(who: str, room: str, timeline: Timeline, fresh: Timeline, verdict: Verdict) -> None:
    """What came bit by bit is what a fresh reading gives, acknowledged or not."""
    bit_by_bit = {seq: one["messageId"] for seq, one in timeline.shown.items()}
    at_once = {seq: one["messageId"] for seq, one in fresh.shown.items() if seq > timeline.base}
    if bit_by_bit != at_once:
        differ = sorted(set(bit_by_bit.items()) ^ set(at_once.items()))
        verdict.breach("differs from a fresh reading", f"{who}, {room}: {differ[:3]}")


def _judge_order(people: list[Client], room: str, fresh: Timeline, verdict: Verdict) -> None:
    """Each sender's messages stand in the order in which they were sent."""
    places = {one["messageId"]: seq for seq, one in fresh.shown.items()}
    for client in people:
        own = [places[one["messageId"]] for one in client.sent if one["to"] == room and one["messageId"] in places]
        if own != sorted(own):
            verdict.breach("misordered", f"{client.name}'s messages in {room} changed places")


def main() -> int:
    """Run one seed, or several, and print their figures; 1 if a guarantee was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--seeds", type=int, default=1, help="so many, from --seed on")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--rooms", type=int, default=ROOMS)
    parser.add_argument("--actions", type=int, default=ACTIONS)
    parser.add_argument("--faults", type=float, default=1.0, help="how often, as a multiple of the usual")
    options = parser.parse_args()
    broken = 0
    for seed in range(options.seed, options.seed + options.seeds):
        verdict = run(
            seed,
            client_count=options.clients,
            room_count=options.rooms,
            actions=options.actions,
            share=options.faults,
        )
        print(verdict)
        if options.seeds == 1:
            print(json.dumps({"figures": verdict.figures, "faults": verdict.faults}, indent=1))
        print("\n".join(verdict.broken[:20]), end="\n" if verdict.broken else "")
        broken += bool(verdict.broken)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
