"""Who hears what, and what becomes of members that are gone."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest
from greenlet import getcurrent, greenlet

from chat.delivery.broadcast import OPENING_SECONDS, Poster
from chat.protocol.frames_out import MAX_LISTED_MEMBERS
from chat.push.poster import Outcome
from chat.schema import CONNECTIONS, ROOMS
from tests.fakes.clock import VirtualClock
from tests.fakes.dynamodb import Call, DynamoDB, Interceptor, fail_once, kill_before, throttle
from tests.fakes.expressions import Item
from tests.fakes.services import Chat


@pytest.fixture
def chat() -> Chat:
    chat = Chat()
    chat.connect("anna")
    chat.join("anna", "garden", name="Anna")
    return chat


def come(chat: Chat, *connection_ids: str, room: str = "garden") -> None:
    """Let connections join a room, and be known there for a while."""
    for connection_id in connection_ids:
        chat.connect(connection_id)
        chat.join(connection_id, room, name=connection_id.title())
    chat.clock.advance(60)
    chat.clear()


def leaves(chat: Chat, connection_id: str) -> list[tuple[str, int]]:
    """Return the leaves that a connection was told of: who, and how many are left."""
    frames = chat.frames(connection_id, "presence")
    return [(one["connectionId"], one["memberCount"]) for one in frames if one["event"] == "leave"]


def test_a_ghost_disappears_at_the_first_post_that_fails(chat: Chat) -> None:
    come(chat, "ghost", "ben")
    chat.join("ghost", "kitchen")
    chat.gateway.vanish("ghost")
    chat.send("anna", "hello")
    assert chat.dynamodb.item(CONNECTIONS, connectionId="ghost") == {}
    assert [item for item in chat.dynamodb.items(ROOMS) if item["item"] == "member#ghost"] == []
    assert leaves(chat, "anna") == leaves(chat, "ben") == [("ghost", 2)]
    assert chat.join("anna", "garden")["memberCount"] == 2


def test_every_room_of_a_ghost_is_told(chat: Chat) -> None:
    come(chat, "ghost", "ben")
    chat.join("ghost", "kitchen")
    come(chat, "cleo", room="kitchen")
    chat.gateway.vanish("ghost")
    chat.send("anna", "hello")
    assert leaves(chat, "cleo") == [("ghost", 1)]


def test_many_ghosts_disappear_at_once_and_each_is_told_of(chat: Chat) -> None:
    ghosts = [f"ghost-{number}" for number in range(12)]
    come(chat, *ghosts)
    for ghost in ghosts:
        chat.gateway.vanish(ghost)
    chat.send("anna", "hello")
    assert sorted(leaves(chat, "anna")) == [(ghost, 1) for ghost in sorted(ghosts)]


def test_a_ghost_found_while_others_are_told_of_one_disappears_too(chat: Chat) -> None:
    """Ben is gone when he is to be told that the first ghost has left its other room."""
    come(chat, "ghost")
    come(chat, "ben", "cleo", room="kitchen")
    chat.join("ghost", "kitchen")
    chat.gateway.vanish("ghost")
    chat.gateway.vanish("ben")
    chat.send("anna", "hello")
    assert leaves(chat, "cleo") == [("ghost", 2), ("ben", 1)]


@pytest.mark.parametrize("fault", [kill_before, throttle], ids=["killed", "throttled"])
def test_a_removal_that_was_cut_short_is_finished_and_told_by_the_next_message(chat: Chat, fault: Interceptor) -> None:
    come(chat, "ghost", "ben")
    chat.dynamodb.intercept = fail_once(fault, "DeleteItem", ROOMS)
    chat.gateway.disconnect("ghost")
    assert chat.dynamodb.item(CONNECTIONS, connectionId="ghost") == {}
    chat.send("anna", "hello")
    assert chat.dynamodb.item(ROOMS, room="garden", item="member#ghost") == {}
    assert leaves(chat, "anna") == leaves(chat, "ben") == [("ghost", 2)]


class Closing:
    """A poster that needs all the time there is for its first message."""

    def __init__(self, poster: Poster, clock: VirtualClock) -> None:
        self._poster = poster
        self._clock = clock

    def post(self, connection_ids: Iterable[str], frame: bytes, *, deadline: float) -> Outcome:
        outcome = self._poster.post(connection_ids, frame, deadline=deadline)
        self._clock.advance(deadline - self._clock.monotonic())
        return outcome


def test_ghosts_that_there_is_no_time_for_are_left_to_the_next_message(chat: Chat) -> None:
    come(chat, "ghost", "spook")
    chat.gateway.vanish("ghost")
    chat.gateway.vanish("spook")
    chat.services.poster = Closing(chat.gateway, chat.clock)
    chat.send("anna", "hello")
    assert chat.dynamodb.item(CONNECTIONS, connectionId="ghost")
    chat.services.poster = chat.gateway
    chat.send("anna", "hello again")
    assert chat.dynamodb.item(CONNECTIONS, connectionId="ghost") == {}
    assert sorted(leaves(chat, "anna")) == [("ghost", 1), ("spook", 1)]


class OpeningClock(VirtualClock):
    """Opens a socket once somebody has waited."""

    def __init__(self, chat: Chat, connection_id: str) -> None:
        super().__init__()
        self.advance(chat.clock.monotonic())
        self._socket = chat.gateway.sockets[connection_id]

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if seconds == OPENING_SECONDS:
            self._socket.is_open = True


def test_a_socket_that_opens_a_moment_late_misses_nothing_and_stays_a_member() -> None:
    """API Gateway opens a socket after it has answered `$connect`; a post to it is answered by 410 until then."""
    chat = Chat()
    chat.connect("other", "wscat")
    chat.gateway.vanish("wscat")
    chat.services.clock = OpeningClock(chat, "wscat")
    said = chat.send("other", "hello")
    assert chat.frames("wscat", "message") == [said]
    assert chat.dynamodb.item(CONNECTIONS, connectionId="wscat")
    assert leaves(chat, "other") == []


def test_a_socket_that_never_opens_is_removed() -> None:
    chat = Chat()
    chat.connect("other", "wscat")
    chat.gateway.vanish("wscat")
    chat.send("other", "hello")
    assert chat.dynamodb.item(CONNECTIONS, connectionId="wscat") == {}
    assert leaves(chat, "other") == [("wscat", 1)]


def test_an_expired_connection_is_neither_listed_nor_counted_nor_posted_to(chat: Chat) -> None:
    chat.clock.advance(7200)
    chat.connect("ben")
    joined = chat.join("ben", "garden")
    assert ([one["connectionId"] for one in joined["members"]], joined["memberCount"]) == (["ben"], 1)
    chat.clear()
    chat.send("ben", "hello")
    assert {post.connection_id for post in chat.gateway.posts} == {"ben"}


def test_a_member_that_was_put_there_by_hand_hears_the_room(chat: Chat) -> None:
    chat.connect("by-hand-0001")
    chat.dynamodb.put(ROOMS, {"room": "garden", "item": "member#by-hand-0001"})
    said = chat.send("anna", "hello")
    assert chat.frames("by-hand-0001", "message") == [said]
    member = {"connectionId": "by-hand-0001", "name": "by-hand-", "sender": "by-hand-0001"}
    assert member in chat.join("anna", "garden")["members"]


def test_members_that_could_not_be_read_are_read_again(chat: Chat) -> None:
    come(chat, "ben")
    tries = []

    def fail_twice(call: Call, send: Callable[[], Item]) -> Item:
        if "member#" not in call.request.get("ExpressionAttributeValues", {}).get(":first", {}).values():
            return send()
        tries.append(call)
        return throttle(call, send) if len(tries) <= 2 else send()

    chat.dynamodb.intercept = fail_twice
    said = chat.send("anna", "hello")
    assert chat.frames("ben", "message") == [said]
    assert len(tries) == 3
    assert {event["error"] for event in chat.services.events("members_unread")} == {"ClientError"}


def crowd(chat: Chat, size: int) -> Iterator[str]:
    """Put members into the garden until it has a size."""
    for number in range(size - 1):
        connection_id = f"member-{number:03d}"
        chat.connect(connection_id)
        chat.dynamodb.put(ROOMS, {"room": "garden", "item": f"member#{connection_id}", "name": f"Member {number}"})
        yield connection_id


def test_a_room_of_100_hears_each_rename_and_typing(chat: Chat) -> None:
    one, *_ = crowd(chat, MAX_LISTED_MEMBERS)
    chat.join("anna", "garden", name="Anne")
    chat.typing("anna")
    assert [frame.get("event", frame["type"]) for frame in chat.frames(one)][-2:] == ["rename", "typing"]


def test_a_room_above_100_hears_its_count_only_and_of_about_20_changes_in_as_many_as_it_has_members(chat: Chat) -> None:
    one, *_ = crowd(chat, 200)
    chat.clear()
    for number in range(60):
        chat.connect(f"visitor-{number}")
        chat.join(f"visitor-{number}", "garden")
        chat.leave(f"visitor-{number}", "garden")
        chat.clock.advance(5)
    told = chat.frames(one)
    assert {(frame["event"], frame["memberCount"]) for frame in told} == {("count", 200), ("count", 201)}
    assert 5 <= len(told) <= 22, "of 120 changes a tenth"
    assert all(frame.keys() == {"type", "room", "event", "memberCount"} for frame in told)


def test_a_room_above_100_hears_of_no_new_name_and_nobody_typing(chat: Chat) -> None:
    one, *_ = crowd(chat, MAX_LISTED_MEMBERS + 1)
    chat.clear()
    for number in range(20):
        chat.join("anna", "garden", name=f"Name {number}")
        chat.typing("anna")
        chat.clock.advance(5)
    assert chat.frames(one) == []


class Crowd:
    """Lets many join at the same time: each runs until it waits for the others, then goes on."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._hub = getcurrent()
        chat.services.client = self._dynamodb = DynamoDB(chat.clock, call_seconds=lambda: 0.0)
        chat.services.clock = self
        chat.dynamodb = self._dynamodb
        self.now_ms, self.monotonic = chat.clock.now_ms, chat.clock.monotonic

    def sleep(self, seconds: float) -> None:
        """Let the others go on."""
        (self._hub.switch if getcurrent() is not self._hub else self._chat.clock.sleep)(seconds)

    def join(self, connection_ids: Sequence[str], room: str) -> None:
        """Let all join within a second."""
        tasks = [greenlet(lambda one=one: self._chat.join(one, room)) for one in connection_ids]
        waits = [task.switch() for task in tasks]
        self._chat.clock.advance(max((wait for wait in waits if isinstance(wait, float)), default=0.0))
        for task in tasks:
            while not task.dead:
                task.switch()


