"""What docs/architecture.md promises, at the functions, with stores and posts that fail between any two steps."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import boto3
import disconnect
import history as history_route
import join
import ping
import pytest
import sendmessage
import typing_notice
from botocore.exceptions import ClientError

from chat import clients, contention, history, messages, rooms
from tests.unit.stage import Chat

WRITES = ["BatchGetItem", "UpdateItem", "TransactWriteItems"]
ID = "11111111-2222-3333-4444-555555555555"


class Died(Exception):
    """The function, the network or the store, at this very call."""


@contextmanager
def failing(operation: str, *, after: bool, times: int = 1) -> Iterator[None]:
    """Fail calls of an operation: before it is done, or after, when its answer is lost."""
    left = [times]

    def fail(**_: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise Died

    events = clients.dynamodb().meta.events
    name = f"{'after' if after else 'before'}-call.dynamodb.{operation}"
    events.register(name, fail)
    try:
        yield
    finally:
        events.unregister(name, fail)


def stored(room: str = "garden") -> list[dict[str, Any]]:
    rows = clients.dynamodb().scan(TableName="MessageHistory")["Items"]
    items = [clients.from_attributes(row) for row in rows]
    return sorted((item for item in items if item["room"] == room), key=lambda item: item["seq"])


@pytest.fixture
def two(chat: Chat) -> Chat:
    for connection_id, name in (("anna", "Anna"), ("ben", "Ben")):
        chat.connect(connection_id)
        chat.join(connection_id, "garden", name=name)
    return chat


def test_guarantee_1_nothing_is_shown_before_it_is_stored(two: Chat) -> None:
    seen_at_post: list[int] = []
    post = two.posts.post

    def looking(connection_ids: Any, frame: bytes, *, deadline: float) -> Any:
        if json.loads(frame)["type"] == "message":
            seen_at_post.append(len(stored()))
        return post(connection_ids, frame, deadline=deadline)

    two.posts.post = looking  # type: ignore[method-assign]
    two.send("anna", "hello")
    assert seen_at_post == [1, 1]


def test_guarantee_1_the_senders_own_copy_comes_first(two: Chat) -> None:
    two.posts.order.clear()
    two.send("anna", "hello")
    assert [who for who, frame in two.posts.order if frame["type"] == "message"] == ["anna", "ben"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "answer lost"])
@pytest.mark.parametrize("operation", WRITES)
def test_guarantee_1_what_was_not_acknowledged_can_be_sent_again_without_a_second_copy(
    two: Chat,
    operation: str,
    after: bool,
) -> None:
    with failing(operation, after=after):
        answer = two.call(sendmessage, "anna", {"message": "hello", "messageId": ID})
    assert answer["statusCode"] == 500
    assert not two.posts.of_type("anna", "message"), "nothing was acknowledged"
    again = two.send("anna", "hello", ID)
    assert [row["messageId"] for row in stored()] == [ID]
    assert again["seq"] == stored()[0]["seq"]
    two.send("ben", "and then")
    page = two.history("ben", after=0)
    assert [one["message"] for one in page["messages"]] == ["hello", "and then"]
    assert page["complete"] is True
    assert page["lost"] is False


def test_guarantee_1_a_function_that_dies_before_posting_has_stored_and_a_resend_tells_the_others(two: Chat) -> None:
    post = two.posts.post

    def dying(*_: Any, **__: Any) -> Any:
        raise Died

    two.posts.post = dying  # type: ignore[method-assign]
    assert two.call(sendmessage, "anna", {"message": "hello", "messageId": ID})["statusCode"] == 500
    two.posts.post = post  # type: ignore[method-assign]
    assert two.send("anna", "hello", ID)["seq"] == 1
    assert two.posts.of_type("ben", "pong")[-1]["lastSeq"] == 1, "the others look for what they missed"
    assert [one["message"] for one in two.history("ben", after=0)["messages"]] == ["hello"]


def test_guarantee_2_a_room_has_one_order(two: Chat) -> None:
    for number in range(5):
        two.send("anna" if number % 2 else "ben", str(number))
    assert [row["seq"] for row in stored()] == [1, 2, 3, 4, 5]
    for reader in ("anna", "ben"):
        assert [frame["seq"] for frame in two.posts.of_type(reader, "message")] == [1, 2, 3, 4, 5]


def test_guarantee_2_a_hole_that_was_answered_as_empty_stays_empty(two: Chat) -> None:
    """A sender that took a place and was slower than a reader gets another place."""
    write = messages._write
    late: list[Any] = []

    def slow_write(message: Any, *rest: Any, **named: Any) -> list[dict[str, Any]]:
        if not late:
            late.append(message.seq)
            two.send("ben", "quick")  # takes the next place meanwhile
            page = two.history("ben", after=0)  # and a reader learns that the first is empty
            assert [one["seq"] for one in page["messages"]] == [2]
        return write(message, *rest, **named)

    messages._write = slow_write
    try:
        said = two.send("anna", "slow")
    finally:
        messages._write = write
    assert late == [1]
    assert said["seq"] == 3
    assert [row["seq"] for row in stored()] == [2, 3]
    page = two.history("ben", after=2)
    assert [one["message"] for one in page["messages"]] == ["slow"]


def test_guarantee_2_an_open_place_at_the_tip_is_left_to_its_sender(two: Chat) -> None:
    two.send("anna", "first")
    rooms.next_seq("garden")  # a sender that has not stored yet
    assert two.history("ben", after=1)["messages"] == []
    assert (
        not clients.dynamodb()
        .get_item(TableName="ChatRooms", Key={"room": {"S": messages.slot_key("garden", 2)}})
        .get("Item")
    ), "the place is still open"


@pytest.mark.parametrize("count", [3, pytest.param(120, marks=pytest.mark.slow)])
def test_guarantee_3_who_comes_back_gets_all_that_was_said_page_by_page(two: Chat, count: int) -> None:
    two.disconnect("ben")
    for number in range(count):
        two.send("anna", f"{number} " + "x" * 900)
    two.connect("ben-again")
    page = two.join("ben-again", "garden", after=0)
    read = list(page["messages"])
    pages = 1
    while not page["complete"]:
        page = two.history("ben-again", after=read[-1]["seq"], limit=100)
        read += page["messages"]
        pages += 1
        assert page["messages"], "a page that is not complete moves on"
    assert [one["seq"] for one in read] == list(range(1, count + 1))
    assert page["lost"] is False
    assert pages > 1 or count == 3


def test_guarantee_3_the_index_may_lag_behind_without_a_loss(two: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        two.send("anna", str(number))
    query = history._query

    def lagging(*args: Any, **named: Any) -> Any:
        rows, more = query(*args, **named)
        return [row for row in rows if row["seq"] not in (2, 4)], more

    monkeypatch.setattr(history, "_query", lagging)
    assert [one["seq"] for one in two.history("ben", after=0)["messages"]] == [1, 2, 3, 4]
    assert [one["seq"] for one in two.join("ben", "garden")["messages"]][-1] == 4


def expire(message_id: str) -> None:
    """Let a message's time be over, without deleting it: DynamoDB takes days."""
    table = boto3.resource("dynamodb").Table("MessageHistory")
    row = next(item for item in table.scan()["Items"] if item["messageId"] == message_id)
    table.put_item(Item={**row, "expiresAt": int(time.time()) - 1})


