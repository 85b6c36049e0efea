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

MAX_TOKEN_CHARACTERS = 8192
MAX_TITLE_CHARACTERS = 80
MAX_INVITATION_USES, MAX_INVITATION_HOURS = 100, 720
DEFAULT_INVITATION_HOURS = 168

ROLES = ("owner", "moderator", "member")

_ROOM = re.compile(r"[a-z0-9][a-z0-9-]{0,63}|[~@][a-z2-7]{26}")
_PRIVATE = re.compile(r"[~@][a-z2-7]{26}")
_USER_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_INVITE_ID = re.compile(r"[a-z2-7]{8,64}")
_INVITE_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
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


class SignInFrame(NamedTuple):
    """`signin`: sign in with an access token.

    `secret` is a guest's whose messages the account takes over; `name` is for a new account.
    """

    token: str
    secret: str | None = None
    name: str | None = None


class SignOut(NamedTuple):
    """`signout`: end the sign-in of this connection, or of all the account's connections."""

    everywhere: bool = False


class Profile(NamedTuple):
    """`profile`: change the account's name."""

    name: str


class Read(NamedTuple):
    """`read`: mark a private room as read up to a seq."""

    room: str
    seq: int


class CreateRoom(NamedTuple):
    """`createroom`: create a private room."""

    title: str
    shares_history: bool = False


class EditRoom(NamedTuple):
    """`editroom`: change a private room's title, or whether new members see its earlier messages."""

    room: str
    title: str | None = None
    shares_history: bool | None = None


class CreateInvite(NamedTuple):
    """`createinvite`: create an invitation link."""

    room: str
    uses: int = 1
    hours: int = DEFAULT_INVITATION_HOURS


class RevokeInvite(NamedTuple):
    """`revokeinvite`: end an invitation link."""

    room: str
    invite_id: str


class Invite(NamedTuple):
    """`invite`: invite an account by name."""

    room: str
    name: str


class Accept(NamedTuple):
    """`accept`: enter a private room by a link's token, or by an invitation by name."""

    room: str
    token: str | None = None


class SetRole(NamedTuple):
    """`setrole`: change a member's role."""

    room: str
    user_id: str
    role: str


class Remove(NamedTuple):
    """`remove`: remove a member, with `ban` for good."""

    room: str
    user_id: str
    ban: bool = False


class Unban(NamedTuple):
    """`unban`: let an account be invited again."""

    room: str
    user_id: str


class Block(NamedTuple):
    """`block`: refuse direct messages and invitations of an account, or accept them again."""

    user_id: str
    blocked: bool


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


def parse_sign_in(fields: Fields) -> SignInFrame:
    """Parse `signin`. A token of the wrong type or length is an invalid one."""
    token = fields.get("token")
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_CHARACTERS or not token.isascii():
        raise errors.invalid_token()
    return SignInFrame(token=token, secret=_secret(fields), name=_name(fields))


def parse_sign_out(fields: Fields) -> SignOut:
    """Parse `signout`."""
    return SignOut(everywhere=_flag(fields, "everywhere") or False)


def parse_profile(fields: Fields) -> Profile:
    """Parse `profile`."""
    return Profile(name=_required_name(fields))


def parse_private_room(fields: Fields) -> str:
    """Parse the `room` of a frame that is about a private room."""
    return _private_room(fields)


def parse_user_id(fields: Fields) -> str:
    """Parse the `userId` of a frame."""
    given = fields.get("userId")
    if not isinstance(given, str) or not _USER_ID.fullmatch(given):
        raise errors.bad_request("userId must have 1 to 64 of A-Z, a-z, 0-9 and -")
    return given


def parse_read(fields: Fields) -> Read:
    """Parse `read`."""
    seq = _seq(fields, "seq")
    if seq is None:
        raise errors.bad_request("seq must be a whole number from 0 up")
    return Read(room=_private_room(fields), seq=seq)


def parse_create_room(fields: Fields) -> CreateRoom:
    """Parse `createroom`."""
    title = _title(fields)
    if title is None:
        raise errors.invalid_title(MAX_TITLE_CHARACTERS)
    return CreateRoom(title=title, shares_history=_flag(fields, "sharesHistory") or False)


