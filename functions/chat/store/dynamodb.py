"""A DynamoDB table with the few operations that the store needs, and the conversion of its values.

botocore retries throttling and time-outs, so a write may be carried out twice and a put may be refused because of its
own first copy. Each caller documents how it detects that.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from chat.schema import EXPIRY_ATTRIBUTE
from chat.store.errors import ConditionFailedError, ConflictError, TransactionFailedError

Item: TypeAlias = dict[str, Any]

EXPIRY = EXPIRY_ATTRIBUTE
"""DynamoDB may take days to delete expired items, so readers check this attribute too."""

MAX_BATCH = 100
"""Items of one BatchGetItem (DynamoDB quotas)."""

_MAX_TRIES = 5
_FIRST_PAUSE_SECONDS = 0.05


def to_attributes(item: Item) -> Item:
    """Return strings, integers, booleans and string sets as DynamoDB's typed values; None is omitted."""
    return {name: _typed(value) for name, value in item.items() if value is not None}


def _typed(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, set | frozenset):
        return {"SS": sorted(value)}
    return {"S": value}


def from_attributes(typed: Item) -> Item:
    """Return DynamoDB's typed values as plain ones."""
    return {name: value["S"] if "S" in value else _plain(value) for name, value in typed.items()}


def _plain(value: dict[str, Any]) -> Any:
    ((kind, plain),) = value.items()
    if kind == "N":
        return int(plain)
    return frozenset(plain) if kind == "SS" else plain


def error_code(error: BaseException) -> str:
    """Return the error code of a ClientError, or an empty string for other errors."""
    response = getattr(error, "response", None)
    return response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""


class Expression:
    """The names and values of an expression. Attributes get placeholders because many words are reserved."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: Item = {}

    def name(self, attribute: str, alias: str | None = None) -> str:
        """Return the placeholder of an attribute; pass `alias` if its name may contain any character."""
        placeholder = f"#{alias if alias is not None else attribute}"
        self.names[placeholder] = attribute
        return placeholder

    def value(self, key: str, value: Any) -> str:
        """Return the placeholder of a value; `key` must be unique in the expression."""
        self.values[f":{key}"] = value
        return f":{key}"

    def assignments(self, given: Mapping[str, Any]) -> list[str]:
        """Return the assignments of an update's SET clause, of the attributes that are not None."""
        return [
            f"{self.name(attribute)} = {self.value(attribute, value)}"
            for attribute, value in given.items()
            if value is not None
        ]

    def parameters(self) -> Item:
        """Return the request parameters for the names and values."""
        parameters: Item = {}
        if self.names:
            parameters["ExpressionAttributeNames"] = dict(self.names)
        if self.values:
            parameters["ExpressionAttributeValues"] = to_attributes(self.values)
        return parameters


class Write(NamedTuple):
    """A write of a transaction: `kind` is Put, Update, Delete or ConditionCheck."""

    kind: str
    request: Item


