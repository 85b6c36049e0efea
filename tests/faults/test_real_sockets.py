"""Real sockets through a proxy that misbehaves, into the real emulator, which is killed as well."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import Stack, running_stack
from tests.end_to_end.chatter import Chatter, fresh_room
from tests.faults import client as timing
from tests.faults.checker import Verdict, judge_readers
from tests.faults.client import Client, Timeline
from tests.faults.proxy import TO_CLIENT, TO_SERVER, Direction, Fate, proxied
from tests.faults.socket_line import Person
from tests.local.conftest import processes_in, until

SECONDS = 40.0


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tmp")


@pytest.fixture(scope="module")
def mortal(temporary: Path) -> Iterator[Stack]:
    """A run whose emulator may be killed."""
    with running_stack("--no-watch", temporary=temporary) as run:
        yield run


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that look after their links more often than a page, so that a test is short."""
    for name, seconds in (
        ("BEAT_SECONDS", 1.0),
        ("PONG_SECONDS", 2.0),
        ("ANSWER_SECONDS", 3.0),
        ("BASE_SECONDS", 0.1),
        ("MOST_SECONDS", 1.0),
    ):
        monkeypatch.setattr(timing, name, seconds)


class Once:
    """Gives the first frame that holds a text its fate; all others pass."""

    def __init__(self, direction: Direction, text: str, fate: Fate) -> None:
        self._wanted, self._fate = (direction, text), fate
        self.done = threading.Event()

    def __call__(self, direction: Direction, text: str) -> Fate:
        if self.done.is_set() or direction != self._wanted[0] or self._wanted[1] not in text:
            return Fate.PASSES
        self.done.set()
        return self._fate


def texts(client: Client, room: str) -> list[str]:
    """Return what a client has read, in its order."""
    timeline = client.timelines.get(room) or Timeline()
    return [timeline.shown[seq]["message"] for seq in sorted(timeline.shown)]


FATES = [fate for fate in Fate if fate is not Fate.PASSES]


@pytest.mark.parametrize("fate", FATES, ids=lambda fate: fate.name)
def test_whoever_misses_what_others_say_reads_exactly_that_in_order_then_what_comes(mortal: Stack, fate: Fate) -> None:
    room = fresh_room()
    decide = Once(TO_CLIENT, "number 1", fate)
    with proxied(mortal.websocket_url, decide) as proxy, Chatter(mortal.websocket_url) as ada, ExitStack() as people:
        ada.joins(room, "Ada")
        ben = Person(proxy.url, "Ben", room, 1)
        people.callback(ben.ends)
        until(lambda: ben.client.joined, "Ben has joined", SECONDS)
        for number in range(1, 4):
            ada.sends(f"number {number}")
        until(lambda: len(texts(ben.client, room)) == 3, "Ben has read all three", SECONDS)
        ada.sends("number 4")
        until(lambda: len(texts(ben.client, room)) == 4, "Ben reads on", SECONDS)
        assert decide.done.is_set()
        assert texts(ben.client, room) == [f"number {number}" for number in range(1, 5)]
        assert not ben.client.timelines[room].doubled
        assert not ben.client.lost[room]


@pytest.mark.parametrize("fate", FATES, ids=lambda fate: fate.name)
@pytest.mark.parametrize("direction", [TO_SERVER, TO_CLIENT])
def test_a_message_whose_frame_or_acknowledgement_is_lost_is_stored_once(
    mortal: Stack, direction: Direction, fate: Fate
) -> None:
    room = fresh_room()
    decide = Once(direction, "from Ben", fate)
    with proxied(mortal.websocket_url, decide) as proxy, Chatter(mortal.websocket_url) as ada, ExitStack() as people:
        ada.joins(room, "Ada")
        ben = Person(proxy.url, "Ben", room, 1)
        people.callback(ben.ends)
        until(lambda: ben.client.joined, "Ben has joined", SECONDS)
        ben.does(lambda client: client.say("from Ben"))
        until(lambda: ben.client.acknowledged, "Ben's message is acknowledged", SECONDS)
        assert decide.done.is_set()
        page = ada.reads(after=0)
        assert page["room"] == room
        assert [one["message"] for one in page["messages"]] == ["from Ben"]
        assert texts(ben.client, room) == ["from Ben"]


class Weather:
    """Gives frames their fates by a seed's draw, until it clears up."""

    def __init__(self, seed: int) -> None:
        self._draw, self._turn = random.Random(seed), threading.Lock()  # noqa: S311 - a run that can be repeated
        self.counts: Counter[str] = Counter()
        self.clear = False

    def __call__(self, direction: Direction, text: str) -> Fate:
        with self._turn:
            if self.clear or self._draw.random() > 0.04:
                return Fate.PASSES
            fate = self._draw.choices(FATES, weights=[6, 6, 1, 1, 1, 1])[0]
            self.counts[f"{fate.value}, {direction}"] += 1
            return fate


def emulator_of(temporary: Path) -> int:
    """Return the emulator's process: the one whose folder is named on its command line."""
    return next(pid for pid in processes_in(temporary) if b"emulated_aws" in Path(f"/proc/{pid}/cmdline").read_bytes())


@pytest.mark.parametrize("seed", [1])
def test_a_seeded_run_with_the_emulator_killed_loses_and_doubles_nothing(
    mortal: Stack, temporary: Path, seed: int
) -> None:
    rooms = [fresh_room(), fresh_room()]
    weather = Weather(seed)
    draw = random.Random(seed)  # noqa: S311 - a run that can be repeated
    verdict = Verdict(seed, faults=weather.counts)
    with proxied(mortal.websocket_url, weather) as proxy, ExitStack() as ending:
        people = [Person(proxy.url, f"Person {number}", rooms[number % 2], seed + number) for number in range(6)]
        for person in people:
            ending.callback(person.ends)
        until(lambda: any(person.client.joined for person in people), "somebody has joined", SECONDS)
        for number in range(60):
            draw.choice(people).does(lambda client, number=number: client.say(f"{client.name} says {number}"))
            time.sleep(draw.expovariate(1 / 0.1))  # people's pace, not a wait
            if number == 30:
                os.kill(emulator_of(temporary), signal.SIGKILL)
                weather.counts["emulator killed"] += 1
        weather.clear = True
        everybody = [person.client for person in people]
        until(lambda: all(client.joined and not client.outbox for client in everybody), "all is acknowledged", SECONDS)
        with Chatter(mortal.websocket_url) as reader:
            fresh = {room: read_anew(reader, room) for room in rooms}
        until(lambda: all(has_read(client, fresh) for client in everybody), "all is read", SECONDS)
    judge_readers(everybody, fresh, verdict)
    print(verdict, dict(weather.counts))
    assert verdict.broken == []
    assert verdict.figures["acknowledged"] == verdict.figures["sent"] == 60


def read_anew(reader: Chatter, room: str) -> Timeline:
    """Read a room from its beginning."""
    reader.joins(room, after=0)
    timeline = Timeline()
    timeline.take(reader.reads_all())
    return timeline


def has_read(client: Client, fresh: dict[str, Timeline]) -> bool:
    """Tell whether a client has read its rooms to their ends."""
    return all(timeline.known >= max(fresh[room].shown, default=0) for room, timeline in client.timelines.items())