@pytest.mark.parametrize(("before", "comers", "most"), [(30, 60, 90), (21, 100, 121), (300, 100, 400)])
def test_those_who_join_within_a_second_cost_one_post_to_each_member(before: int, comers: int, most: int) -> None:
    chat = Chat()
    crowd_of = Crowd(chat)
    chat.connect("anna")
    chat.join("anna", "garden", name="Anna")
    one, *_ = crowd(chat, before)
    ids = [f"comer-{number:03d}" for number in range(comers)]
    chat.clock.advance(60)
    chat.connect(*ids)
    chat.clear()
    crowd_of.join(ids, "garden")
    told = [post for post in chat.gateway.posts if post.frame["type"] == "presence"]
    assert 0 < len(told) <= most, "not 60 times as many"
    (frame,) = chat.frames(one)
    assert (frame["event"], frame["memberCount"]) == ("count", before + comers)
    listed = [member["connectionId"] for member in frame.get("members", [])]
    assert len(listed) == (before + comers if before + comers <= MAX_LISTED_MEMBERS else 0)


def test_one_who_joins_a_room_of_21_alone_is_told_as_before(chat: Chat) -> None:
    one, *_ = crowd(chat, 21)
    chat.clock.advance(2)
    chat.connect("ben")
    chat.clear()
    chat.join("ben", "garden", name="Ben")
    (frame,) = chat.frames(one)
    assert (frame["event"], frame["name"], frame["memberCount"]) == ("join", "Ben", 22)