def delete(message_id: str) -> None:
    table = boto3.resource("dynamodb").Table("MessageHistory")
    row = next(item for item in table.scan()["Items"] if item["messageId"] == message_id)
    table.delete_item(Key={"messageId": message_id, "timestamp": row["timestamp"]})


@pytest.mark.parametrize("forget", [expire, delete])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_guarantee_3_what_is_no_longer_kept_is_said_to_be_lost(
    two: Chat, forget: Callable[[str], None], which: int
) -> None:
    said = [two.send("anna", str(number)) for number in range(3)]
    forget(said[which]["messageId"])
    page = two.history("ben", after=0)
    kept = [number for number in range(3) if number != which]
    assert [one["message"] for one in page["messages"]] == [str(number) for number in kept]
    assert page["lost"] is True
    assert two.history("ben", after=said[which]["seq"])["lost"] is False
    assert two.join("ben", "garden", after=0)["lost"] is True


def test_guarantee_3_all_expired_is_lost_too(two: Chat) -> None:
    said = [two.send("anna", str(number)) for number in range(2)]
    for one in said:
        delete(one["messageId"])
    page = two.history("ben", after=0)
    assert (page["messages"], page["lost"], page["complete"]) == ([], True, True)


def test_guarantee_3_a_seq_from_another_life_of_the_room_is_lost(two: Chat) -> None:
    two.send("anna", "first")
    page = two.join("ben", "garden", after=900)
    assert page["lost"] is True
    assert [one["seq"] for one in page["messages"]] == [1]


