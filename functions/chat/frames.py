"""Frames as they travel: JSON in, JSON out, and the rules for each field. It knows no store and no socket."""

import base64
import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any, NoReturn

from chat.refusal import Refusal, invalid_request
from chat.settings import MAX_FRAME_BYTES

MAX_MESSAGE_CHARACTERS = 4000
MAX_NAME_CHARACTERS = 40
MAX_PAGE = 100
DEFAULT_PAGE = 50

_ROOM = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_JOINERS = "\u200c\u200d"  # within an emoji or a Persian word they are part of the text
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # letters and signs by their category, but nothing is seen of them
_ESCAPED = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}
"""DEL and C1, which JSON lets through: a terminal would obey them. JSON escapes C0 itself."""


def decode(event: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON object in an event's body; anything else is refused as `Invalid request`."""
    body = event.get("body")
    try:
        if event.get("isBase64Encoded") and isinstance(body, str):
            body = base64.b64decode(body, validate=True).decode()
        if not isinstance(body, str) or len(body.encode()) > MAX_FRAME_BYTES:
            raise invalid_request()
        frame = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # ValueError: no JSON, no UTF-8, a number of 4,300 digits
        raise invalid_request() from None
    if not isinstance(frame, dict):
        raise invalid_request()
    return frame


def _refuse_constant(_: str) -> NoReturn:
    raise invalid_request()  # NaN and Infinity are no JSON (RFC 8259)


def encode(frame: dict[str, Any]) -> str:
    """Return a frame as compact JSON without any control character in it, whatever its texts hold."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPED)


def is_text(value: object) -> bool:
    """Tell whether a value is a string that UTF-8 can carry: no lone surrogates."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def message_text(frame: dict[str, Any]) -> str:
    """Return the trimmed message of 1 to 4,000 characters."""
    text = frame.get("message")
    if not isinstance(text, str) or not text.strip():
        raise Refusal("message_required", "Message is required")
    if not is_text(text):
        raise invalid_request()
    text = text.strip()
    if len(text) > MAX_MESSAGE_CHARACTERS:
        raise Refusal(
            "message_too_long",
            f"A message has at most {MAX_MESSAGE_CHARACTERS} characters; this one has {len(text)}",
        )
    return text


def message_id(frame: dict[str, Any]) -> str | None:
    """Return the client's own id of a message, a UUID, or None."""
    given = frame.get("messageId")
    if given is not None and not (isinstance(given, str) and _UUID.fullmatch(given)):
        raise invalid_request("messageId must be a UUID")
    return given


def room_name(frame: dict[str, Any], field: str = "room") -> str:
    """Return the room: `[a-z0-9][a-z0-9-]{0,63}`."""
    room = frame.get(field)
    if not isinstance(room, str) or not _ROOM.fullmatch(room):
        raise Refusal(
            "invalid_room",
            "A room's name has 1 to 64 of a-z, 0-9 and -, and does not begin with -",
        )
    return room


def recipient(frame: dict[str, Any]) -> str | None:
    """Return `to`, the room that a message is for, or None where it is for the room that its sender is in."""
    return None if frame.get("to") is None else room_name(frame, "to")


def member_name(frame: dict[str, Any]) -> str | None:
    """Return the name of 1 to 40 characters, NFC, trimmed, inner space as one space, or None where none was given."""
    given = frame.get("name")
    if given is None:
        return None
    name = unicodedata.normalize("NFC", given).strip() if isinstance(given, str) else ""
    hidden = any(_is_hidden(character) for character in name)
    name = " ".join(name.split())
    visible = any(unicodedata.category(character)[0] in "LNPS" for character in name)
    if hidden or not visible or len(name) > MAX_NAME_CHARACTERS:
        raise Refusal(
            "invalid_name",
            f"A name has 1 to {MAX_NAME_CHARACTERS} visible characters, without control or direction characters",
        )
    return name


def _is_hidden(character: str) -> bool:
    return (unicodedata.category(character) in _INVISIBLE and character not in _JOINERS) or character in _BLANK


def seq_number(frame: dict[str, Any], field: str) -> int | None:
    """Return a field that holds a seq, or None where it is absent."""
    value = frame.get(field)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise invalid_request(f"{field} must be a whole number from 0 up")
    return value


def page_size(frame: dict[str, Any]) -> int:
    """Return `limit`: how many messages a page may hold, 50 unless told, 100 at the most."""
    limit = frame.get("limit")
    if limit is None:
        return DEFAULT_PAGE
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise invalid_request(f"limit must be a whole number from 1 to {MAX_PAGE}")
    return min(limit, MAX_PAGE)


def fitting(items: Iterable[dict[str, Any]], budget_bytes: int) -> list[dict[str, Any]]:
    """Return as many of the first items as a frame has bytes left for."""
    fit: list[dict[str, Any]] = []
    for item in items:
        budget_bytes -= len(encode(item).encode()) + 1
        if budget_bytes < 0:
            break
        fit.append(item)
    return fit


def with_page(
    frame: dict[str, Any],
    messages: list[dict[str, Any]],
    *,
    complete: bool,
    lost: bool,
    keep_newest: bool,
) -> dict[str, Any]:
    """Return a frame with as many of a page's messages as fit; those that do not are asked for again.

    `messages` come by rising seq. `keep_newest` says which end stays: the newest, or the first after a seq.
    """
    page = {**frame, "messages": [], "complete": False, "lost": lost}
    budget = MAX_FRAME_BYTES - len(encode(page).encode())
    fit = fitting(reversed(messages) if keep_newest else messages, budget)
    page["messages"] = fit[::-1] if keep_newest else fit
    page["complete"] = complete and len(fit) == len(messages)
    return page


def pong(room: str, last_seq: int, timestamp: str) -> dict[str, Any]:
    """Return the frame that tells a room's newest seq."""
    return {"type": "pong", "room": room, "lastSeq": last_seq, "timestamp": timestamp}
