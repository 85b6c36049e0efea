"""Delivery: who receives which frames, and the removal of gone members."""

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


def add_members(chat: Chat, *connection_ids: str, room: str = "garden") -> None:
    """Let connections join a room, and wait until they are established."""
    for connection_id in connection_ids:
        chat.connect(connection_id)
        chat.join(connection_id, room, name=connection_id.title())
    chat.clock.advance(60)
    chat.clear()


def leaves(chat: Chat, connection_id: str) -> list[tuple[str, int]]:
    """Return the leaves that a connection received, each with the remaining count."""
    frames = chat.frames(connection_id, "presence")
    return [(one["connectionId"], one["memberCount"]) for one in frames if one["event"] == "leave"]


def test_a_ghost_is_removed_by_the_first_post_that_fails(chat: Chat) -> None:
    add_members(chat, "ghost", "ben")
    chat.join("ghost", "kitchen")
    chat.gateway.vanish("ghost")
    chat.send("anna", "hello")
    assert chat.dynamodb.item(CONNECTIONS, connectionId="ghost") == {}
    assert [item for item in chat.dynamodb.items(ROOMS) if item["item"] == "member#ghost"] == []
    assert leaves(chat, "anna") == leaves(chat, "ben") == [("ghost", 2)]
    assert chat.join("anna", "garden")["memberCount"] == 2


def test_every_room_of_a_ghost_is_notified(chat: Chat) -> None:
    add_members(chat, "ghost", "ben")
    chat.join("ghost", "kitchen")
    add_members(chat, "cleo", room="kitchen")
    chat.gateway.vanish("ghost")
    chat.send("anna", "hello")
    assert leaves(chat, "cleo") == [("ghost", 1)]


def test_many_ghosts_are_removed_at_once_and_each_is_announced(chat: Chat) -> None:
    ghosts = [f"ghost-{number}" for number in range(12)]
    add_members(chat, *ghosts)
    for ghost in ghosts:
        chat.gateway.vanish(ghost)
    chat.send("anna", "hello")
    assert sorted(leaves(chat, "anna")) == [(ghost, 1) for ghost in sorted(ghosts)]


def test_a_ghost_found_while_announcing_another_is_removed_too(chat: Chat) -> None:
    """Ben turns out to be gone when the first ghost's leave of its other room is posted to him."""
    add_members(chat, "ghost")
    add_members(chat, "ben", "cleo", room="kitchen")
    chat.join("ghost", "kitchen")
    chat.gateway.vanish("ghost")
    chat.gateway.vanish("ben")
    chat.send("anna", "hello")
    assert leaves(chat, "cleo") == [("ghost", 2), ("ben", 1)]


@pytest.mark.parametrize("fault", [kill_before, throttle], ids=["killed", "throttled"])
def test_an_interrupted_removal_is_finished_and_announced_by_the_next_message(chat: Chat, fault: Interceptor) -> None:
    add_members(chat, "ghost", "ben")
    chat.dynamodb.intercept = fail_once(fault, "DeleteItem", ROOMS)
    chat.gateway.disconnect("ghost")
    assert chat.dynamodb.item(CONNECTIONS, connectionId="ghost") == {}
    chat.send("anna", "hello")
    assert chat.dynamodb.item(ROOMS, room="garden", item="member#ghost") == {}
    assert leaves(chat, "anna") == leaves(chat, "ben") == [("ghost", 2)]


class Closing:
    """A poster whose first message takes until the deadline."""

    def __init__(self, poster: Poster, clock: VirtualClock) -> None:
        self._poster = poster
        self._clock = clock

    def post(self, connection_ids: Iterable[str], frame: bytes, *, deadline: float) -> Outcome:
        outcome = self._poster.post(connection_ids, frame, deadline=deadline)
        self._clock.advance(deadline - self._clock.monotonic())
        return outcome


