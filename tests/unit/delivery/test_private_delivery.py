"""Delivery in private rooms: who is posted to, and until when."""

from collections.abc import Callable, Iterable

import pytest

from chat.delivery.audience import WINDOW_SECONDS
from chat.delivery.broadcast import Poster
from chat.push.poster import Outcome
from chat.schema import ROOMS
from tests.fakes.dynamodb import Call, Interceptor, carry_out, throttle
from tests.fakes.expressions import Item
from tests.unit.private_rooms import PrivateChat

PEOPLE = ("anna", "ben", "cleo", "dan")


@pytest.fixture
def chat() -> PrivateChat:
    return PrivateChat(*PEOPLE)


@pytest.fixture
def room(chat: PrivateChat) -> str:
    room = chat.create("anna")
    for person in PEOPLE[1:]:
        chat.admit(person, room)
    chat.rest()
    return room


class Posting:
    """A poster that acts before each post of a message to somebody else than Anna."""

    def __init__(self, poster: Poster, act: Callable[[str], object]) -> None:
        self._poster = poster
        self._act = act
        self.deadlines: list[float] = []

    def post(self, connection_ids: Iterable[str], frame: bytes, *, deadline: float) -> Outcome:
        def acting() -> Iterable[str]:
            for connection_id in connection_ids:
                if b'"type":"message"' in frame and connection_id != "anna":
                    self._act(connection_id)
                yield connection_id

        self.deadlines.append(deadline)
        return self._poster.post(acting(), frame, deadline=deadline)


def reads_of_roles(*faults: Interceptor) -> Interceptor:
    """Return an interceptor with one fault for each read of a room's roles, in turn."""
    waiting = list(faults)

    def intercept(call: Call, send: Callable[[], Item]) -> Item:
        values = call.request.get("ExpressionAttributeValues", {})
        if call.operation == "Query" and values.get(":first") == {"S": "role#"} and waiting:
            return waiting.pop(0)(call, send)
        return send()

    return intercept


def received(chat: PrivateChat) -> dict[str, int]:
    return {person: len(chat.frames(person, "message")) for person in PEOPLE}


def test_posts_end_a_second_after_the_members_were_read(chat: PrivateChat, room: str) -> None:
    poster = chat.services.poster = Posting(chat.gateway, lambda _: None)
    started = chat.clock.monotonic()
    chat.send("anna", "hello", to=room)
    assert len(poster.deadlines) == 2, "the sender's copy, and the others'"
    assert all(deadline <= chat.clock.monotonic() + WINDOW_SECONDS for deadline in poster.deadlines)
    assert min(poster.deadlines) > started


def test_those_not_served_in_time_are_posted_to_after_another_read(chat: PrivateChat, room: str) -> None:
    slow = {"cleo"}

    def be_slow(connection_id: str) -> None:
        if connection_id in slow:
            slow.remove(connection_id)
            chat.clock.advance(2 * WINDOW_SECONDS)

    chat.services.poster = Posting(chat.gateway, be_slow)
    chat.send("anna", "hello", to=room)
    assert received(chat) == dict.fromkeys(PEOPLE, 1)


def test_one_removed_while_others_are_slow_gets_nothing(chat: PrivateChat, room: str) -> None:
    chat.connect("phone")
    chat.sign_in("phone", user="u-anna")

    removed: list[str] = []

    def remove_another(connection_id: str) -> None:
        if not removed:
            removed.append("ben" if connection_id != "ben" else "cleo")
            chat.remove("phone", room, removed[0])

    chat.services.poster = Posting(chat.gateway, remove_another)
    chat.send("anna", "hello", to=room)
    assert received(chat) == {**dict.fromkeys(PEOPLE, 1), removed[0]: 0}


def test_a_slow_read_of_the_members_is_repeated_before_anything_is_posted(chat: PrivateChat, room: str) -> None:
    def be_slow(_call: Call, send: Callable[[], Item]) -> Item:
        answer = send()
        chat.dynamodb.intercept = carry_out
        chat.clock.advance(2 * WINDOW_SECONDS)
        return answer

    chat.dynamodb.intercept = reads_of_roles(be_slow)
    chat.send("anna", "hello", to=room)
    assert received(chat) == dict.fromkeys(PEOPLE, 1)


def test_a_failed_read_of_the_members_is_repeated(chat: PrivateChat, room: str) -> None:
    chat.dynamodb.intercept = reads_of_roles(throttle, throttle)
    chat.send("anna", "hello", to=room)
    assert received(chat) == dict.fromkeys(PEOPLE, 1)
    assert [event["attempts"] for event in chat.services.events("members_read_failed")] == [1, 2]


def test_members_that_cannot_be_read_do_not_revoke_the_acknowledgement(chat: PrivateChat, room: str) -> None:
    chat.dynamodb.intercept = reads_of_roles(*[throttle] * 99)
    assert chat.send("anna", "hello", to=room)["seq"] == 1
    assert chat.frames("ben") == []


def test_a_peer_that_fails_delays_the_others_by_no_post(chat: PrivateChat, room: str) -> None:
    chat.gateway.failing.add("ben")
    chat.gateway.throttled.add("cleo")
    chat.send("anna", "hello", to=room)
    assert received(chat) == {"anna": 1, "ben": 0, "cleo": 0, "dan": 1}
    tries = [post.connection_id for post in chat.gateway.posts if post.frame["type"] == "message"]
    assert tries.count("dan") == tries.count("anna") == 1
    assert tries.count("ben") == 3, "those that were not served are tried again, but not for ever"


def test_the_other_connections_of_a_gone_one_stay(chat: PrivateChat, room: str) -> None:
    chat.connect("phone")
    chat.sign_in("phone", user="u-ben")
    chat.gateway.vanish("ben")
    chat.clear()
    chat.send("anna", "hello", to=room)
    assert chat.frames("phone", "message")
    sockets = chat.dynamodb.item(ROOMS, room="user#u-ben", item="sockets")
    assert {name for name in sockets if name.startswith("socket#")} == {"socket#phone"}