class Table:
    """One table. Every read is consistent. `sleep` pauses between tries, in seconds."""

    def __init__(self, client: Any, name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep

    def get(self, key: Item) -> Item:
        """Return an item; empty if there is none."""
        answer = self._client.get_item(TableName=self._name, Key=to_attributes(key), ConsistentRead=True)
        return from_attributes(answer.get("Item", {}))

    def batch_get(self, keys: Iterable[Item]) -> list[Item]:
        """Return the items of those keys that have one, in any order.

        Keys that DynamoDB leaves unprocessed (16 MB per answer, throttling) are asked for again. Raises ConflictError
        if it processes none of them several times.
        """
        waiting = [to_attributes(dict(key)) for key in dict.fromkeys(tuple(sorted(key.items())) for key in keys)]
        found: list[Item] = []
        fruitless = 0
        while waiting:
            asked, waiting = waiting[:MAX_BATCH], waiting[MAX_BATCH:]
            answer = self._client.batch_get_item(RequestItems={self._name: {"Keys": asked, "ConsistentRead": True}})
            found += map(from_attributes, answer.get("Responses", {}).get(self._name, []))
            unprocessed = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            fruitless = fruitless + 1 if len(unprocessed) == len(asked) else 0
            if fruitless:
                self._pause(fruitless)
            waiting = [*unprocessed, *waiting]
        return found

    def put(self, item: Item, *, condition: str | None = None, expression: Expression | None = None) -> None:
        """Put an item. Raises ConditionFailedError with the existing item."""
        self._write("put_item", condition, expression, Item=to_attributes(item))

    def update(
        self, key: Item, update: str, expression: Expression, *, condition: str | None = None, returns_old: bool = False
    ) -> Item:
        """Update an item; return the new or the old one. Raises ConditionFailedError with the existing item."""
        answer = self._write(
            "update_item",
            condition,
            expression,
            Key=to_attributes(key),
            UpdateExpression=update,
            ReturnValues="ALL_OLD" if returns_old else "ALL_NEW",
        )
        return from_attributes(answer.get("Attributes", {}))

    def delete(self, key: Item, *, condition: str | None = None, expression: Expression | None = None) -> Item:
        """Delete an item and return it; empty if there was none. Raises ConditionFailedError with the existing item."""
        answer = self._write("delete_item", condition, expression, Key=to_attributes(key), ReturnValues="ALL_OLD")
        return from_attributes(answer.get("Attributes", {}))

    def transact(self, *writes: Write) -> None:
        """Carry out all writes (2 to 100, each of another item), or none.

        Each costs twice the units of a single write. botocore gives its repeats one token, so a repeat of a transaction
        that has been carried out changes nothing. Raises TransactionFailedError with the conditions that failed.
        """
        parts = [{write.kind: {"TableName": self._name, **write.request}} for write in writes]
        for attempt in range(1, _MAX_TRIES + 1):
            try:
                self._client.transact_write_items(TransactItems=parts)
            except Exception as error:
                failed = _failed_conditions(error)
                if failed is None:
                    raise
                if failed:
                    raise TransactionFailedError(failed) from None
                self._pause(attempt)  # another write of one of the items was under way
            else:
                return
        raise ConflictError

    def _write(self, operation: str, condition: str | None, expression: Expression | None, **given: Any) -> Item:
        given |= _conditional(condition, expression)
        for attempt in range(1, _MAX_TRIES + 1):
            try:
                return getattr(self._client, operation)(TableName=self._name, **given)
            except Exception as error:
                code = error_code(error)
                if code == "ConditionalCheckFailedException":
                    occupant = getattr(error, "response", {}).get("Item", {})
                    raise ConditionFailedError(from_attributes(occupant)) from None
                if code != "TransactionConflictException":  # botocore does not repeat these
                    raise
            self._pause(attempt)
        raise ConflictError

    def _pause(self, attempt: int) -> None:
        """Wait before the next try. Raises ConflictError after the last."""
        if attempt >= _MAX_TRIES:
            raise ConflictError
        self._sleep(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))

    def query(
        self,
        partition: tuple[str, str],
        sort: tuple[str, str, str] | None = None,
        *,
        forward: bool = True,
        limit: int | None = None,
        only: tuple[str, ...] = (),
    ) -> Iterator[Item]:
        """Yield the items of a partition, page by page (1 MB each, DynamoDB quotas).

        `partition` is the key's name and value; `sort` the sort key's name with its first and last value, inclusive.
        `limit` bounds the first request only; taking more items sends further, unbounded requests.
        `only` names the attributes to return.
        """
        expression = Expression()
        condition = f"{expression.name(partition[0])} = {expression.value('partition', partition[1])}"
        if sort is not None:
            first, last = expression.value("first", sort[1]), expression.value("last", sort[2])
            condition += f" AND {expression.name(sort[0])} BETWEEN {first} AND {last}"
        request: Item = {
            "TableName": self._name,
            "KeyConditionExpression": condition,
            "ConsistentRead": True,
            "ScanIndexForward": forward,
        }
        if only:
            request["ProjectionExpression"] = ", ".join(expression.name(attribute) for attribute in only)
        if limit is not None:
            request["Limit"] = limit
        request |= expression.parameters()
        while True:
            page = self._client.query(**request)
            yield from map(from_attributes, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
            request.pop("Limit", None)


def putting(item: Item, *, condition: str, expression: Expression) -> Write:
    """Return the put of a transaction."""
    return Write("Put", {"Item": to_attributes(item), **_conditional(condition, expression)})


def updating(key: Item, update: str, expression: Expression, *, condition: str) -> Write:
    """Return the update of a transaction."""
    changes = {"Key": to_attributes(key), "UpdateExpression": update}
    return Write("Update", changes | _conditional(condition, expression))


def deleting(key: Item, *, condition: str, expression: Expression) -> Write:
    """Return the deletion of a transaction."""
    return Write("Delete", {"Key": to_attributes(key), **_conditional(condition, expression)})


def checking(key: Item, *, condition: str, expression: Expression) -> Write:
    """Return the condition of a transaction on an item that it does not write."""
    return Write("ConditionCheck", {"Key": to_attributes(key), **_conditional(condition, expression)})


def _conditional(condition: str | None, expression: Expression | None) -> Item:
    """Return the parameters of a write's condition, and of its names and values."""
    given: Item = {}
    if condition is not None:
        given |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if expression is not None:
        given |= expression.parameters()
    return given


def _failed_conditions(error: Exception) -> Mapping[int, Item] | None:
    """Return a cancelled transaction's failed conditions: the existing items, by the writes' numbers.

    Empty if only conflicts cancelled it; None if it failed for another reason.
    """
    code = error_code(error)
    if code in {"TransactionConflictException", "TransactionInProgressException"}:
        return {}
    if code != "TransactionCanceledException":
        return None
    reasons = getattr(error, "response", {}).get("CancellationReasons", [])
    if any(reason.get("Code") not in {"None", "ConditionalCheckFailed", "TransactionConflict"} for reason in reasons):
        return None
    return {
        number: from_attributes(reason.get("Item", {}))
        for number, reason in enumerate(reasons)
        if reason.get("Code") == "ConditionalCheckFailed"
    }
