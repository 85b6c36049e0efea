"""How many DynamoDB round trips a frame takes before the first post, or the answer (docs/decisions/0004), counted."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import connect
import disconnect
import history
import join
import ping
import pytest
import sendmessage
import typing_notice

from chat import clients, messages, rooms
from chat.side_by_side import side_by_side
from tests.unit.stage import Chat

ID = "11111111-2222-3333-4444-555555555555"


@dataclass
class Trips:
    """Calls of DynamoDB. `before_post` are those in a row before the first post."""

    calls: list[str] = field(default_factory=list)
    in_a_row: int = 0
    before_post: int | None = None

    @property
    def first_answer(self) -> int:
        return self.in_a_row if self.before_post is None else self.before_post


@pytest.fixture
def counted(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Count what is called within a `with`."""
    trips = Trips()

    def called(model: Any, **_: Any) -> None:
        trips.calls.append(model.name)
        trips.in_a_row += 1

    def both(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
        begun = trips.in_a_row
        one = first()
        after_first, trips.in_a_row = trips.in_a_row, begun
        other = second()
        trips.in_a_row = max(trips.in_a_row, after_first)
        return one, other

    post = chat.posts.post

    def posted(ids: Any, frame: bytes, *, deadline: float) -> Any:
        if trips.before_post is None:
            trips.before_post = trips.in_a_row
        return post(ids, frame, deadline=deadline)

    monkeypatch.setattr(join, "side_by_side", both)
    monkeypatch.setattr(chat.posts, "post", posted)

    @contextmanager
    def counting() -> Iterator[Trips]:
        nonlocal trips
        trips = Trips()
        events = clients.dynamodb().meta.events
        events.register("before-call.dynamodb", called)
        try:
            yield trips
        finally:
            events.unregister("before-call.dynamodb", called)

    return counting


@pytest.fixture
def two(chat: Chat) -> Chat:
    for connection_id in ("anna", "ben"):
        chat.connect(connection_id)
        chat.join(connection_id, "garden", name=connection_id.title())
    chat.send("ben", "first")
    for connection_id in ("anna", "ben"):
        forget_what_it_did(connection_id)
    return chat


def forget_what_it_did(connection_id: str) -> None:
    """Let so much time go by that its limits have recovered."""
    clients.dynamodb().update_item(
        TableName="ActiveConnections",
        Key={"connectionId": {"S": connection_id}},
        UpdateExpression="REMOVE tatJoin, tatMessage",
    )


SEND = {"message": "hello", "messageId": ID}


@pytest.mark.parametrize(
    ("route", "frame", "costs"),
    [
        (ping, {}, (2, 2)),
        (history, {}, (3, 3)),
        (history, {"before": 9}, (2, 2)),
        (history, {"after": 0}, (3, 3)),
        (typing_notice, {}, (3, 3)),
        (sendmessage, SEND, (3, 4)),
        (join, {"room": "garden"}, (3, 4)),
        (join, {"room": "garden", "after": 0}, (3, 4)),
        (join, {"room": "garden", "after": 1}, (3, 4)),
        (join, {"room": "kitchen"}, (3, 7)),
        (connect, None, (2, 2)),
        (disconnect, None, (3, 3)),
    ],
    ids=lambda value: getattr(value, "__name__", None) or json.dumps(value),
)
def test_a_frame_takes_at_most_three_round_trips_before_the_first_post(
    two: Chat, counted: Any, route: Any, frame: Any, costs: tuple[int, int]
) -> None:
    """`costs` are the round trips in a row until then, and all calls in the end."""
    with counted() as trips:
        two.call(route, "anna", frame)
    assert (trips.first_answer, len(trips.calls)) == costs, trips.calls
    assert trips.first_answer <= 3


def test_a_repeated_message_takes_three_too(two: Chat, counted: Any) -> None:
    two.send("anna", "hello", ID)
    with counted() as trips:
        two.send("anna", "hello", ID)
    assert trips.before_post == 3
    assert trips.calls == ["BatchGetItem", "UpdateItem", "BatchGetItem", "Query"]


def test_a_message_beyond_the_limit_is_refused_after_one_and_leaves_no_hole(
    two: Chat, counted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESSAGE_BURST", "1")
    monkeypatch.setenv("MESSAGES_PER_SECOND", "0.01")
    two.send("anna", "hello")
    with counted() as trips:
        assert two.call(sendmessage, "anna", SEND)["statusCode"] == 429
    assert trips.calls == ["BatchGetItem"]
    assert rooms.read("garden").last_seq == 2


def test_a_frame_after_the_first_of_a_burst_takes_one_more_for_its_exact_count(two: Chat, counted: Any) -> None:
    two.call(ping, "anna", {})
    with counted() as trips:
        two.call(ping, "anna", {})
    assert trips.calls == ["UpdateItem", "UpdateItem", "GetItem"]


def test_a_message_of_a_burst_takes_three_as_any_other(two: Chat, counted: Any) -> None:
    two.send("anna", "one")
    with counted() as trips:
        two.send("anna", "two")
    assert trips.before_post == 3


def test_holes_cost_one_to_look_one_each_to_close_and_one_to_fetch_what_the_index_hid(two: Chat, counted: Any) -> None:
    for _ in range(2):
        rooms.next_seq("garden")  # two functions that died
    two.send("ben", "after the holes")
    with counted() as trips:
        assert [one["seq"] for one in two.history("anna", after=0)["messages"]] == [1, 4]
    assert trips.calls == ["UpdateItem", "GetItem", "Query", "BatchGetItem", "PutItem", "PutItem"]
    with counted() as trips:
        two.history("anna", after=0)
    assert trips.calls.count("PutItem") == 0, "they are closed for good"


def test_two_readings_run_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=5)
    assert side_by_side(lambda: meeting.wait() >= 0, lambda: meeting.wait() >= 0) == (True, True)


def test_what_one_of_two_readings_raises_is_raised() -> None:
    def fails() -> None:
        raise LookupError

    for pair in ((fails, str), (str, fails)):
        with pytest.raises(LookupError):
            side_by_side(*pair)


def test_a_race_for_one_id_costs_the_loser_three_more(two: Chat, counted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write = messages._write

    def slow(*given: Any, **named: Any) -> list[dict[str, Any]]:
        monkeypatch.setattr(messages, "_write", write)
        two.send("ben", "hello", ID)
        return write(*given, **named)

    monkeypatch.setattr(messages, "_write", slow)
    with counted() as trips:
        two.send("anna", "hello", ID)
    own = ["BatchGetItem", "UpdateItem", "TransactWriteItems", "BatchGetItem", "UpdateItem", "BatchGetItem"]
    assert [name for name in trips.calls if name != "Query"][-4:] == own[-4:]
