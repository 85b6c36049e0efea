"""Builds frames to clients."""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from chat.protocol.frames_in import MAX_FRAME_BYTES
from chat.protocol.timestamps import to_iso

Frame: TypeAlias = dict[str, Any]
PresenceEvent: TypeAlias = Literal["join", "leave", "rename"]

MAX_LISTED_MEMBERS = 100
"""Members listed in one frame. Larger rooms get no frame for a single join, leave, rename or typing."""

MAX_FACES = 4
"""Members in the description of a private room."""

_MAX_MEMBERS_BYTES = 12 * 1024
"""Space for members in `joined`, which also carries messages."""

_MAX_ROSTER_BYTES = 30 * 1024
"""Space for members in other frames: 100 with the longest names fit."""

# DEL and C1 control characters: valid in JSON, but terminals interpret them. json.dumps escapes C0.
_ESCAPED = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}


class Person(NamedTuple):
    """The public identity of a connection, or of an account in a private room."""

    connection_id: str
    name: str
    sender: str
    user_id: str | None = None
    """The account that was signed in: the badge that pages show."""

    def fields(self) -> Frame:
        """Return the identity as fields of a frame."""
        fields = {"connectionId": self.connection_id, "name": self.name, "sender": self.sender}
        return fields if self.user_id is None else {**fields, "userId": self.user_id}


class Message(NamedTuple):
    """A stored message with its place in the room, `seq`."""

    message_id: str
    room: str
    seq: int
    timestamp: str
    text: str
    author: Person

    def fields(self) -> Frame:
        """Return the message as fields of a frame."""
        return {
            "messageId": self.message_id,
            "room": self.room,
            "seq": self.seq,
            "timestamp": self.timestamp,
            "message": self.text,
            **self.author.fields(),
        }


class Page(NamedTuple):
    """Messages in order of seq. `complete` is false if there are more; `lost` is true if some have expired."""

    messages: Sequence[Message]
    complete: bool
    lost: bool = False

    def visible(self, since: int) -> "Page":
        """Return a page that was read backward without the messages up to a place."""
        if not since or not self.messages or self.messages[0].seq > since + 1:
            return self
        return Page([message for message in self.messages if message.seq > since], complete=True, lost=self.lost)


