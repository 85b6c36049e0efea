"""Runs private rooms with random faults and checks guarantee 7: after its removal an account hears nothing of a room.

`python -m tests.faults.private_rooms --seed 7` prints the figures of a run. People send, type, read and are removed,
banned, blocked and admitted again at once; functions are killed, calls fail and take up to a second and more.
"""

import argparse
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "functions"))

from chat.protocol.events import Reply
from chat.store.private_rooms import direct_key
from tests.fakes.dynamodb import DynamoDB
from tests.fakes.gateway import Frame, Gateway, Socket
from tests.fakes.invariants import broken_logs, broken_private_rooms
from tests.fakes.services import Services, config, id_source
from tests.faults.plan import INJECTED, Faults
from tests.faults.simulation import Simulation
from tests.unit.identity import issuer

PEOPLE, ROOMS, ACTIONS = 6, 2, 700
SOCKETS_EACH = 2
PAUSE_SECONDS = 0.12
SETTLE_SECONDS = 40.0

_CONTENT = {"message", "history", "joined", "left", "typing", "membership", "room", "pong", "members", "invite"}
"""Frames that say something of a room; `removed` and `invitation` do not."""

Key: TypeAlias = tuple[str, str]
"""An account and a room."""


class WatchedGateway(Gateway):
    """The fake API Gateway with functions that run at once, killed posts, and a record of who may hear what."""

    def __init__(self, simulation: Simulation, faults: Faults) -> None:
        super().__init__(simulation)
        self._simulation, self._faults = simulation, faults
        self.owners: dict[str, str] = {}
        """Connection id → account."""
        self.silenced: dict[Key, float] = {}
        """Who was removed from where, since the acknowledgement."""
        self._admitting: Counter[Key] = Counter()
        self._admitted_at: dict[Key, float] = {}
        self._removals: list[_Removal] = []
        self.figures: Counter[str] = Counter()
        self.leaks: list[str] = []
        self.answers: dict[str, list[Frame]] = defaultdict(list)
        self.deliver = self._deliver_watched

    def ask(self, connection_id: str, frame: Frame) -> None:
        """Run the function of a frame, and deliver its reply."""
        socket = self.sockets[connection_id]
        keys = list(self._changed(connection_id, frame))
        is_removal = frame["action"] in {"remove", "quit"} or frame.get("blocked") is True
        started = self._simulation.monotonic()
        removal = _Removal(connection_id, keys[0], started) if is_removal else None
        if removal is not None:
            self._removals.append(removal)
        else:
            for key in keys:  # from here on it may be a member again
                self._admitting[key] += 1
                self.silenced.pop(key, None)
        self.figures[frame["action"]] += 1
        reply = self.invoke(frame["action"], self.event(socket, frame["action"], "MESSAGE", body=json.dumps(frame)))
        if removal is not None:
            self._removals.remove(removal)
            if _is_acknowledged(frame, reply):
                self._silence(removal)
        else:
            self._admitting.subtract(keys)
            self._admitted_at |= dict.fromkeys(keys, self._simulation.monotonic())
        if socket.is_open and "body" in reply:
            self.deliver(socket, reply["body"])

    def post_one(self, connection_id: str, frame: bytes) -> str:
        """Post a frame, which takes time and may fail."""
        self._simulation.sleep(self._faults.draw.expovariate(1 / 0.002))
        if self._faults.strikes("post failed", 0.01):
            return "failed"
        return super().post_one(connection_id, frame)

    def _changed(self, connection_id: str, frame: Frame) -> Iterator[Key]:
        """Yield whose membership of which room a frame may change."""
        own, action = self.owners[connection_id], frame["action"]
        if action in {"accept", "quit"}:
            yield own, frame["room"]
        elif action == "remove":
            yield frame["userId"], frame["room"]
        elif action == "block":
            yield frame["userId"], direct_key(own, frame["userId"])
        elif action == "direct":
            room = direct_key(own, frame["userId"])
            yield own, room
            yield frame["userId"], room

    def _silence(self, removal: "_Removal") -> None:
        """Expect silence from now on, unless a frame that admits the account ran at the same time as the removal."""
        key = removal.key
        if not self._admitting[key] and self._admitted_at.get(key, -1.0) < removal.started:
            self.figures["acknowledged removals"] += 1
            self.silenced.setdefault(key, self._simulation.monotonic())

    def _deliver_watched(self, socket: Socket, text: str) -> None:
        frame = json.loads(text)
        account = self.owners[socket.connection_id]
        self.figures[f"got {frame.get('type')}"] += 1
        for room in _about(frame):
            since = self.silenced.get((account, room))
            if since is not None:
                late = self._simulation.monotonic() - since
                self.leaks.append(
                    f"{account} got {frame['type']} of {room} {late:.3f} s after the removal: {text[:200]}"
                )
        if frame.get("type") == "removed":
            key = frame["userId"], frame["room"]
            for removal in self._removals:  # to the account itself it is no acknowledgement
                if (removal.connection_id, removal.key) == (socket.connection_id, key) and key[0] != account:
                    self._silence(removal)
        self.answers[socket.connection_id].append(frame)