def test_guarantee_4_a_message_sent_twice_is_stored_once_and_keeps_its_seq_and_text(two: Chat) -> None:
    first = two.send("anna", "first body", ID)
    again = two.send("anna", "second body", ID)
    assert again == first
    assert [row["message"] for row in stored()] == ["first body"]
    assert len(two.posts.of_type("ben", "message")) == 1


def test_guarantee_4_over_another_connection_and_from_another_room_too(two: Chat) -> None:
    first = two.send("anna", "hello", ID)
    two.connect("anna-again")
    two.join("anna-again", "kitchen")
    again = two.send("anna-again", "hello", ID)
    assert again == first
    assert stored("kitchen") == []


@pytest.mark.parametrize("attempt", range(3))
def test_guarantee_4_two_copies_at_once_are_stored_once(two: Chat, attempt: int) -> None:
    message_id = str(uuid.uuid4())
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda who: two.call(sendmessage, who, {"message": "hello", "messageId": message_id}),
                ["anna", "ben", "anna", "ben"],
            ),
        )
    assert {answer["statusCode"] for answer in answers} == {200}, answers
    assert len(stored()) == 1
    copies = [*two.posts.of_type("anna", "message"), *two.posts.of_type("ben", "message")]
    assert {frame["seq"] for frame in copies} == {stored()[0]["seq"]}


def test_guarantee_5_a_gone_peer_breaks_nobody_and_the_room_hears_of_it_once(two: Chat) -> None:
    two.connect("cleo")
    two.join("cleo", "garden", name="Cleo")
    two.posts.gone.add("ben")
    said = two.send("anna", "hello")
    assert two.posts.of_type("cleo", "message") == [said]
    left = [frame for frame in two.posts.of_type("cleo", "presence") if frame["event"] == "leave"]
    assert [(frame["name"], frame["memberCount"]) for frame in left] == [("Ben", 2)]
    two.disconnect("ben")
    two.send("anna", "again")
    assert len([frame for frame in two.posts.of_type("cleo", "presence") if frame["event"] == "leave"]) == 1


def test_guarantee_5_a_sender_that_is_gone_has_its_message_stored_and_told(two: Chat) -> None:
    two.posts.gone.add("anna")
    assert two.call(sendmessage, "anna", {"message": "last words"})["statusCode"] == 200
    assert [frame["message"] for frame in two.posts.of_type("ben", "message")] == ["last words"]
    assert two.posts.of_type("ben", "presence")[-1]["event"] == "leave"


@pytest.fixture
def short_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(contention, "pause", lambda _: None)


def conflict(**_: Any) -> None:
    raise ClientError({"Error": {"Code": "TransactionConflictException", "Message": ""}}, "UpdateItem")


@pytest.mark.parametrize(
    ("operation", "frame"),
    [
        ("UpdateItem", {"action": "ping"}),
        ("UpdateItem", {"action": "typing"}),
        ("UpdateItem", {"action": "join", "room": "garden"}),
        ("DeleteItem", None),
        ("PutItem", {"action": "history", "after": 0}),
    ],
    ids=str,
)
def test_guarantee_6_a_frame_beside_a_message_of_the_same_connection_is_answered(
    two: Chat, short_of_time: None, operation: str, frame: Any
) -> None:
    """DynamoDB refuses a write of what a transaction holds; botocore does not try it again, moto never says so."""
    rooms.next_seq("garden")
    two.send("ben", "after a hole")
    route = {"ping": ping, "typing": typing_notice, "join": join, "history": history_route}
    events = clients.dynamodb().meta.events
    left = [3]

    def fail(**_: Any) -> None:
        if left[0]:
            left[0] -= 1
            conflict()

    events.register(f"before-call.dynamodb.{operation}", fail)
    try:
        answer = two.call(disconnect if frame is None else route[frame["action"]], "anna", frame)
    finally:
        events.unregister(f"before-call.dynamodb.{operation}", fail)
    assert answer["statusCode"] == 200
    assert left == [0]