def encode(frame: Frame) -> str:
    """Return a frame as compact JSON without control characters."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPED)


def message(stored: Message) -> Frame:
    """Build `message`."""
    return {"type": "message", **stored.fields()}


def joined(  # noqa: PLR0913 - the fields of the frame
    room: str, own: Person, members: Sequence[Person], *, last_seq: int, page: Page, after: int | None
) -> Frame:
    """Build `joined`."""
    frame = {
        "type": "joined",
        "room": room,
        **own.fields(),
        "members": [],
        "memberCount": len(members),
        "lastSeq": last_seq,
        **_given(after=after),
    }
    keep_newest = after is None
    first = Page(page.messages[-1:] if keep_newest else page.messages[:1], complete=False)  # always included
    spare = MAX_FRAME_BYTES - len(encode(_with_page(frame, first, keep_newest=keep_newest)).encode())
    listed = (member.fields() for member in members[:MAX_LISTED_MEMBERS])
    frame["members"] = _fitting(listed, min(spare, _MAX_MEMBERS_BYTES))
    return _with_page(frame, page, keep_newest=keep_newest)


def left(room: str, current: str | None) -> Frame:
    """Build `left`."""
    return {"type": "left", "room": room, "current": current}


def history(room: str, page: Page, *, before: int | None, after: int | None) -> Frame:
    """Build `history`."""
    frame = {"type": "history", "room": room, **_given(before=before, after=after)}
    return _with_page(frame, page, keep_newest=after is None)


def presence(room: str, event: PresenceEvent, who: Person, member_count: int) -> Frame:
    """Build `presence` for one person."""
    return {"type": "presence", "room": room, "event": event, **who.fields(), "memberCount": member_count}


def member_count(room: str, members: Sequence[Person], count: int) -> Frame:
    """Build `presence` for several changes at once: the count, and the members of a room of up to 100."""
    frame: Frame = {"type": "presence", "room": room, "event": "count", "memberCount": count}
    if count > MAX_LISTED_MEMBERS:
        return frame
    return {**frame, "members": [member.fields() for member in _listed(members)]}


def typing(room: str, who: Person) -> Frame:
    """Build `typing`."""
    return {"type": "typing", "room": room, **who.fields()}


def pong(room: str | None, at_ms: int, rooms: Mapping[str, int], roster: Frame | None = None) -> Frame:
    """Build `pong`: the newest seq of each room and of the current one."""
    last_seq = rooms.get(room, 0) if room else 0
    frame = {"type": "pong", "room": room, "lastSeq": last_seq, "timestamp": to_iso(at_ms), "rooms": dict(rooms)}
    return frame if roster is None else {**frame, "roster": roster}


def signed_in(account: Person, *, until: int, senders: Iterable[str], is_new: bool = False) -> Frame:
    """Build `signedin`.

    `until` is in seconds since 1970; `senders` are all that stand for the account; `is_new`: it has just been created.
    """
    frame: Frame = {
        "type": "signedin",
        "userId": account.user_id,
        "name": account.name,
        "sender": account.sender,
        "senders": sorted(senders),
        "until": to_iso(until * 1000),
    }
    return {**frame, "isNew": True} if is_new else frame


def signed_out(*, everywhere: bool) -> Frame:
    """Build `signedout`."""
    return {"type": "signedout", "everywhere": everywhere}


def roster(room: str, members: Sequence[Person], known: int) -> Frame:
    """Build the `roster` of a `pong`, which lists the members only if `known` is not their checksum.

    In a room above 100 members only the first 100 by connection id count.
    """
    answer: Frame = {"room": room, "memberCount": len(members)}
    listed = _listed(members)
    if roster_checksum(listed) != known:
        answer["members"] = [member.fields() for member in listed]
    return answer


def roster_checksum(members: Iterable[Person]) -> int:
    """Return the CRC-32 of the members' connection ids, names, senders and accounts, ordered by connection id."""
    lines = sorted("\t".join(field for field in member if field is not None) + "\n" for member in members)
    return zlib.crc32("".join(lines).encode())


class Description(NamedTuple):
    """A private room or direct conversation as one of its members sees it."""

    room: str
    kind: str
    title: str
    partner: tuple[str, str] | None
    """Id and name of the other account of a direct conversation."""
    role: str
    shares_history: bool
    member_count: int
    last_seq: int
    unread: int
    since: int
    """The place after which messages are visible."""
    members: Sequence[Person]

    def fields(self) -> Frame:
        """Return the description as fields of a frame."""
        named = {"title": self.title} if self.partner is None else {"with": _account(*self.partner)}
        return {
            "room": self.room,
            "kind": self.kind,
            **named,
            "role": self.role,
            "sharesHistory": self.shares_history,
            "memberCount": self.member_count,
            "lastSeq": self.last_seq,
            "unread": self.unread,
            "since": self.since,
            "members": [_account_of(person) for person in self.members[:MAX_FACES]],
        }


def room(description: Description) -> Frame:
    """Build `room`."""
    return {"type": "room", **description.fields()}