def test_a_new_name_within_the_second_of_a_join_does_not_hide_it(chat: Chat) -> None:
    """A member counts from when it came; what it writes later into its item does not make it the last to come."""
    one, *_ = crowd(chat, 21)
    chat.clock.advance(2)
    chat.connect("ben")
    chat.clear()
    chat.join("ben", "garden", name="Ben")
    chat.join("anna", "garden", name="Anne")
    assert [frame["event"] for frame in chat.frames(one)] == ["join", "rename"]
    (item,) = [each for each in chat.dynamodb.items(ROOMS) if each["item"] == "member#anna"]
    assert (item["name"], item["at"] < chat.clock.now_ms() - 1000) == ("Anne", True)


@pytest.mark.parametrize("seconds_left", [28, 9])
def test_members_that_cannot_be_read_are_tried_again_while_the_invocation_lasts(chat: Chat, seconds_left: int) -> None:
    """The deadline is the real one: what Lambda's context says is left, less what has to follow."""
    come(chat, "ben")
    begun = chat.clock.monotonic()
    recovers = begun + seconds_left - 6

    def fail_for_a_while(call: Call, send: Callable[[], Item]) -> Item:
        if "member#" not in call.request.get("ExpressionAttributeValues", {}).get(":first", {}).values():
            return send()
        return throttle(call, send) if chat.clock.monotonic() < recovers else send()

    chat.dynamodb.intercept = fail_for_a_while
    chat.gateway.function_seconds = float(seconds_left)
    said = chat.send("anna", "hello")
    assert chat.frames("ben", "message") == [said]
    assert chat.clock.monotonic() < begun + seconds_left


def test_members_that_can_never_be_read_end_an_invocation_in_time(chat: Chat) -> None:
    come(chat, "ben")
    begun = chat.clock.monotonic()

    def fail(call: Call, send: Callable[[], Item]) -> Item:
        is_list = "member#" in call.request.get("ExpressionAttributeValues", {}).get(":first", {}).values()
        return throttle(call, send) if is_list else send()

    chat.dynamodb.intercept = fail
    assert chat.send("anna", "hello")["message"] == "hello"
    assert chat.frames("anna", "error") == chat.frames("ben") == []
    assert 20 < chat.clock.monotonic() - begun < 29


def test_what_was_posted_is_logged_by_its_counts(chat: Chat) -> None:
    come(chat, "ben", "cleo")
    chat.gateway.throttled.add("ben")
    chat.gateway.failing.add("cleo")
    chat.send("anna", "hello")
    counts = {"posts": 1, "gone": 0, "throttled": 1, "failed": 1, "cut_short": 0}
    (event,) = [one for one in chat.services.events("posted") if one["frame"] == "message"]
    assert {name: event[name] for name in counts} == counts
