"""The fake DynamoDB answers the store's calls as moto does, and counts what AWS would charge."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chat.protocol.frames_out import Message, Person
from chat.schema import CONNECTIONS, EXPIRY_ATTRIBUTE, KEYS, MESSAGES, ROOMS
from chat.store.dynamodb import Expression, Table, Write, from_attributes, putting
from chat.store.errors import ConditionFailedError, ConflictError, TransactionFailedError
from chat.store.room_log import RoomLog
from tests.fakes.clock import VirtualClock
from tests.fakes.dynamodb import DynamoDB, KilledError, conflict, fail_once, kill_after, lose_answer, send_twice
from tests.fakes.expressions import ValidationError
from tests.fakes.services import Chat
from tests.unit.private_rooms import PrivateChat

Item = dict[str, Any]


class Both:
    """A client that calls both the fake and moto and compares their responses."""

    def __init__(self, fake: DynamoDB, moto: Any) -> None:
        self._fake, self._moto = fake, moto
        self.count = 0

    def __getattr__(self, operation: str) -> Callable[..., Item]:
        def call(**request: Any) -> Item:
            self.count += 1
            answer, error = _outcome(getattr(self._fake, operation), request)
            expected, expected_error = _outcome(getattr(self._moto, operation), request)
            assert _comparable(answer) == _comparable(expected), (operation, request)
            if error is None:
                assert expected_error is None, (operation, request, expected_error)
                return answer
            assert expected_error is not None, (operation, request, error)
            assert error.response["Error"]["Code"] == expected_error.response["Error"]["Code"]
            raise error

        return call


def _outcome(call: Callable[..., Item], request: Item) -> tuple[Item, ClientError | None]:
    try:
        return call(**request), None
    except ClientError as error:
        response: Any = error.response
        return {"Item": response.get("Item", {}), "CancellationReasons": response.get("CancellationReasons", [])}, error


def _comparable(answer: Item) -> Item:
    """Return the parts of a response that the store reads. Only DynamoDB reports a page that ends at Limit."""
    plain = {name: from_attributes(answer[name]) for name in ("Item", "Attributes") if answer.get(name)}
    batches = {table: sorted(map(str, items)) for table, items in answer.get("Responses", {}).items() if items}
    reasons = [reason["Code"] for reason in answer.get("CancellationReasons", [])]
    items = [from_attributes(item) for item in answer.get("Items", [])]
    return plain | {"Items": items, "Responses": batches, "CancellationReasons": reasons}


def _make_tables(moto: Any) -> None:
    for table, keys in KEYS.items():
        moto.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in keys.items()],
        )


@pytest.fixture
def moto() -> Iterator[Any]:
    with mock_aws():
        make: Any = boto3.client
        client = make("dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        _make_tables(client)
        yield client


def test_it_behaves_like_moto(moto: Any) -> None:
    chat = Chat(message_burst=3, messages_per_second=1)
    chat.services.client = both = Both(chat.dynamodb, moto)
    message_id = str(uuid.UUID(int=1))
    chat.connect("anna", "ben", "cleo")
    chat.call("anna", {"action": "sendmessage", "message": "to the lobby"})
    for name in ("anna", "ben"):
        chat.join(name, "garden", name=name.title(), secret=f"{name}-0123456789abc")
        chat.join(name, "kitchen", after=0)
    chat.join("ben", "garden", name="Benjamin")
    for _ in range(2):
        chat.send("anna", "hello", to="garden", message_id=message_id)
    chat.send("ben", "another body", to="garden", message_id=message_id)
    chat.ask("anna", {"action": "sendmessage", "message": "x", "to": "garden"})
    assert chat.ask("anna", {"action": "sendmessage", "message": "x", "to": "garden"})["code"] == "rate_limited"
    for fields in ({"after": 0}, {"before": 2}, {"limit": 1}, {}):
        chat.history("ben", room="garden", **fields)
    chat.ping("ben")
    chat.typing("ben")
    chat.leave("anna", "kitchen")
    chat.leave("anna", "garden")
    chat.gateway.vanish("ben")
    chat.join("cleo", "garden")
    chat.send("cleo", "is anybody here?")
    chat.disconnect("cleo")
    chat.clock.advance(31 * 86400)
    chat.connect("dan")
    chat.join("dan", "garden", after=1)
    chat.send("dan", "after a long time")
    assert both.count > 100
    for table in KEYS:
        expected = sorted((from_attributes(item) for item in moto.scan(TableName=table)["Items"]), key=str)
        assert sorted(chat.dynamodb.items(table), key=str) == expected
    assert not chat.services.events("fault")


def test_it_behaves_like_moto_in_a_chat_with_accounts(moto: Any) -> None:
    chat = Chat(sign_in="optional")
    chat.services.client = both = Both(chat.dynamodb, moto)
    chat.connect("anna", "ben", "cleo", "phone")
    chat.join("anna", "garden")
    chat.sign_in("anna", secret="anna-0123456789abc")
    chat.sign_in("phone", user="u-anna", seconds=60, secret="phone-0123456789abc")
    chat.clock.advance(100)
    chat.sign_in("ben", name="ANNA", secret="ben-0123456789abc")
    claimed = {"action": "signin", "token": chat.token("u-cleo"), "secret": "ben-0123456789abc"}
    assert chat.ask("cleo", claimed)["code"] == "secret_claimed"
    assert chat.ask("ben", {"action": "profile", "name": "anna"})["code"] == "name_taken"
    chat.profile("anna", "Annika")
    chat.profile("anna", "ANNIKA")
    chat.sign_in("anna")
    chat.sign_out("anna", everywhere=True)
    assert both.count > 50
    for table in KEYS:
        expected = sorted((from_attributes(item) for item in moto.scan(TableName=table)["Items"]), key=str)
        assert sorted(chat.dynamodb.items(table), key=str) == expected
    assert not chat.services.events("fault")


def test_it_behaves_like_moto_in_private_rooms(moto: Any) -> None:
    chat = PrivateChat()
    chat.services.client = both = Both(chat.dynamodb, moto)
    for person in ("anna", "ben", "cleo"):
        chat.connect(person)
        chat.sign_in(person)
    room = chat.create("anna")
    token = chat.link("anna", room)
    assert chat.code("anna", "quit", room="~" + "a" * 26) == "no_such_room"
    chat.accept("ben", room, token)
    assert chat.code("cleo", "accept", room=room, token=token) == "no_such_invitation"
    assert chat.code("anna", "setrole", room=room, userId="u-anna", role="member") == "last_owner"
    assert chat.code("anna", "quit", room=room) == "last_owner"
    chat.set_role("anna", room, "ben", "owner")
    chat.set_role("anna", room, "ben", "moderator")
    chat.do("anna", "invite", room=room, name="cleo")
    chat.accept("cleo", room)
    chat.do("anna", "editroom", room=room, title="New")
    chat.send("ben", "hello", to=room)
    for seq in (1, 0):
        chat.call("cleo", {"action": "read", "room": room, "seq": seq})
    chat.join("cleo", room, after=0)
    chat.remove("ben", room, "cleo", ban=True)
    assert chat.code("cleo", "accept", room=room, token=chat.link("ben", room)) == "no_such_invitation"
    chat.direct("anna", "ben")
    for blocked in (True, False):
        chat.do("ben", "block", userId="u-anna", blocked=blocked)
    chat.quit("ben", room)
    chat.quit("anna", room)
    assert both.count > 150
    for table in KEYS:
        expected = sorted((from_attributes(item) for item in moto.scan(TableName=table)["Items"]), key=str)
        assert sorted(chat.dynamodb.items(table), key=str) == expected
    assert not chat.services.events("fault")


def test_a_query_continues_after_a_page_of_a_megabyte_as_in_moto(moto: Any) -> None:
    fake = DynamoDB(VirtualClock())
    for client in (fake, moto):
        log = RoomLog(Table(client, ROOMS), lambda: 0, 0)
        end = log.end("garden")
        for seq in range(1, 151):
            log.put("garden", _message(seq, "é" * 4000), end, "put")
        with fake.counting() as usage:
            assert [entry.message.seq for entry in log.between("garden", 0, 150)] == list(range(1, 151))
        assert usage.operations == (["Query"] * 2 if client is fake else [])


def _message(seq: int, text: str) -> Message:
    return Message(f"{seq}", "garden", seq, "2027-01-15T08:00:00.000Z", text, Person("anna", "Anna", "anna"))


@pytest.fixture
def fake() -> DynamoDB:
    return DynamoDB(VirtualClock())


def _put(fake: DynamoDB, size: int, **request: Any) -> None:
    fake.put_item(TableName=CONNECTIONS, Item={"connectionId": {"S": "x" * (size - len("connectionId"))}}, **request)


@pytest.mark.parametrize(("size", "written"), [(100, 1), (1024, 1), (1025, 2)])
def test_a_write_costs_one_unit_per_kilobyte(fake: DynamoDB, size: int, written: int) -> None:
    with fake.counting() as usage:
        _put(fake, size)
    assert (usage.read, usage.written) == (0, written)


def test_a_write_is_charged_for_the_larger_of_the_old_and_the_new_item(fake: DynamoDB) -> None:
    fake.put(ROOMS, {"room": "garden", "item": "count", "text": "x" * 3000})
    with fake.counting() as usage:
        fake.put_item(TableName=ROOMS, Item={"room": {"S": "garden"}, "item": {"S": "count"}})
    assert usage.written == 3


def test_a_write_whose_condition_fails_costs_as_much_as_one_that_succeeds(fake: DynamoDB) -> None:
    fake.put(ROOMS, {"room": "garden", "item": "count", "text": "x" * 3000})
    expression = Expression()
    condition = f"attribute_not_exists({expression.name('item')})"
    with fake.counting() as usage, pytest.raises(ConditionFailedError) as failed:
        Table(fake, ROOMS).put({"room": "garden", "item": "count"}, condition=condition, expression=expression)
    assert usage.written == 3
    assert len(failed.value.item["text"]) == 3000


def test_a_consistent_query_costs_one_unit_per_four_kilobytes_of_a_page(fake: DynamoDB) -> None:
    for number in range(10):
        fake.put(MESSAGES, {"messageId": "id", "timestamp": f"{number}", "message": "x" * 1000})
    table = Table(fake, MESSAGES)
    with fake.counting() as usage:
        assert len(list(table.query(("messageId", "id")))) == 10
        assert list(table.query(("messageId", "another"))) == []
    assert [call.read for call in usage.calls] == [3, 1]


@pytest.mark.parametrize(
    "request_",
    [
        {"ConditionExpression": "attribute_not_exists(room)"},
        {"ConditionExpression": "size(#room) > :n"},
        {"ConditionExpression": "attribute_not_exists(#item)", "ExpressionAttributeNames": {"#room": "room"}},
        {"ExpressionAttributeNames": {"#room": "room"}},
        {"ReturnConsumedCapacity": "TOTAL"},
    ],
    ids=["no placeholder", "unknown function", "undefined placeholder", "unused placeholder", "unknown parameter"],
)
def test_unsupported_requests_are_errors(fake: DynamoDB, request_: Item) -> None:
    with pytest.raises(ValidationError):
        _put(fake, 50, **request_)


def test_a_batch_costs_what_its_items_cost_one_by_one(fake: DynamoDB) -> None:
    fake.put(ROOMS, {"room": "garden", "item": "1", "text": "x" * 5000})
    with fake.counting() as usage:
        found = Table(fake, ROOMS).batch_get({"room": "garden", "item": each} for each in ("1", "2", "1"))
    assert [item["item"] for item in found] == ["1"]
    assert (usage.operations, usage.read) == (["BatchGetItem"], 2 + 1)


@pytest.mark.parametrize(
    "keys", [[], [{"S": "1"}] * 2, [{"S": str(number)} for number in range(101)]], ids=["none", "twice", "101"]
)
def test_a_batch_has_1_to_100_different_keys(fake: DynamoDB, keys: list[Item]) -> None:
    asked = {"Keys": [{"room": {"S": "garden"}, "item": key} for key in keys], "ConsistentRead": True}
    with pytest.raises(ValidationError):
        fake.batch_get_item(RequestItems={ROOMS: asked})


def taking(name: str, owner: str) -> Write:
    expression = Expression()
    item = {"room": name, "item": "account", "userId": owner}
    condition = f"attribute_not_exists({expression.name('userId')})"
    return putting(item, condition=condition, expression=expression)


def test_a_transaction_costs_twice_as_much_and_changes_all_or_nothing(fake: DynamoDB) -> None:
    table = Table(fake, ROOMS)
    with fake.counting() as usage:
        table.transact(taking("a", "anna"), taking("b", "anna"))
    assert usage.written == 2 * 2
    with pytest.raises(TransactionFailedError) as failed:
        table.transact(taking("c", "ben"), taking("b", "ben"))
    assert failed.value.failed == {1: {"room": "b", "item": "account", "userId": "anna"}}
    assert [(item["room"], item["userId"]) for item in fake.items(ROOMS)] == [("a", "anna"), ("b", "anna")]


def test_a_transaction_sent_twice_is_carried_out_once(fake: DynamoDB) -> None:
    """Its second copy would fail by the first one's items, but for the token that botocore gives both."""
    fake.intercept = fail_once(send_twice, "TransactWriteItems")
    Table(fake, ROOMS).transact(taking("a", "anna"), taking("b", "anna"))
    assert len(fake.items(ROOMS)) == 2


