"""Parses frames from clients into typed frames. Invalid ones raise FrameError."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn, TypeAlias

from chat.protocol import errors, text

MAX_FRAME_BYTES = 32 * 1024
"""API Gateway's limit on one frame (API Gateway quotas)."""

MAX_PAGE, DEFAULT_PAGE = 100, 50
"""Messages per page of history."""

_ROOM = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")
_MAX_SEQ = 2**53
_MAX_ECHOED = 64

Fields: TypeAlias = dict[str, Any]


class SendMessage(NamedTuple):
    """`sendmessage`: a message for room `to`, or for the current room."""

    text: str
    message_id: str | None = None
    to: str | None = None


class Join(NamedTuple):
    """`join`: enter a room, optionally under a new name, and read the messages after `after`."""

    room: str
    name: str | None = None
    secret: str | None = None
    after: int | None = None


class Leave(NamedTuple):
    """`leave`: leave a room."""

    room: str


class History(NamedTuple):
    """`history`: a page of a room's messages before or after a seq."""

    room: str | None = None
    before: int | None = None
    after: int | None = None
    limit: int = DEFAULT_PAGE


class Typing(NamedTuple):
    """`typing`: notify the others in a room."""

    room: str | None = None


class Ping(NamedTuple):
    """`ping`: request each room's newest seq, and the members of `room` unless `roster` is their checksum."""

    room: str | None = None
    roster: int | None = None


def decode(event: Mapping[str, Any]) -> Fields:
    """Return the JSON object in an event's body. Raises FrameError `bad_request`."""
    body = event.get("body")
    try:
        if event.get("isBase64Encoded") and isinstance(body, str):
            body = base64.b64decode(body, validate=True).decode()
        if not isinstance(body, str) or len(body.encode()) > MAX_FRAME_BYTES:
            raise errors.bad_request()
        fields = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # ValueError: not JSON, not UTF-8, or a number of over 4,300 digits
        raise errors.bad_request() from None
    if not isinstance(fields, dict):
        raise errors.bad_request()
    return fields


def _refuse_constant(_: str) -> NoReturn:
    raise errors.bad_request()  # NaN and Infinity are not JSON (RFC 8259)


def parse_send(fields: Fields) -> SendMessage:
    """Parse `sendmessage`."""
    return SendMessage(text=_message(fields), message_id=_message_id(fields), to=_optional_room(fields, "to"))


def parse_join(fields: Fields) -> Join:
    """Parse `join`."""
    return Join(room=_room(fields.get("room")), name=_name(fields), secret=_secret(fields), after=_seq(fields, "after"))


def parse_leave(fields: Fields) -> Leave:
    """Parse `leave`."""
    return Leave(room=_room(fields.get("room")))


def parse_history(fields: Fields) -> History:
    """Parse `history`."""
    return History(
        room=_optional_room(fields, "room"),
        before=_seq(fields, "before"),
        after=_seq(fields, "after"),
        limit=_limit(fields),
    )


def parse_typing(fields: Fields) -> Typing:
    """Parse `typing`."""
    return Typing(room=_optional_room(fields, "room"))


def parse_ping(fields: Fields) -> Ping:
    """Parse `ping`."""
    return Ping(room=_optional_room(fields, "room"), roster=_seq(fields, "roster"))


def echoed_fields(fields: Fields) -> dict[str, str | None]:
    """Return the fields that an `error` frame repeats from the frame it answers; malformed ones are None."""
    message_id = fields.get("messageId")
    room = fields.get("to" if fields.get("action") == "sendmessage" else "room")
    return {
        "room": room if isinstance(room, str) and _ROOM.fullmatch(room) else None,
        "messageId": message_id
        if isinstance(message_id, str) and len(message_id) <= _MAX_ECHOED and text.is_encodable(message_id)
        else None,
    }


def _message(fields: Fields) -> str:
    given = fields.get("message")
    if not isinstance(given, str) or not text.is_visible(given):
        raise errors.message_required()
    if not text.is_encodable(given):
        raise errors.bad_request()
    message = text.trim(given)
    if len(message) > text.MAX_MESSAGE_CHARACTERS:
        raise errors.message_too_long(len(message), text.MAX_MESSAGE_CHARACTERS)
    return message


def _message_id(fields: Fields) -> str | None:
    given = fields.get("messageId")
    if given is None:
        return None
    if not isinstance(given, str) or not _UUID.fullmatch(given.lower()):
        raise errors.bad_request("messageId must be a UUID")
    return given.lower()  # case does not matter in a UUID (RFC 9562)


def _room(given: object) -> str:
    if not isinstance(given, str) or not _ROOM.fullmatch(given):
        raise errors.invalid_room()
    return given


def _optional_room(fields: Fields, field: str) -> str | None:
    given = fields.get(field)
    return None if given is None else _room(given)


def _name(fields: Fields) -> str | None:
    given = fields.get("name")
    if given is None:
        return None
    name = text.clean_name(given) if isinstance(given, str) else None
    if name is None:
        raise errors.invalid_name(text.MAX_NAME_CHARACTERS)
    return name


def _secret(fields: Fields) -> str | None:
    given = fields.get("secret")
    if given is None:
        return None
    if not isinstance(given, str) or not _SECRET.fullmatch(given):
        raise errors.invalid_secret()
    return given


def _whole(given: object) -> int | None:
    """Return an integer by value, or None: 10.0 is 10, and true is not a number."""
    if isinstance(given, float) and given.is_integer():
        return int(given)
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _seq(fields: Fields, field: str) -> int | None:
    given = fields.get(field)
    if given is None:
        return None
    seq = _whole(given)
    if seq is None or not 0 <= seq < _MAX_SEQ:
        raise errors.bad_request(f"{field} must be a whole number from 0 up")
    return seq


def _limit(fields: Fields) -> int:
    given = fields.get("limit")
    if given is None:
        return DEFAULT_PAGE
    limit = _whole(given)
    if limit is None or limit < 1:
        raise errors.bad_request(f"limit must be a whole number from 1 to {MAX_PAGE}")
    return min(limit, MAX_PAGE)
