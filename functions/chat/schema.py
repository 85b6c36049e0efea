"""The tables' keys, declared once for the Pulumi program and for the fake DynamoDB in tests."""

from collections.abc import Mapping

CONNECTIONS, MESSAGES, ROOMS = "ActiveConnections", "MessageHistory", "ChatRooms"

KEYS: Mapping[str, Mapping[str, str]] = {
    CONNECTIONS: {"connectionId": "S"},
    MESSAGES: {"messageId": "S", "timestamp": "S"},
    ROOMS: {"room": "S", "item": "S"},
}
"""Partition key and, if any, sort key of each table, with their types."""

ACCOUNT_PREFIX = "user#"
"""Begins the partitions of ChatRooms that hold an account's items; its id follows."""

EXPIRY_ATTRIBUTE = "expiresAt"
"""TTL attribute of every table, in seconds since 1970."""
