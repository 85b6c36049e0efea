"""The tables' keys, declared once: for the Pulumi program, and for whatever stands in for DynamoDB in a test."""

from collections.abc import Mapping

CONNECTIONS, MESSAGES, ROOMS = "ActiveConnections", "MessageHistory", "ChatRooms"

KEYS: Mapping[str, Mapping[str, str]] = {
    CONNECTIONS: {"connectionId": "S"},
    MESSAGES: {"messageId": "S", "timestamp": "S"},
    ROOMS: {"room": "S", "item": "S"},
}
"""Table → its partition key and, where there is one, its sort key, each with its type."""

EXPIRY_ATTRIBUTE = "expiresAt"
"""The attribute of each table's TTL, in seconds since 1970."""