def parse_edit_room(fields: Fields) -> EditRoom:
    """Parse `editroom`."""
    return EditRoom(room=_private_room(fields), title=_title(fields), shares_history=_flag(fields, "sharesHistory"))


def parse_create_invite(fields: Fields) -> CreateInvite:
    """Parse `createinvite`."""
    return CreateInvite(
        room=_private_room(fields),
        uses=_within(fields, "uses", MAX_INVITATION_USES, 1),
        hours=_within(fields, "hours", MAX_INVITATION_HOURS, DEFAULT_INVITATION_HOURS),
    )


def parse_revoke_invite(fields: Fields) -> RevokeInvite:
    """Parse `revokeinvite`."""
    given = fields.get("inviteId")
    if not isinstance(given, str) or not _INVITE_ID.fullmatch(given):
        raise errors.bad_request("inviteId must be one that `members` lists")
    return RevokeInvite(room=_private_room(fields), invite_id=given)


def parse_invite(fields: Fields) -> Invite:
    """Parse `invite`."""
    return Invite(room=_private_room(fields), name=_required_name(fields))


def parse_accept(fields: Fields) -> Accept:
    """Parse `accept`. A malformed token is one of no invitation."""
    token = fields.get("token")
    if token is not None and (not isinstance(token, str) or not _INVITE_TOKEN.fullmatch(token)):
        raise errors.no_such_invitation()
    return Accept(room=_private_room(fields), token=token)


def parse_set_role(fields: Fields) -> SetRole:
    """Parse `setrole`."""
    role = fields.get("role")
    if role not in ROLES:
        raise errors.bad_request("role must be owner, moderator or member")
    return SetRole(room=_private_room(fields), user_id=parse_user_id(fields), role=role)


def parse_remove(fields: Fields) -> Remove:
    """Parse `remove`."""
    return Remove(room=_private_room(fields), user_id=parse_user_id(fields), ban=_flag(fields, "ban") or False)


def parse_unban(fields: Fields) -> Unban:
    """Parse `unban`."""
    return Unban(room=_private_room(fields), user_id=parse_user_id(fields))


def parse_block(fields: Fields) -> Block:
    """Parse `block`."""
    blocked = _flag(fields, "blocked")
    if blocked is None:
        raise errors.bad_request("blocked must be true or false")
    return Block(user_id=parse_user_id(fields), blocked=blocked)


def is_private(room: str) -> bool:
    """Return whether a room is a private room or a direct conversation, by its key."""
    return _PRIVATE.fullmatch(room) is not None


def echoed_fields(fields: Fields, *, private: bool = False) -> dict[str, str | None]:
    """Return the fields that an `error` frame repeats from the frame it answers; malformed ones are None.

    `private` says whether there are private rooms.
    """
    message_id = fields.get("messageId")
    room = fields.get("to" if fields.get("action") == "sendmessage" else "room")
    is_room = isinstance(room, str) and _ROOM.fullmatch(room) and (private or not is_private(room))
    return {
        "room": room if is_room else None,
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


def _required_name(fields: Fields) -> str:
    name = _name(fields)
    if name is None:
        raise errors.invalid_name(text.MAX_NAME_CHARACTERS)
    return name


def _private_room(fields: Fields) -> str:
    given = fields.get("room")
    if not isinstance(given, str) or not _PRIVATE.fullmatch(given):
        raise errors.invalid_room()
    return given


def _title(fields: Fields) -> str | None:
    given = fields.get("title")
    if given is None:
        return None
    title = text.clean_name(given, MAX_TITLE_CHARACTERS) if isinstance(given, str) else None
    if title is None:
        raise errors.invalid_title(MAX_TITLE_CHARACTERS)
    return title


def _flag(fields: Fields, field: str) -> bool | None:
    given = fields.get(field)
    if given is not None and not isinstance(given, bool):
        raise errors.bad_request(f"{field} must be true or false")
    return given


def _within(fields: Fields, field: str, most: int, default: int) -> int:
    given = fields.get(field)
    if given is None:
        return default
    whole = _whole(given)
    if whole is None or not 1 <= whole <= most:
        raise errors.bad_request(f"{field} must be a whole number from 1 to {most}")
    return whole


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