@pytest.mark.parametrize("operation", ["PutItem", "TransactWriteItems"])
def test_a_write_that_meets_another_is_repeated_a_few_times(fake: DynamoDB, operation: str) -> None:
    table = Table(fake, ROOMS, sleep=lambda _: None)

    def write() -> None:
        if operation == "PutItem":
            table.put({"room": "garden", "item": "1"})
        else:
            table.transact(taking("a", "anna"), taking("b", "anna"))

    fake.intercept = fail_once(conflict, operation)
    write()
    assert fake.items(ROOMS)
    fake.intercept, before = conflict, len(fake.calls)
    with pytest.raises(ConflictError):
        write()
    assert len(fake.calls) - before == 5


def test_a_read_that_is_not_consistent_is_an_error(fake: DynamoDB) -> None:
    with pytest.raises(ValidationError):
        fake.get_item(TableName=CONNECTIONS, Key={"connectionId": {"S": "anna"}})


def test_a_lost_response_is_an_error_after_the_write(fake: DynamoDB) -> None:
    fake.intercept = fail_once(lose_answer, "PutItem")
    with pytest.raises(Exception, match="timeout"):
        _put(fake, 50)
    assert len(fake.items(CONNECTIONS)) == 1


def test_a_write_sent_twice_returns_the_second_outcome(fake: DynamoDB) -> None:
    fake.intercept = fail_once(send_twice, "PutItem")
    given = {"ConditionExpression": "attribute_not_exists(#id)", "ExpressionAttributeNames": {"#id": "connectionId"}}
    with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
        _put(fake, 50, **given)
    assert len(fake.items(CONNECTIONS)) == 1


