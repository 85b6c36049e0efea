"""Timestamps: ISO 8601 in UTC, to the millisecond."""

from datetime import UTC, datetime


def to_iso(at_ms: int) -> str:
    """Return a time in milliseconds since 1970 as ISO 8601."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_milliseconds(timestamp: str) -> int:
    """Return an ISO 8601 timestamp as milliseconds since 1970."""
    return round(datetime.fromisoformat(timestamp).timestamp() * 1000)
