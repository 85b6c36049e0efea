"""The model of the worst hour covers every frame, and the breaker's limit is between a class and a flood."""

import json
import math
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.costs import READ_UNIT_USD, WEBSOCKET_MESSAGE_USD, WRITE_UNIT_USD
from benchmarks.worst_hour import (
    BENCHMARKS,
    RESULTS,
    Case,
    Frame,
    busy_class_messages_a_minute,
    cases,
    costliest_mix,
    list_of_rooms,
    page_ping,
    rename,
    visible_page,
)
from chat.schema import ROOMS
from chat.store.connections import MAX_ROOMS
from chat.store.listings import MAX_PRIVATE_ROOMS
from chat.store.private_rooms import MAX_MEMBERS
from tests.fakes.dynamodb import CALL_SECONDS, Usage
from tests.fakes.services import Chat
from tests.unit.private_rooms import PrivateChat

ChatT = TypeVar("ChatT", bound=Chat)

MEMBERS = 60
LARGE = "\U0001f600" * 4000
FLOOD = Case(name="a flood", frames_per_second=50, burst=100, allowances=5, seconds=1.0)
"""So short that its readers are the 60 connections that an address may open at once."""
ACTS: dict[str, dict[str, Any]] = {
    "large message": {"action": "sendmessage", "to": "garden", "message": LARGE},
    "message": {"action": "sendmessage", "to": "garden", "message": "hello"},
    "history": {"action": "history", "limit": 100},
    "ping": {"action": "ping", "room": "garden", "roster": 1},
    "typing": {"action": "typing", "room": "garden"},
    "join": {"action": "join", "room": "garden", "name": "\U0001f600" * 40, "secret": "m00" * 6},
}


@pytest.fixture
def chat() -> Chat:
    """A room of 60 members with long names, whose last messages are large."""
    chat = Chat()
    members = [f"m{number:02}" for number in range(MEMBERS)]
    for member in members:
        chat.connect(member)
        chat.join(member, "garden", name="\U0001f601" * 40, secret=member * 6)
        chat.clock.advance(60)
    for _ in range(5):
        chat.call("m00", frame("large message"))
        chat.clock.advance(60)
    return chat


def frame(kind: str) -> str:
    return json.dumps(ACTS[kind], ensure_ascii=False)


def size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def use(chat: ChatT, act: Callable[[ChatT], Any]) -> tuple[Usage, int, int]:
    """Return an action's usage, its messages and the bytes sent."""
    chat.clear()
    chat.clock.advance(60)
    with chat.dynamodb.counting() as usage:
        body = (act(chat) or {}).get("body") or ""
    posts = [size(post.frame) for post in chat.gateway.posts]
    return usage, 1 + bool(body) + len(posts), len(body.encode()) + sum(posts)


@pytest.mark.parametrize("kind", ACTS)
def test_a_frame_uses_no_more_than_the_model_says(chat: Chat, kind: str) -> None:
    (model,) = [one for one in FLOOD.frames() if one.kind == kind]
    assert FLOOD.readers == MEMBERS
    usage, messages, sent = use(chat, lambda chat: chat.call("m00", frame(kind)))
    assert usage.written <= model.written
    assert usage.read <= model.read
    assert messages <= model.messages
    assert sent <= model.bytes_out


def test_a_connection_uses_no_more_than_the_model_says() -> None:
    chat = Chat()
    (model,) = [one for one in FLOOD.frames() if one.kind == "connect"]
    first, _, _ = use(chat, lambda chat: chat.connect("new"))
    last, _, _ = use(chat, lambda chat: chat.disconnect("new"))
    assert first.written + last.written <= model.written
    assert first.read + last.read <= model.read


@pytest.mark.parametrize("members", [1, 30, 100])
def test_a_visible_page_uses_no_more_than_the_model_says(members: int) -> None:
    """The pong lists the members only if they differ from the page's list."""
    chat, model = Chat(), page_ping(members)
    names = [f"m{number:03}" for number in range(members)]
    for name in names:
        chat.connect(name)
        chat.join(name, "garden", name="Anna Maria", secret=name * 6)
        chat.clock.advance(60)
    usage, messages, _ = use(chat, lambda chat: chat.call("m000", {"action": "ping", "room": "garden", "roster": 1}))
    assert usage.written <= model.written
    assert usage.read <= model.read
    assert messages == model.messages


class InLargeRooms(PrivateChat):
    """Anna is in `count` private rooms of 100 members, all others different people with long names."""

    def __init__(self, count: int) -> None:
        super().__init__("anna")
        for number in range(count):
            room = self.create("anna", title="x" * 80)
            self.clock.advance(11)
            for other in range(MAX_MEMBERS - 1):
                user = f"{number:02}{other:034}"
                person = {"name": "\U0001f601" * 40, "sender": f"guest-{'x' * 22}"}
                role = {"role": "member", **person, "since": 0, "at": other}
                self.dynamodb.put(ROOMS, {"room": room, "item": f"role#{user}", **role})
        self.sign_in("anna")


def test_a_list_of_rooms_uses_no_more_than_the_model_says() -> None:
    model = list_of_rooms(10, most_per_second=1)
    usage, _, _ = use(InLargeRooms(10), lambda chat: chat.call("anna", '{"action":"rooms"}'))
    assert usage.written <= model.written
    assert model.read / 2 < usage.read <= model.read, "nor much less: the model would hide a saving"