@pytest.mark.parametrize("after", [False, True], ids=["before", "answer lost"])
@pytest.mark.parametrize("operation", ["UpdateItem", "Query", "DeleteItem"])
def test_guarantee_1_what_fails_after_the_acknowledgement_takes_nothing_of_it_back(
    two: Chat, operation: str, after: bool
) -> None:
    two.connect("cleo")
    two.join("cleo", "garden")
    two.posts.gone.add("cleo")
    answer_to = two.posts.post

    def posting(ids: Any, frame: bytes, *, deadline: float) -> Any:
        outcome = answer_to(ids, frame, deadline=deadline)
        if json.loads(frame)["type"] == "message" and not armed:
            armed.append(failing(operation, after=after, times=9))
            armed[0].__enter__()
        return outcome

    armed: list[Any] = []
    two.posts.post = posting  # type: ignore[method-assign]
    try:
        assert two.call(sendmessage, "anna", {"message": "hello", "messageId": ID}) == {"statusCode": 200}
    finally:
        armed[0].__exit__(None, None, None)
    assert [row["messageId"] for row in stored()] == [ID]
    assert [one["message"] for one in two.history("ben", after=0)["messages"]] == ["hello"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "answer lost"])
@pytest.mark.parametrize("operation", ["UpdateItem", "BatchGetItem", "Query"])
def test_guarantee_3_a_join_that_failed_can_be_sent_again(two: Chat, operation: str, after: bool) -> None:
    two.send("anna", "hello")
    with failing(operation, after=after, times=1):
        answer = two.call(join, "ben", {"action": "join", "room": "garden", "after": 0})
    if operation != "BatchGetItem":  # nothing to look up here
        assert answer["statusCode"] == 500
    joined = two.join("ben", "garden", after=0)
    assert [one["message"] for one in joined["messages"]] == ["hello"]
    assert joined["memberCount"] == 2


@pytest.mark.parametrize("after", [False, True], ids=["before", "answer lost"])
def test_guarantee_2_a_closing_that_failed_leaves_the_hole_to_the_next_reader(two: Chat, after: bool) -> None:
    rooms.next_seq("garden")
    two.send("anna", "hello")
    with failing("PutItem", after=after):
        assert two.call(history_route, "ben", {"after": 0})["statusCode"] == 500
    assert [one["seq"] for one in two.history("ben", after=0)["messages"]] == [2]


def test_guarantee_4_the_same_id_with_another_body_over_two_connections_at_once(two: Chat) -> None:
    """The second copy has read that the id is new, then the first is stored, then the second tries."""
    write = messages._write
    raced: list[Any] = []

    def slow(*given: Any, **named: Any) -> list[dict[str, Any]]:
        if not raced:
            raced.append(None)
            raced[0] = two.send("ben", "body of Ben", ID)
        return write(*given, **named)

    messages._write = slow
    try:
        said = two.send("anna", "body of Anna", ID)
    finally:
        messages._write = write
    assert said == raced[0]
    assert (said["message"], said["connectionId"]) == ("body of Ben", "ben")
    assert [row["message"] for row in stored()] == ["body of Ben"]
    assert [one["seq"] for one in two.history("ben", after=0)["messages"]] == [said["seq"]]


