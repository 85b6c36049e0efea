"""The functions' environment, read where it is used, so that a test may change it. It knows no AWS client."""

import os
from dataclasses import dataclass

CONNECTION_SECONDS = 7200
"""No connection outlives two hours (API Gateway quotas, not raisable)."""

MAX_FRAME_BYTES = 32 * 1024
"""A frame of more bytes is not carried by API Gateway in one piece (API Gateway quotas)."""

DEFAULT_ROOM = "lobby"
"""Where a connection is until it joins another room."""

QUIET_ABOVE_MEMBERS = 100
"""Rooms with more members hear no single joins, leaves, renames or typing; frames list no more of them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment sets."""

    connections_table: str
    messages_table: str
    rooms_table: str
    callback_url: str
    message_burst: int
    """Messages that a connection may send at once."""
    messages_per_second: float
    """Messages a second that a connection may send for ever."""
    retention_seconds: int
    """How long a message is kept; 0: for ever."""
    posts_per_second: float
    """The most that one function posts, so that a busy room leaves others their share of the account's limit."""


def settings() -> Settings:
    """Return this invocation's settings; a missing table name is a fault of the deployment and raises KeyError."""
    env = os.environ
    return Settings(
        connections_table=env["TABLE_NAME"],
        messages_table=env["HISTORY_TABLE_NAME"],
        rooms_table=env["ROOMS_TABLE_NAME"],
        callback_url=env["CALLBACK_URL"],
        message_burst=int(env.get("MESSAGE_BURST", "10")),
        messages_per_second=float(env.get("MESSAGES_PER_SECOND", "2")),
        retention_seconds=int(env.get("MESSAGE_RETENTION_DAYS", "30")) * 86400,
        posts_per_second=float(env.get("POSTS_PER_SECOND", "8000")),
    )
