"""Reads the tables of the running stack, with the owner's credentials."""

from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from tests.conftest import Stack

Row = dict[str, Any]


class Tables:
    """The three tables of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._client = stack.client("dynamodb")
        self._connections: str = stack.outputs["connections_table"]
        self._messages: str = stack.outputs["messages_table"]
        self._rooms: str = stack.outputs["resources"]["ChatRooms"].rpartition("/")[2]

    def connection(self, connection_id: str) -> Row | None:
        """Return a connection's row, or None."""
        return next((row for row in self._scan(self._connections) if row["connectionId"] == connection_id), None)

    def messages(self, **attributes: str) -> list[Row]:
        """Return the rows of MessageHistory with these attributes."""
        rows = self._scan(self._messages)
        return [row for row in rows if all(row.get(name) == value for name, value in attributes.items())]

    def log(self, room: str) -> dict[int, Row]:
        """Return seq → message of a room's log."""
        prefix = "log#"
        items = {int(row["item"].removeprefix(prefix)): row for row in self._items(room, prefix)}
        return {seq: row for seq, row in items.items() if seq > 0}

    def members(self, room: str) -> set[str]:
        """Return the connection ids of a room's members."""
        return {row["item"].removeprefix("member#") for row in self._items(room, "member#")}

    def add_connection(self, row: Row, room: str) -> None:
        """Put a connection and its membership of a room, as `join` does."""
        member = {name: value for name, value in row.items() if name in ("name", "sender", "timestamp", "expiresAt")}
        self._put(self._connections, row)
        self._put(self._rooms, {"room": room, "item": f"member#{row['connectionId']}", **member})

    def _items(self, room: str, prefix: str) -> list[Row]:
        rows = self._scan(self._rooms)
        return [row for row in rows if row["room"] == room and row["item"].startswith(prefix)]

    def _scan(self, table: str) -> list[Row]:
        pages = self._client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        read = TypeDeserializer().deserialize
        return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def _put(self, table: str, row: Row) -> None:
        def typed(value: Any) -> dict[str, Any]:
            if isinstance(value, bool):
                return {"BOOL": value}
            if isinstance(value, set):
                return {"SS": sorted(value)}
            return {"N": str(value)} if isinstance(value, int) else {"S": value}

        self._client.put_item(TableName=table, Item={name: typed(value) for name, value in row.items()})