@dataclass(eq=False)
class _Removal:
    """A removal under way."""

    connection_id: str
    key: Key
    started: float


def _is_acknowledged(frame: Frame, reply: Reply) -> bool:
    """Return whether a reply says that an account is not a member; `remove` posts `removed` besides."""
    body = json.loads(reply.get("body", "{}"))
    if frame["action"] == "block":
        return body.get("type") == "rooms"
    return reply["statusCode"] == 200 or body.get("code") == "not_a_member"


def _about(frame: Frame) -> Iterator[str]:
    """Yield the rooms that a frame tells something of."""
    if frame.get("type") in _CONTENT and frame.get("room") is not None:
        yield frame["room"]
    if frame.get("type") == "pong":
        yield from frame["rooms"]
    if frame.get("type") == "rooms":
        yield from (room["room"] for room in frame["rooms"])


@dataclass
class Verdict:
    """The result of a run. `broken` lists the violations, in words."""

    seed: int
    figures: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


class World:
    """Accounts with their sockets, and private rooms."""

    def __init__(self, seed: int, *, share: float = 1.0) -> None:
        self.simulation = Simulation(seed)
        self.faults = Faults(self.simulation, share)
        self.dynamodb = DynamoDB(self.simulation, self._call_seconds)
        self.gateway = WatchedGateway(self.simulation, self.faults)
        self.services = Services(
            config=config(sign_in="optional", message_burst=1000, messages_per_second=100.0, address_allowances=1000),
            clock=self.simulation,
            client=self.dynamodb,
            poster=self.gateway,
            concurrently=self.simulation.concurrently,
            new_id=id_source(seed),
        )
        self.gateway.services = self.services
        self.people = [f"u-{number}" for number in range(PEOPLE)]
        self.rooms: list[str] = []
        self.tokens: dict[str, str] = {}
        """Room → token of a link with many uses."""

    def _call_seconds(self) -> float:
        """Return how long a DynamoDB call takes; slow ones are frequent, because they are what guarantee 7 is about."""
        draw = self.simulation.random
        return draw.uniform(0.3, 3) if self.faults.strikes("call slow", 0.06) else draw.expovariate(1 / 0.008)

    def socket(self, account: str) -> str:
        """Return one of an account's connections."""
        return f"{account}.{self.simulation.random.randrange(SOCKETS_EACH)}"

    def set_up(self) -> None:
        """Sign everybody in, and create the rooms, without faults."""
        share, self.faults.share = self.faults.share, 0.0

        def act() -> None:
            now = self.simulation.now_ms() // 1000
            for account in self.people:
                token = issuer.access_token(sub=account, username=account, iat=now, auth_time=now, exp=now + 3600)
                for number in range(SOCKETS_EACH):
                    connection_id = f"{account}.{number}"
                    self.gateway.owners[connection_id] = account
                    self.gateway.connect(connection_id)
                    self.gateway.ask(connection_id, {"action": "signin", "token": token})
            for number in range(ROOMS):
                owner = f"{self.people[number]}.0"
                self.gateway.ask(owner, {"action": "createroom", "title": f"Room {number}"})
                room = self.last(owner, "room")["room"]
                self.rooms.append(room)
                self.gateway.ask(owner, {"action": "createinvite", "room": room, "uses": 100})
                self.tokens[room] = self.last(owner, "invite")["token"]
                for account in self.people:
                    frame = {"action": "accept", "room": room, "token": self.tokens[room]}
                    self.gateway.ask(f"{account}.0", frame)

        self.simulation.after(0, act)
        self.simulation.run(60)
        self.faults.share = share
        self.dynamodb.intercept = self.faults.intercept

    def last(self, connection_id: str, frame_type: str) -> Frame:
        """Return the last frame of a type that a connection got."""
        return next(each for each in reversed(self.gateway.answers[connection_id]) if each.get("type") == frame_type)

    def draw_frame(self) -> tuple[str, Frame]:
        """Draw who does what."""
        draw = self.simulation.random
        number = draw.randrange(ROOMS)
        room, owner = self.rooms[number], self.people[number]
        account, other = draw.sample(self.people, 2)
        (action,) = draw.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        further: Mapping[str, Frame] = {
            "sendmessage": {"to": direct_key(account, other) if draw.random() < 0.2 else room, "message": "hello"},
            "remove": {"userId": draw.choice(self.people), "ban": draw.random() < 0.3},
            "unban": {"userId": account},
            "accept": {"token": self.tokens[room]},
            "direct": {"userId": other},
            "block": {"userId": other, "blocked": draw.random() < 0.5},
            "ping": {"roster": 0},
        }
        frame = {"action": action, "room": room, **further.get(action, {})}
        return owner if action in {"remove", "unban"} else account, frame


