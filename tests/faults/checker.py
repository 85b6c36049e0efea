"""Runs the chat with random faults and checks its guarantees, in the manner of Jepsen (total-queue, set-full).

`python -m tests.faults.checker --seed 7 --clients 20 --rooms 4 --actions 1200` prints the figures of a run. The
functions are real; DynamoDB, API Gateway, the network and time are simulated, so a seed reproduces its run exactly.
"""

import argparse
import io
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "functions"))

from chat_client.session import ChatSession, Timing
from chat_client.timeline import Frame, Timeline
from tests.fakes.dynamodb import DynamoDB
from tests.fakes.invariants import broken_logs, broken_memberships
from tests.fakes.services import Services, config, id_source
from tests.faults.gateway import Line, SimulatedGateway
from tests.faults.plan import INJECTED, Faults
from tests.faults.simulation import Simulation

CLIENTS, ROOMS, ACTIONS, SECONDS = 20, 4, 1200, 120.0
MAX_ROOMS_EACH = 3
SETTLE_SECONDS = 90.0
CHECK_EVERY = 50
"""Actions between two checks of the tables."""

TIMING = Timing(heartbeat=30.0)
"""The page's heartbeats are 5 minutes apart, too long for a run of two minutes."""


class World:
    """The chat, its clients, and the network between them."""

    def __init__(self, seed: int, client_count: int, room_count: int, *, share: float = 1.0) -> None:
        self.seed = seed
        self.simulation = Simulation(seed)
        self.faults = Faults(self.simulation, share)
        self.dynamodb = DynamoDB(self.simulation, self.faults.call_seconds)
        self.dynamodb.intercept = self.faults.intercept
        self.gateway = SimulatedGateway(self.simulation, self.faults)
        self.log = EventLog()
        self.gateway.services = Services(
            config=config(message_burst=10, messages_per_second=2.0),
            clock=self.simulation,
            client=self.dynamodb,
            poster=self.gateway,
            concurrently=self.simulation.concurrently,
            new_id=id_source(seed),
            log=self.log,
        )
        self.rooms = [f"room-{number}" for number in range(room_count)]
        self.lines: dict[str, Line] = {}
        self.clients = [self.client(f"Client {number}") for number in range(client_count)]
        for number, client in enumerate(self.clients):
            client.enter(self.rooms[number % room_count])

    def client(self, name: str) -> ChatSession:
        """Add a client with running timers, not yet connected."""
        line = self.lines[name] = Line(self.gateway, self.simulation)
        draw = self.simulation.random
        line.session = ChatSession(
            line,
            name=name,
            secret=f"{name.replace(' ', '-')}-0123456789",
            clock=self.simulation.monotonic,
            draw=draw,
            timing=TIMING,
        )

        def tick() -> None:
            while True:
                line.session.tick()
                self.simulation.sleep(0.1)

        self.simulation.after(0, tick)
        return line.session


class EventLog(io.StringIO):
    """The functions' log; collects faults that were not injected."""

    def __init__(self) -> None:
        super().__init__()
        self.unexpected: list[str] = []

    def write(self, text: str, /) -> int:
        """Check one line of the log."""
        event = json.loads(text)
        if event["event"] == "fault" and event["error"] not in INJECTED and event["code"] != "ThrottlingException":
            self.unexpected.append(text)
        return len(text)


@dataclass
class Verdict:
    """The result of a run. `broken` lists the violations of guarantees, in words."""

    seed: int
    figures: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def add(self, kind: str, text: str) -> None:
        """Record a violation."""
        self.figures[kind] += 1
        self.broken.append(f"{kind}: {text}")

    def __str__(self) -> str:
        names = ("sent", "acknowledged", "read", "faults", "reconnects", "lost", "doubled", "misordered", "invented")
        return f"seed {self.seed}: " + ", ".join(f"{self.figures[name]} {name}" for name in names)


def _say(world: World, client: ChatSession, number: int) -> None:
    client.say(f"{client.name} says {number}", to=world.simulation.random.choice(client.rooms))


def _type(world: World, client: ChatSession, _number: int) -> None:
    client.typing(world.simulation.random.choice(client.rooms))


def _enter(world: World, client: ChatSession, _number: int) -> None:
    if len(client.rooms) == MAX_ROOMS_EACH:
        client.leave(client.rooms[0])
    client.enter(world.simulation.random.choice(world.rooms))


def _leave(world: World, client: ChatSession, _number: int) -> None:
    if len(client.rooms) > 1:
        client.leave(world.simulation.random.choice(client.rooms))


