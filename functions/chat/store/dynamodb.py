"""A DynamoDB table with the few operations that the store needs, and the conversion of its values.

botocore retries throttling and time-outs, so a write may be carried out twice and a put may be refused because of its
own first copy. Each caller documents how it detects that.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

from chat.schema import EXPIRY_ATTRIBUTE
from chat.store.errors import ConditionFailedError

Item: TypeAlias = dict[str, Any]

EXPIRY = EXPIRY_ATTRIBUTE
"""DynamoDB may take days to delete expired items, so readers check this attribute too."""


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

    def parameters(self) -> Item:
        """Return the request parameters for the names and values."""
        parameters: Item = {}
        if self.names:
            parameters["ExpressionAttributeNames"] = dict(self.names)
        if self.values:
            parameters["ExpressionAttributeValues"] = to_attributes(self.values)
        return parameters


class Table:
    """One table. Every read is consistent."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Item) -> Item:
        """Return an item; empty if there is none."""
        answer = self._client.get_item(TableName=self._name, Key=to_attributes(key), ConsistentRead=True)
        return from_attributes(answer.get("Item", {}))

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

    def _write(self, operation: str, condition: str | None, expression: Expression | None, **given: Any) -> Item:
        if condition is not None:
            given |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        if expression is not None:
            given |= expression.parameters()
        try:
            return getattr(self._client, operation)(TableName=self._name, **given)
        except Exception as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            occupant = getattr(error, "response", {}).get("Item", {})
            raise ConditionFailedError(from_attributes(occupant)) from None

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
