"""Real clients through an unreliable proxy to the real emulator, which is killed too."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chat_client.session import ChatSession, Timing
from chat_client.timeline import Timeline
from chat_client.websocket import ChatSocket, SessionTransport, SessionTransports
from tests.conftest import Stack, fresh_room, running_stack, wait_until
from tests.faults.checker import Verdict, judge_readers
from tests.faults.proxy import TO_CLIENT, TO_SERVER, Direction, Fate, proxied
from tests.local.conftest import emulator_of

SECONDS = 40.0
FATES = [fate for fate in Fate if fate is not Fate.PASSES]

IMPATIENT = Timing(heartbeat=1.0, pong=2.0, answer=3.0, base_delay=0.1, max_delay=1.0)
"""Shorter than a page's, to keep the tests short."""

Person = SessionTransport[ChatSession]


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tmp")


@pytest.fixture(scope="module")
def mortal(temporary: Path) -> Iterator[Stack]:
    """A run whose emulator tests may kill."""
    with running_stack("--no-watch", temporary=temporary) as run:
        yield run


def enter(people: SessionTransports[ChatSession], name: str, *rooms: str) -> Person:
    """Connect a client that enters rooms."""

    def make(transport: Person) -> ChatSession:
        draw = random.Random(f"{name} {rooms}")
        return ChatSession(transport, name=name, clock=time.monotonic, draw=draw, timing=IMPATIENT)

    person = people.add(make)
    for room in rooms:
        person.do(lambda session, room=room: session.enter(room))
    person.do(ChatSession.connect)
    return person


def texts(person: Person, room: str) -> list[str]:
    """Return the messages that a client has read, by seq."""
    messages = person.do(lambda session: dict(session.timelines[room].messages) if room in session.timelines else {})
    return [messages[seq]["message"] for seq in sorted(messages)]


class Once:
    """Applies a fate to the first frame that contains a text."""

    def __init__(self, direction: Direction, text: str, fate: Fate) -> None:
        self._wanted, self._fate = (direction, text), fate
        self.done = threading.Event()

    def __call__(self, direction: Direction, text: str) -> Fate:
        if self.done.is_set() or direction != self._wanted[0] or self._wanted[1] not in text:
            return Fate.PASSES
        self.done.set()
        return self._fate


@contextmanager
def ada_and_ben(stack: Stack, room: str, decide: Once) -> Iterator[tuple[ChatSocket, Person]]:
    """Connect two members of a room, Ben through a proxy."""
    with (
        proxied(stack.websocket_url, decide) as proxy,
        ChatSocket(stack.websocket_url) as ada,
        SessionTransports[ChatSession](proxy.url) as people,
    ):
        ada.join(room, name="Ada")
        ben = enter(people, "Ben", room)
        wait_until(lambda: ben.session.is_in(room), "Ben has joined", SECONDS)
        yield ada, ben


@pytest.mark.parametrize("fate", FATES, ids=lambda fate: fate.name)
def test_a_client_catches_up_on_missed_messages_and_then_reads_on(mortal: Stack, fate: Fate) -> None:
    room, decide = fresh_room(), Once(TO_CLIENT, "number 1", fate)
    with ada_and_ben(mortal, room, decide) as (ada, ben):
        for number in range(1, 4):
            ada.send_message(f"number {number}", to=room)
        wait_until(lambda: len(texts(ben, room)) == 3, "Ben has read all three", SECONDS)
        ada.send_message("number 4", to=room)
        wait_until(lambda: len(texts(ben, room)) == 4, "Ben reads on", SECONDS)
        assert decide.done.is_set()
        assert texts(ben, room) == [f"number {number}" for number in range(1, 5)]
        assert not ben.session.timelines[room].conflicts
        assert not ben.session.timelines[room].losses


@pytest.mark.parametrize("fate", FATES, ids=lambda fate: fate.name)
@pytest.mark.parametrize("direction", [TO_SERVER, TO_CLIENT])
def test_a_message_whose_frame_or_acknowledgement_is_lost_is_stored_once(
    mortal: Stack, direction: Direction, fate: Fate
) -> None:
    room, decide = fresh_room(), Once(direction, "from Ben", fate)
    with ada_and_ben(mortal, room, decide) as (ada, ben):
        ben.do(lambda session: session.say("from Ben", to=room))
        wait_until(lambda: ben.session.acknowledged, "Ben's message is acknowledged", SECONDS)
        assert decide.done.is_set()
        page = ada.history(room=room, after=0)
        assert [message["message"] for message in page["messages"]] == ["from Ben"]
        assert texts(ben, room) == ["from Ben"]


class Weather:
    """Applies random fates to frames until `clear` is set."""

    def __init__(self, seed: int) -> None:
        self._draw, self._turn = random.Random(seed), threading.Lock()
        self.counts: Counter[str] = Counter()
        self.clear = False

    def __call__(self, direction: Direction, text: str) -> Fate:
        with self._turn:
            if self.clear or self._draw.random() > 0.04:
                return Fate.PASSES
            fate = self._draw.choices(FATES, weights=[6, 6, 1, 1, 1, 1])[0]
            self.counts[f"{fate.value}, {direction}"] += 1
            return fate


@pytest.mark.parametrize("seed", [1])
def test_a_seeded_run_with_a_killed_emulator_loses_and_duplicates_nothing(
    mortal: Stack, temporary: Path, seed: int
) -> None:
    rooms = [fresh_room(), fresh_room(), fresh_room()]
    weather = Weather(seed)
    draw = random.Random(seed)
    verdict = Verdict(seed, faults=weather.counts)
    with (
        proxied(mortal.websocket_url, weather) as proxy,
        SessionTransports[ChatSession](proxy.url) as transports,
    ):
        people = [
            enter(transports, f"Person {number}", rooms[number % 3], rooms[(number + 1) % 3]) for number in range(6)
        ]
        sessions = [person.session for person in people]
        wait_until(lambda: any(session.is_settled for session in sessions), "a client has joined", SECONDS)
        for number in range(60):
            speaker = draw.choice(people)
            text, room = f"message {number}", draw.choice(speaker.session.rooms)
            speaker.do(lambda session, text=text, room=room: session.say(text, to=room))
            time.sleep(draw.expovariate(1 / 0.1))  # the pace of people, not a wait
            if number == 30:
                os.kill(emulator_of(temporary), signal.SIGKILL)
                weather.counts["emulator killed"] += 1
        weather.clear = True
        wait_until(lambda: not any(session.outbox for session in sessions), "all messages are acknowledged", SECONDS)
        with ChatSocket(mortal.websocket_url) as reader:
            fresh = {room: read_fresh(reader, room) for room in rooms}
        wait_until(lambda: all(has_read(session, fresh) for session in sessions), "all messages are read", SECONDS)
    judge_readers(sessions, fresh, verdict)
    print(verdict, dict(weather.counts))
    assert verdict.broken == []
    assert verdict.figures["acknowledged"] == verdict.figures["sent"] == 60


def read_fresh(reader: ChatSocket, room: str) -> Timeline:
    """Read a room from its beginning."""
    reader.join(room)
    timeline = Timeline()
    timeline.take(reader.history_since(0, room=room))
    return timeline


def has_read(session: ChatSession, fresh: dict[str, Timeline]) -> bool:
    """Return whether a client has read all its rooms to their ends."""
    return all(timeline.known >= fresh[room].known for room, timeline in session.timelines.items())