def test_a_rename_uses_no_more_than_the_model_says() -> None:
    chat, sockets = PrivateChat("anna"), 5
    devices = ["anna", *(f"device-{number}" for number in range(sockets - 1))]
    for device in devices[1:]:
        chat.connect(device)
        chat.sign_in(device, user="u-anna")
    for device in devices:
        for number in range(MAX_ROOMS):
            chat.join(device, f"room-{device}-{number}")
            chat.clock.advance(1)
    model = rename(sockets, most_per_second=1)
    usage, messages, sent = use(chat, lambda chat: chat.call("anna", '{"action":"profile","name":"Annika"}'))
    assert usage.written <= model.written
    assert usage.read <= model.read
    assert messages <= model.messages
    assert sent <= model.bytes_out
    assert usage.round_trips() * CALL_SECONDS <= model.seconds


def test_no_other_frame_of_accounts_costs_more_than_one_of_the_model() -> None:
    """Each in a room of 100 members with one connection: those who hear it are the flood's readers."""
    chat = PrivateChat("anna", "ben", "cleo")
    room = chat.create("anna")
    for other in range(MAX_MEMBERS - 3):
        person = {"name": "\U0001f601" * 40, "sender": f"guest-{'x' * 22}"}
        chat.dynamodb.put(
            ROOMS, {"room": room, "item": f"role#{other:036}", "role": "member", **person, "since": 0, "at": other}
        )
    chat.admit("ben", room)
    frames = [
        {"action": "members", "room": room},
        {"action": "editroom", "room": room, "title": "x" * 80},
        {"action": "setrole", "room": room, "userId": "u-ben", "role": "moderator"},
        {"action": "createinvite", "room": room},
        {"action": "invite", "room": room, "name": "cleo"},
        {"action": "read", "room": room, "seq": 0},
        {"action": "join", "room": room},
        {"action": "direct", "userId": "u-ben"},
        {"action": "createroom", "title": "x" * 80},
        {"action": "remove", "room": room, "userId": "u-ben", "ban": True},
    ]
    dearest = list_of_rooms(MAX_PRIVATE_ROOMS, most_per_second=1)
    for each in frames:
        usage, messages, _ = use(chat, lambda chat, each=each: chat.call("anna", json.dumps(each)))
        price = usage.read * READ_UNIT_USD + usage.written * WRITE_UNIT_USD + messages * WEBSOCKET_MESSAGE_USD
        assert price < sum(dearest.usd().values()), each


def totals() -> dict[str, float]:
    return {case.name: sum(case.bill().values()) for case in cases()}


def test_the_former_defaults_cost_about_200_dollars_an_hour() -> None:
    """As found by attacking the program: posts 36, transfer 53, DynamoDB 62, Lambda up to 48."""
    before = cases()[0].bill()
    assert before["API Gateway"] == pytest.approx(36, abs=1)
    assert before["transfer"] == pytest.approx(53, abs=5)
    assert before["DynamoDB"] == pytest.approx(62, abs=7)
    assert before["Lambda"] == pytest.approx(48, abs=3)
    assert 180 < sum(before.values()) < 210


def test_each_defence_makes_the_worst_hour_cheaper() -> None:
    before, throttled, allowed, closed, closed_to_one, below, below_to_one, *with_accounts = totals().values()
    assert before > throttled > allowed > below > below_to_one
    assert closed < 10, "many addresses"
    assert closed_to_one < 1, "one address"
    assert all(cost < throttled for cost in with_accounts)


def test_a_busy_class_does_not_close_the_stage() -> None:
    (limit,) = {60 * case.messages_per_second for case in cases() if "below" in case.name}
    assert busy_class_messages_a_minute() * 1.5 < limit


def test_a_flood_with_the_defaults_far_exceeds_the_breakers_limit() -> None:
    """About ten times, so it is noticed in the first full minute."""
    flood = next(case for case in cases() if case.name == "and the breaker, one address")
    mix = costliest_mix(flood.frames(), flood.frames_per_second, flood.messages_per_second)
    a_minute = 60 * sum(mix[one.kind] * one.messages for one in flood.frames())
    (limit,) = {60 * case.messages_per_second for case in cases() if "below" in case.name}
    assert a_minute > 9 * limit


some_frames = st.lists(
    st.builds(
        Frame,
        kind=st.uuids().map(str),
        written=st.floats(0, 40),
        read=st.floats(0, 40),
        memory_mb=st.sampled_from([128, 512, 1024]),
        seconds=st.floats(0, 1),
        posts=st.integers(0, 500),
        post_bytes=st.integers(0, 20_000),
        reply_bytes=st.integers(0, 32_768),
        most_per_second=st.floats(0, 50) | st.just(math.inf),
    ),
    min_size=1,
    max_size=5,
)


@given(some_frames, st.floats(1, 500), st.floats(1, 10_000))
def test_the_mix_stays_within_both_limits_and_no_single_kind_costs_more(
    frames: list[Frame], per_second: float, messages: float
) -> None:
    mix = costliest_mix(frames, per_second, messages)
    assert sum(mix.values()) <= per_second * 1.001
    assert sum(mix[one.kind] * one.messages for one in frames) <= messages * 1.001
    assert all(0 <= mix[one.kind] <= one.most_per_second * 1.001 for one in frames)
    highest = sum(mix[one.kind] * sum(one.usd().values()) for one in frames)
    for one in frames:
        alone = min(per_second, one.most_per_second, messages / one.messages)
        assert alone * sum(one.usd().values()) <= highest * 1.001 + 1e-12


def test_a_visible_page_uses_three_messages_per_ping() -> None:
    """The ping, its pong, and the probe of another member."""
    page, alone = visible_page(30), visible_page(1)
    assert page["messages_an_hour"] == 3 * 450
    assert alone["messages_an_hour"] == 2 * 450
    assert page["free_bound_by"] == "API Gateway messages"


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_saved_results_are_up_to_date(name: str) -> None:
    saved = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    assert saved["rows"] == BENCHMARKS[name](), "run python -m benchmarks.worst_hour"