def test_a_killed_function_is_answered_by_the_gateway() -> None:
    chat = Chat()
    chat.connect("anna")
    chat.dynamodb.intercept = fail_once(kill_after, "PutItem", MESSAGES)
    assert chat.ask("anna", {"action": "sendmessage", "message": "x"}) == {"message": "Internal server error"}
    assert issubclass(KilledError, BaseException)


def test_concurrent_calls_count_as_one_round_trip() -> None:
    chat = Chat()
    chat.connect("anna")
    with chat.dynamodb.counting() as usage:
        chat.services.concurrently(
            lambda: chat.dynamodb.query(**_QUERY),
            lambda: [chat.dynamodb.query(**_QUERY) for _ in range(2)],
        )
    assert (len(usage.calls), usage.round_trips()) == (3, 2)


_QUERY: Item = {
    "TableName": ROOMS,
    "KeyConditionExpression": "#room = :room",
    "ExpressionAttributeNames": {"#room": "room"},
    "ExpressionAttributeValues": {":room": {"S": "garden"}},
    "ConsistentRead": True,
}


def test_ttl_deletes_only_what_has_expired(fake: DynamoDB) -> None:
    now = VirtualClock().now_ms() // 1000
    for number, expires_at in enumerate((now - 1, now, now + 1)):
        fake.put(ROOMS, {"room": "garden", "item": f"{number}", EXPIRY_ATTRIBUTE: expires_at})
    assert [item["item"] for item in fake.expire(ROOMS)] == ["0", "1"]
    assert [item["item"] for item in fake.items(ROOMS)] == ["2"]