def rooms(
    descriptions: Sequence[Description], invitations: Sequence[Frame], blocked: Sequence[tuple[str, str]]
) -> list[Frame]:
    """Build `rooms`, and a `room` for each room that it has no space for."""
    frame: Frame = {
        "type": "rooms",
        "rooms": [],
        "invitations": [],
        "blocked": [],
    }
    spare = MAX_FRAME_BYTES - len(encode(frame).encode())
    frame["blocked"] = _fitting([_account(*each) for each in blocked], spare * 3 // 4)  # 100 fit
    frame["invitations"] = _fitting(invitations, spare // 4)
    spare = MAX_FRAME_BYTES - len(encode(frame).encode())
    frame["rooms"] = _fitting([description.fields() for description in descriptions], spare)
    return [frame, *(room(description) for description in descriptions[len(frame["rooms"]) :])]


def invited_to(room: str, by: tuple[str, str], expires_at: int) -> Frame:
    """Build an entry of the `invitations` in `rooms`. `expires_at` is in seconds since 1970."""
    return {"room": room, "by": _account(*by), "expiresAt": to_iso(expires_at * 1000)}


def invitation(room: str, by: tuple[str, str], expires_at: int) -> Frame:
    """Build `invitation`. `expires_at` is in seconds since 1970."""
    return {"type": "invitation", **invited_to(room, by, expires_at)}


def members(
    room: str,
    listed: Sequence[tuple[Person, str]],
    banned: Sequence[tuple[str, str]] | None,
    invites: Sequence[Frame] | None,
) -> Frame:
    """Build `members` of persons and their roles. `banned` and `invites` are for owners and moderators."""
    frame: Frame = {"type": "members", "room": room, "members": []}
    if banned is not None and invites is not None:
        frame |= {"banned": [], "invites": []}
    spare = MAX_FRAME_BYTES - len(encode(frame).encode())
    people = [{**_account_of(person), "role": role} for person, role in listed]
    frame["members"] = _fitting(people, spare)
    if banned is not None and invites is not None:
        spare = MAX_FRAME_BYTES - len(encode(frame).encode())
        frame["invites"] = _fitting(invites, spare // 2)
        spare = MAX_FRAME_BYTES - len(encode(frame).encode())
        frame["banned"] = _fitting([_account(*each) for each in banned], spare)
    return frame


def listed_invite(invite_id: str, uses: int, expires_at: int, by: str) -> Frame:
    """Build an entry of the `invites` in `members`. `expires_at` is in seconds since 1970, `by` an account."""
    return {"inviteId": invite_id, "uses": uses, "expiresAt": to_iso(expires_at * 1000), "by": by}


def invite(room: str, invite_id: str, token: str, *, uses: int, expires_at: int) -> Frame:
    """Build `invite`. `expires_at` is in seconds since 1970."""
    return {
        "type": "invite",
        "room": room,
        "inviteId": invite_id,
        "token": token,
        "uses": uses,
        "expiresAt": to_iso(expires_at * 1000),
    }


def invited(room: str, name: str) -> Frame:
    """Build `invited`."""
    return {"type": "invited", "room": room, "name": name}


def membership(room: str, user_id: str, name: str, role: str | None, by: str) -> Frame:
    """Build `membership`; `role` None: the account is not a member any more. `by` is the account that did it."""
    return {"type": "membership", "room": room, "userId": user_id, "name": name, "role": role, "by": by}


def removed(room: str, user_id: str) -> Frame:
    """Build `removed`."""
    return {"type": "removed", "room": room, "userId": user_id}


def _account(user_id: str, name: str) -> Frame:
    return {"userId": user_id, "name": name}


def _account_of(person: Person) -> Frame:
    return {"userId": person.user_id, "name": person.name, "sender": person.sender}


def _listed(members: Sequence[Person]) -> Sequence[Person]:
    """Return the members that fit into a frame without messages."""
    fields = (member.fields() for member in members[:MAX_LISTED_MEMBERS])
    return members[: len(_fitting(fields, _MAX_ROSTER_BYTES))]


def _given(**fields: int | None) -> Frame:
    return {field: value for field, value in fields.items() if value is not None}


def _fitting(items: Iterable[Frame], budget_bytes: int) -> list[Frame]:
    """Return the leading items that fit into a budget."""
    fitting: list[Frame] = []
    for item in items:
        budget_bytes -= len(encode(item).encode()) + 1
        if budget_bytes < 0:
            break
        fitting.append(item)
    return fitting


def _with_page(frame: Frame, page: Page, *, keep_newest: bool) -> Frame:
    """Return a frame with as many of a page's messages as fit; the client requests the rest.

    `keep_newest` says which end to keep: the newest messages or the oldest.
    """
    whole = {**frame, "messages": [], "complete": False, "lost": page.lost}
    budget = MAX_FRAME_BYTES - len(encode(whole).encode())
    fields = [stored.fields() for stored in page.messages]
    fitting = _fitting(reversed(fields) if keep_newest else fields, budget)
    whole["messages"] = fitting[::-1] if keep_newest else fitting
    whole["complete"] = page.complete and len(fitting) == len(fields)
    return whole
