"""The tables' keys, declared once for the Pulumi program and for the fake DynamoDB in tests."""

from collections.abc import Mapping

CONNECTIONS, MESSAGES, ROOMS = "ActiveConnections", "MessageHistory", "ChatRooms"

KEYS: Mapping[str, Mapping[str, str]] = {
    CONNECTIONS: {"connectionId": "S"},
    MESSAGES: {"messageId": "S", "timestamp": "S"},
    ROOMS: {"room": "S", "item": "S"},
}
"""Partition key and, if any, sort key of each table, with their types."""

EXPIRY_ATTRIBUTE = "expiresAt"
"""TTL attribute of every table, in seconds since 1970."""