_WEIGHTS: Mapping[str, int] = {
    "sendmessage": 36,
    "typing": 10,
    "join": 6,
    "history": 6,
    "ping": 4,
    "members": 4,
    "rooms": 3,
    "leave": 2,
    "remove": 10,
    "unban": 4,
    "quit": 2,
    "accept": 10,
    "direct": 3,
    "block": 3,
}


def run(
    seed: int, *, actions: int = ACTIONS, share: float = 1.0, prepare: Callable[[World], Any] = lambda _: None
) -> Verdict:
    """Run private rooms with faults, let them settle, and check them. `prepare` may plant a defect."""
    world = World(seed, share=share)
    world.set_up()
    prepare(world)
    simulation, gateway = world.simulation, world.gateway
    verdict = Verdict(seed, gateway.figures, world.faults.counts)
    for _ in range(actions):
        account, frame = world.draw_frame()
        simulation.after(0, lambda account=account, frame=frame: gateway.ask(world.socket(account), frame))
        simulation.run(simulation.random.expovariate(1 / PAUSE_SECONDS))
        verdict.broken += broken_private_rooms(world.dynamodb)
    world.faults.share = 0
    simulation.run(SETTLE_SECONDS)
    verdict.broken += broken_logs(world.dynamodb) + gateway.leaks
    for event in world.services.events("fault"):
        if event["error"] not in INJECTED and event["code"] != "ThrottlingException":
            verdict.broken.append(f"unexpected error: {event}")
    _judge_delivery(world, verdict)
    return verdict


def _judge_delivery(world: World, verdict: Verdict) -> None:
    """Check that a message reaches all connections of exactly the members, once nothing fails any more."""
    items = world.dynamodb.items("ChatRooms")
    for number, room in enumerate(world.rooms):
        roles = {item["item"].removeprefix("role#") for item in items if item["room"] == room and "role" in item}
        owner = f"{world.people[number]}.0"
        if world.people[number] not in roles:
            continue  # it has handed nothing over, so the room has ended
        world.gateway.answers.clear()
        frame = {"action": "sendmessage", "to": room, "message": "Is anybody here?"}
        world.simulation.after(0, lambda owner=owner, frame=frame: world.gateway.ask(owner, frame))
        world.simulation.run(SETTLE_SECONDS)
        got = {key for key, frames in world.gateway.answers.items() if any(f["type"] == "message" for f in frames)}
        expected = {f"{account}.{socket}" for account in roles for socket in range(SOCKETS_EACH)}
        verdict.figures["delivered"] += len(got)
        if got != expected:
            verdict.broken.append(f"{room}: {sorted(got ^ expected)} differ from its members")


def main() -> int:
    """Run a seed and print its figures; return 1 if a guarantee was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--actions", type=int, default=ACTIONS)
    options = parser.parse_args()
    verdict = run(options.seed, actions=options.actions)
    print(json.dumps({"seed": verdict.seed, "figures": verdict.figures, "faults": verdict.faults}, indent=1))
    print("\n".join(verdict.broken[:20]), end="\n" if verdict.broken else "")
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