def test_ghosts_left_at_the_deadline_are_removed_by_the_next_message(chat: Chat) -> None:
    add_members(chat, "ghost", "spook")
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
    """Opens a connection after a sleep."""

    def __init__(self, chat: Chat, connection_id: str) -> None:
        super().__init__()
        self.advance(chat.clock.monotonic())
        self._socket = chat.gateway.sockets[connection_id]

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if seconds == OPENING_SECONDS:
            self._socket.is_open = True


def test_a_connection_that_opens_late_misses_nothing_and_stays_a_member() -> None:
    """API Gateway opens a connection after answering `$connect`; until then a post returns 410."""
    chat = Chat()
    chat.connect("other", "wscat")
    chat.gateway.vanish("wscat")
    chat.services.clock = OpeningClock(chat, "wscat")
    sent = chat.send("other", "hello")
    assert chat.frames("wscat", "message") == [sent]
    assert chat.dynamodb.item(CONNECTIONS, connectionId="wscat")
    assert leaves(chat, "other") == []


def test_a_connection_that_never_opens_is_removed() -> None:
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


def test_a_member_item_put_by_hand_receives_messages(chat: Chat) -> None:
    chat.connect("by-hand-0001")
    chat.dynamodb.put(ROOMS, {"room": "garden", "item": "member#by-hand-0001"})
    sent = chat.send("anna", "hello")
    assert chat.frames("by-hand-0001", "message") == [sent]
    member = {"connectionId": "by-hand-0001", "name": "by-hand-", "sender": "by-hand-0001"}
    assert member in chat.join("anna", "garden")["members"]


def test_a_failed_read_of_members_is_retried(chat: Chat) -> None:
    add_members(chat, "ben")
    tries = []

    def fail_twice(call: Call, send: Callable[[], Item]) -> Item:
        if "member#" not in call.request.get("ExpressionAttributeValues", {}).get(":first", {}).values():
            return send()
        tries.append(call)
        return throttle(call, send) if len(tries) <= 2 else send()

    chat.dynamodb.intercept = fail_twice
    sent = chat.send("anna", "hello")
    assert chat.frames("ben", "message") == [sent]
    assert len(tries) == 3
    assert {event["error"] for event in chat.services.events("members_read_failed")} == {"ClientError"}


def crowd(chat: Chat, size: int) -> Iterator[str]:
    """Add members to the garden up to a size."""
    for number in range(size - 1):
        connection_id = f"member-{number:03d}"
        chat.connect(connection_id)
        chat.dynamodb.put(ROOMS, {"room": "garden", "item": f"member#{connection_id}", "name": f"Member {number}"})
        yield connection_id


def test_a_room_of_100_receives_every_rename_and_typing(chat: Chat) -> None:
    one, *_ = crowd(chat, MAX_LISTED_MEMBERS)
    chat.join("anna", "garden", name="Anne")
    chat.typing("anna")
    assert [frame.get("event", frame["type"]) for frame in chat.frames(one)][-2:] == ["rename", "typing"]


def test_a_room_of_n_above_100_receives_only_the_count_for_about_20_of_n_changes(chat: Chat) -> None:
    one, *_ = crowd(chat, 200)
    chat.clear()
    for number in range(60):
        chat.connect(f"visitor-{number}")
        chat.join(f"visitor-{number}", "garden")
        chat.leave(f"visitor-{number}", "garden")
        chat.clock.advance(5)
    presence = chat.frames(one)
    assert {(frame["event"], frame["memberCount"]) for frame in presence} == {("count", 200), ("count", 201)}
    assert 5 <= len(presence) <= 22, "about a tenth of 120 changes"
    assert all(frame.keys() == {"type", "room", "event", "memberCount"} for frame in presence)


def test_a_room_above_100_receives_no_rename_and_no_typing(chat: Chat) -> None:
    one, *_ = crowd(chat, MAX_LISTED_MEMBERS + 1)
    chat.clear()
    for number in range(20):
        chat.join("anna", "garden", name=f"Name {number}")
        chat.typing("anna")
        chat.clock.advance(5)
    assert chat.frames(one) == []


