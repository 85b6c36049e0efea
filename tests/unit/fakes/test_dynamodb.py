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
from chat.store.dynamodb import Expression, Table, from_attributes
from chat.store.errors import ConditionFailedError
from chat.store.room_log import RoomLog
from tests.fakes.clock import VirtualClock
from tests.fakes.dynamodb import DynamoDB, KilledError, fail_once, kill_after, lose_answer, send_twice
from tests.fakes.expressions import ValidationError
from tests.fakes.services import Chat

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
        return {"Item": response.get("Item", {})}, error


def _comparable(answer: Item) -> Item:
    """Return the parts of a response that the store reads. Only DynamoDB reports a page that ends at Limit."""
    plain = {name: from_attributes(answer[name]) for name in ("Item", "Attributes") if answer.get(name)}
    return plain | {"Items": [from_attributes(item) for item in answer.get("Items", [])]}


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