def test_guarantee_3_a_gap_of_more_places_than_one_lookup_is_read_by_pages(
    two: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MAX_LOOKED_UP", 3)
    for number in range(12):
        two.send("anna", str(number))
    query = history._query

    def lagging(*args: Any, **named: Any) -> Any:
        rows, more = query(*args, **named)
        return [row for row in rows if row["seq"] in (1, 12)], more

    monkeypatch.setattr(history, "_query", lagging)
    read: list[int] = []
    for _ in range(12):
        page = two.history("ben", after=read[-1] if read else 0)
        assert page["lost"] is False
        read += [one["seq"] for one in page["messages"]]
        if page["complete"]:
            break
    assert read == list(range(1, 13))


def test_guarantee_3_a_loss_is_told_though_many_holes_follow_it(two: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_LOOKED_UP", 3)
    said = [two.send("anna", str(number)) for number in range(2)]
    delete(said[1]["messageId"])
    for _ in range(10):
        rooms.next_seq("garden")
    two.send("anna", "last")
    page = two.history("ben", after=said[0]["seq"])
    assert [one["message"] for one in page["messages"]] == ["last"]
    assert page["lost"] is True


def age(room: str, days: int) -> None:
    """Let a room be so old."""
    clients.dynamodb().update_item(
        TableName="ChatRooms",
        Key={"room": {"S": room}},
        UpdateExpression="SET createdAt = :then",
        ExpressionAttributeValues={":then": {"N": str(int((time.time() - days * 86400) * 1000))}},
    )


def forget_with_slot(said: dict[str, Any]) -> None:
    """Let a message be so old that its place in the order has been forgotten too."""
    delete(said["messageId"])
    clients.dynamodb().delete_item(
        TableName="ChatRooms", Key={"room": {"S": messages.slot_key(said["room"], said["seq"])}}
    )


@pytest.mark.parametrize("forgotten", [1, 2, 3])
def test_guarantee_3_what_expired_with_its_very_slot_is_lost_for_each_reader(two: Chat, forgotten: int) -> None:
    said = [two.send("anna", str(number)) for number in range(4)]
    for one in said[:forgotten]:
        forget_with_slot(one)
    age("garden", 60)
    for reader in ("anna", "ben", "anna"):
        page = two.history(reader, after=0)
        assert page["lost"] is True, "also for whoever reads after another has closed the places"
        assert [one["message"] for one in page["messages"]] == [str(number) for number in range(forgotten, 4)]
    assert two.history("ben", after=forgotten)["lost"] is False


def test_guarantee_3_a_whole_past_that_expired_is_lost_even_behind_a_hole(two: Chat) -> None:
    for one in [two.send("anna", str(number)) for number in range(2)]:
        forget_with_slot(one)
    rooms.next_seq("garden")  # given out just now, to a function that died
    age("garden", 60)
    page = two.history("ben", after=0)
    assert (page["messages"], page["lost"]) == ([], True)


def test_guarantee_3_a_hole_in_a_young_room_is_no_loss(two: Chat) -> None:
    rooms.next_seq("garden")
    two.send("anna", "hello")
    for _ in range(2):
        assert two.history("ben", after=0)["lost"] is False


def test_guarantee_3_an_old_room_that_still_keeps_what_the_reader_knows_has_lost_nothing(two: Chat) -> None:
    two.send("anna", "known")
    rooms.next_seq("garden")
    two.send("anna", "news")
    age("garden", 60)
    page = two.history("ben", after=1)
    assert ([one["message"] for one in page["messages"]], page["lost"]) == (["news"], False)


@pytest.mark.parametrize("ask", [{}, {"before": 99}, {"after": 0}], ids=str)
def test_what_has_expired_is_shown_to_nobody_though_it_is_not_deleted_yet(two: Chat, ask: dict[str, int]) -> None:
    said = [two.send("anna", str(number)) for number in range(3)]
    expire(said[1]["messageId"])
    assert [one["message"] for one in two.history("ben", **ask)["messages"]] == ["0", "2"]
    assert [one["message"] for one in two.join("ben", "garden")["messages"]] == ["0", "2"]


def test_guarantee_4_an_id_whose_message_has_expired_may_be_used_again(two: Chat) -> None:
    two.send("anna", "old", ID)
    expire(ID)
    row = clients.dynamodb().get_item(TableName="ChatRooms", Key={"room": {"S": f"message#{ID}"}})["Item"]
    clients.dynamodb().put_item(TableName="ChatRooms", Item={**row, "expiresAt": {"N": str(int(time.time()) - 1)}})
    assert (two.send("anna", "new", ID)["message"], two.send("anna", "again", ID)["message"]) == ("new", "new")


def test_a_place_that_another_life_of_the_room_holds_is_given_to_nobody_again(two: Chat) -> None:
    two.send("anna", "before")
    clients.dynamodb().delete_item(TableName="ChatRooms", Key={"room": {"S": "garden"}})
    assert two.send("anna", "after")["seq"] == 2


def test_what_has_expired_is_read_past_in_few_queries_however_much_it_is(two: Chat) -> None:
    for seq in range(1, 121):
        row = {"messageId": f"old-{seq}", "timestamp": "2020", "room": "garden", "seq": seq, "expiresAt": 1}
        clients.dynamodb().put_item(TableName="MessageHistory", Item=clients.to_attributes(row))
    rooms._change("garden", {"lastSeq": 120}, add="membersVersion")
    two.send("anna", "new")
    queries: list[Any] = []

    def note(**named: Any) -> None:
        queries.append(named)

    events = clients.dynamodb().meta.events
    events.register("before-call.dynamodb.Query", note)
    try:
        page = two.history("ben", after=0, limit=10)
    finally:
        events.unregister("before-call.dynamodb.Query", note)
    assert ([one["message"] for one in page["messages"]], page["lost"], page["complete"]) == (["new"], True, True)
    assert len(queries) == 2