class Crowd:
    """Runs joins concurrently: each runs until it waits for the others, then continues."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._hub = getcurrent()
        chat.services.client = self._dynamodb = DynamoDB(chat.clock, call_seconds=lambda: 0.0)
        chat.services.clock = self
        chat.dynamodb = self._dynamodb
        self.now_ms, self.monotonic = chat.clock.now_ms, chat.clock.monotonic

    def sleep(self, seconds: float) -> None:
        """Let the others run."""
        (self._hub.switch if getcurrent() is not self._hub else self._chat.clock.sleep)(seconds)

    def join(self, connection_ids: Sequence[str], room: str) -> None:
        """Let all connections join within a second."""
        tasks = [greenlet(lambda one=one: self._chat.join(one, room)) for one in connection_ids]
        waits = [task.switch() for task in tasks]
        self._chat.clock.advance(max((wait for wait in waits if isinstance(wait, float)), default=0.0))
        for task in tasks:
            while not task.dead:
                task.switch()


@pytest.mark.parametrize(("before", "comers", "most"), [(30, 60, 90), (21, 100, 121), (300, 100, 400)])
def test_joins_within_a_second_cost_one_post_per_member(before: int, comers: int, most: int) -> None:
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
    presence = [post for post in chat.gateway.posts if post.frame["type"] == "presence"]
    assert 0 < len(presence) <= most, "not 60 times as many"
    (frame,) = chat.frames(one)
    assert (frame["event"], frame["memberCount"]) == ("count", before + comers)
    listed = [member["connectionId"] for member in frame.get("members", [])]
    assert len(listed) == (before + comers if before + comers <= MAX_LISTED_MEMBERS else 0)


def test_a_single_join_to_a_room_of_21_is_announced_by_name(chat: Chat) -> None:
    one, *_ = crowd(chat, 21)
    chat.clock.advance(2)
    chat.connect("ben")
    chat.clear()
    chat.join("ben", "garden", name="Ben")
    (frame,) = chat.frames(one)
    assert (frame["event"], frame["name"], frame["memberCount"]) == ("join", "Ben", 22)


def test_a_rename_within_the_same_second_does_not_hide_a_join(chat: Chat) -> None:
    """A member counts from its join; a later write to its item does not make it the last to join."""
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
def test_reading_members_is_retried_until_the_deadline(chat: Chat, seconds_left: int) -> None:
    """Uses the real deadline: the remaining time in Lambda's context, minus the time for the work that follows."""
    add_members(chat, "ben")
    begun = chat.clock.monotonic()
    recovers = begun + seconds_left - 6

    def fail_for_a_while(call: Call, send: Callable[[], Item]) -> Item:
        if "member#" not in call.request.get("ExpressionAttributeValues", {}).get(":first", {}).values():
            return send()
        return throttle(call, send) if chat.clock.monotonic() < recovers else send()

    chat.dynamodb.intercept = fail_for_a_while
    chat.gateway.function_seconds = float(seconds_left)
    sent = chat.send("anna", "hello")
    assert chat.frames("ben", "message") == [sent]
    assert chat.clock.monotonic() < begun + seconds_left


def test_an_invocation_ends_in_time_if_members_can_never_be_read(chat: Chat) -> None:
    add_members(chat, "ben")
    begun = chat.clock.monotonic()

    def fail(call: Call, send: Callable[[], Item]) -> Item:
        is_list = "member#" in call.request.get("ExpressionAttributeValues", {}).get(":first", {}).values()
        return throttle(call, send) if is_list else send()

    chat.dynamodb.intercept = fail
    assert chat.send("anna", "hello")["message"] == "hello"
    assert chat.frames("anna", "error") == chat.frames("ben") == []
    assert 20 < chat.clock.monotonic() - begun < 29


def test_posts_are_logged_as_counts(chat: Chat) -> None:
    add_members(chat, "ben", "cleo")
    chat.gateway.throttled.add("ben")
    chat.gateway.failing.add("cleo")
    chat.send("anna", "hello")
    counts = {"posts": 1, "gone": 0, "throttled": 1, "failed": 1, "cut_short": 0}
    (event,) = [one for one in chat.services.events("posted") if one["frame"] == "message"]
    assert {name: event[name] for name in counts} == counts