def _rename(world: World, client: ChatSession, number: int) -> None:
    client.enter(world.simulation.random.choice(client.rooms), f"{client.name.split(',')[0]}, {number}")


def _ping(_world: World, client: ChatSession, _number: int) -> None:
    client.ping()


def _cut(world: World, client: ChatSession, _number: int) -> None:
    connection_id = _open_connection(world, client)
    if connection_id:
        world.faults.counts["connection cut"] += 1
        world.gateway.cut(connection_id)


def _stall(world: World, client: ChatSession, _number: int) -> None:
    connection_id = _open_connection(world, client)
    if connection_id:
        world.faults.counts["connection stalled"] += 1
        world.gateway.stalled.add(connection_id)


def _go_away(world: World, client: ChatSession, _number: int) -> None:
    if world.faults.share:
        world.faults.counts["client away"] += 1
        client.go_away(world.simulation.random.uniform(5, 30))


def _open_connection(world: World, client: ChatSession) -> str | None:
    line = next(line for line in world.lines.values() if line.session is client)
    is_open = line.connection_id in world.gateway.open_sockets
    return line.connection_id if is_open and world.faults.share else None


Act: TypeAlias = Callable[[World, ChatSession, int], None]
ACTS: Mapping[Act, int] = {
    _say: 66,
    _type: 10,
    _enter: 5,
    _leave: 2,
    _rename: 3,
    _ping: 4,
    _cut: 4,
    _stall: 3,
    _go_away: 3,
}
"""Actions of people and networks → weight in percent."""


def run(  # noqa: PLR0913 - the options of the command line
    seed: int,
    *,
    client_count: int = CLIENTS,
    room_count: int = ROOMS,
    actions: int = ACTIONS,
    share: float = 1.0,
    prepare: Callable[[World], None] = lambda _: None,
) -> Verdict:
    """Run the chat for two minutes of simulated time (longer with more actions), let it settle, and check it.

    `share` scales the rate of faults; `prepare` may change the world first, to plant a defect.
    """
    world = World(seed, client_count, room_count, share=share)
    prepare(world)
    verdict = Verdict(seed, faults=world.faults.counts)
    simulation = world.simulation
    pause = SECONDS / ACTIONS * CLIENTS / client_count
    for client in world.clients:
        client.connect()
    simulation.run(3)
    for number in range(actions):
        (act,) = simulation.random.choices(list(ACTS), list(ACTS.values()))
        act(world, simulation.random.choice(world.clients), number)
        simulation.run(simulation.random.expovariate(1 / pause))
        if number % CHECK_EVERY == 0:
            _judge_logs(world, verdict)
    faultless = not world.faults.counts
    world.faults.share = 0
    _settle(world)
    fresh = _read_fresh(world)
    _judge_logs(world, verdict)
    _judge_world(world, verdict, faultless=faultless)
    judge_readers(world.clients, fresh, verdict)
    return verdict


def _settle(world: World) -> None:
    """Without further faults, return each client to all rooms it has been in, and send a message to each room."""
    simulation = world.simulation
    simulation.run(SETTLE_SECONDS)
    visitor = world.client("Visitor")  # detects gone connections that never joined a room, so are in the lobby
    visitor.enter("lobby")
    visitor.connect()
    for client in world.clients:
        for room in dict.fromkeys([*client.timelines, *(frame["to"] for frame in client.outbox)]):
            client.enter(room)
    simulation.run(SETTLE_SECONDS)
    for _ in range(2):
        visitor.say("Is anybody here?", to="lobby")
        for room in world.rooms:
            next(client for client in world.clients if room in client.rooms).say("Is anybody here?", to=room)
        simulation.run(SETTLE_SECONDS)


def _read_fresh(world: World) -> dict[str, Timeline]:
    """Read each room from its beginning with a new client."""
    reader = world.client("Reader")
    for room in world.rooms:
        reader.timelines[room] = Timeline()
        reader.enter(room)
    reader.connect()
    world.simulation.run(60)
    return reader.timelines


def _judge_logs(world: World, verdict: Verdict) -> None:
    for violation in broken_logs(world.dynamodb):
        verdict.add("broken log", violation)


