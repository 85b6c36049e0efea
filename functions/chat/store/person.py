"""A person's public identity as attributes of an item."""

from chat.protocol.frames_out import Person
from chat.store.dynamodb import Item


def from_item(connection_id: str, item: Item) -> Person:
    """Return the person that an item names; missing attributes have a connection's defaults."""
    return Person(
        connection_id,
        item.get("name", connection_id[:8]),
        item.get("sender", connection_id),
        item.get("userId"),
    )


def to_item(person: Person) -> Item:
    """Return a person's attributes; None for those to be omitted."""
    return {
        "connectionId": person.connection_id,
        "name": person.name,
        "sender": person.sender,
        "userId": person.user_id,
    }