def _judge_world(world: World, verdict: Verdict, *, faultless: bool) -> None:
    """Check that only injected errors occurred, exactly the open connections are members, and all clients settled."""
    for line in world.log.unexpected:
        verdict.add("unexpected error", line)
    for violation in broken_memberships(world.dynamodb, world.gateway.open_sockets):
        verdict.add("broken membership", violation)
    for client in world.clients:
        if faultless and client.figures["gaps"]:
            verdict.add("missed", f"{client.name} did not get every post, though nothing failed")
        if not client.is_settled:
            verdict.add("unsettled", f"{client.name}, in {client.rooms}, has {len(client.outbox)} unsent messages")


def judge_readers(people: Sequence[ChatSession], fresh: Mapping[str, Timeline], verdict: Verdict) -> None:
    """Compare what clients read with the sent and acknowledged messages, and with a fresh reading of each room."""
    sent = {frame["messageId"]: frame for client in people for frame in client.sent}
    acknowledged = {key: frame for client in people for key, frame in client.acknowledged.items()}
    verdict.figures.update(
        sent=len(sent),
        acknowledged=len(acknowledged),
        faults=sum(verdict.faults.values()),
        reconnects=sum(client.figures["reconnects"] for client in people),
    )
    for client in people:
        if client.refused:
            verdict.add("refused", f"{client.name}: {list(client.refused.values())[:3]}")
        for room, timeline in client.timelines.items():
            _judge_reader(client.name, room, timeline, sent, verdict)
            _judge_completeness(client.name, room, timeline, acknowledged, verdict)
            _judge_snapshot(client.name, room, timeline, fresh[room], verdict)
    for room, timeline in fresh.items():
        _judge_reader("a fresh reader", room, timeline, sent, verdict)
        _judge_completeness("a fresh reader", room, timeline, acknowledged, verdict)
        _judge_order(people, room, timeline, verdict)


def _judge_reader(who: str, room: str, timeline: Timeline, sent: Mapping[str, Frame], verdict: Verdict) -> None:
    """Check that every message read was sent, and was read once."""
    verdict.figures["read"] += len(timeline.messages)
    for key, times in Counter(message["messageId"] for message in timeline.messages.values()).items():
        if times > 1:
            verdict.add("doubled", f"{who} read {key} {times} times in {room}")
    for message in timeline.conflicts:
        verdict.add("misordered", f"{who} got two messages with seq {message['seq']} in {room}")
    for message in timeline.messages.values():
        original = sent.get(message["messageId"])
        if original is None or original["message"] != message["message"] or original["to"] != room:
            verdict.add("invented", f"{who} read {message}")
    if timeline.losses:
        verdict.add("reported lost", f"{who} was told that messages of {room} are lost")


def _judge_completeness(
    who: str, room: str, timeline: Timeline, acknowledged: Mapping[str, Frame], verdict: Verdict
) -> None:
    """Check that a reader has every message acknowledged since it first entered the room."""
    for key, message in acknowledged.items():
        if message["room"] == room and message["seq"] > timeline.base:
            read = timeline.messages.get(message["seq"])
            if read is None or read["messageId"] != key:
                verdict.add("lost", f"{who} never read {message['seq']} of {room}")


def _judge_snapshot(who: str, room: str, timeline: Timeline, fresh: Timeline, verdict: Verdict) -> None:
    """Check that incremental reading gave the same messages as a fresh reading, acknowledged or not."""
    incremental = {seq: message["messageId"] for seq, message in timeline.messages.items()}
    complete = {seq: message["messageId"] for seq, message in fresh.messages.items() if seq > timeline.base}
    if incremental != complete:
        differ = sorted(set(incremental.items()) ^ set(complete.items()))
        verdict.add("differs from a fresh reading", f"{who}, {room}: {differ[:3]}")


def _judge_order(people: Sequence[ChatSession], room: str, fresh: Timeline, verdict: Verdict) -> None:
    """Check that each sender's messages are in the order in which they were sent."""
    seqs = {message["messageId"]: seq for seq, message in fresh.messages.items()}
    for client in people:
        said = (frame["messageId"] for frame in client.sent if frame["to"] == room)
        own = [seqs[message_id] for message_id in said if message_id in seqs]
        if own != sorted(own):
            verdict.add("misordered", f"{client.name}'s messages in {room} are out of order")


def main() -> int:
    """Run one or more seeds and print their figures; return 1 if a guarantee was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--seeds", type=int, default=1, help="number of seeds to run, starting with --seed")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--rooms", type=int, default=ROOMS)
    parser.add_argument("--actions", type=int, default=ACTIONS)
    parser.add_argument("--faults", type=float, default=1.0, help="multiplier for the rate of faults")
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
