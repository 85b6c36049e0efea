"""`join`: go into a room, under a name, and hear what was said there."""

from chat import connections, delivery, frames, history, limits, rooms
from chat.connections import Connection
from chat.request import OK, Reply, Request, handler
from chat.side_by_side import side_by_side
from chat.start import prepare

prepare(posts=True)

_MAX_LIST_BYTES = 12 * 1024
_UNSEEN_MS = 5000


@handler
def lambda_handler(request: Request) -> Reply:
    """Move the connection and post `joined`. Refused: invalid_room, invalid_name, rate_limited, bad_request."""
    name = frames.member_name(request.frame)
    room_name = frames.room_name(request.frame)
    after = frames.seq_number(request.frame, "after")
    old, new = connections.move(request.connection, limits.JOINS, room_name, name)
    room = rooms.member_came(room_name, new)
    page, (members, member_count) = side_by_side(
        lambda: (
            history.newest(room, frames.DEFAULT_PAGE)
            if after is None
            else history.after(room, after, None, frames.DEFAULT_PAGE)
        ),
        lambda: delivery.listed(room, _MAX_LIST_BYTES),
    )
    request.delivery.answer(
        request.connection_id,
        frames.with_page(
            {
                "type": "joined",
                "room": room.name,
                "connectionId": new.connection_id,
                "name": new.name,
                "members": members,
                "memberCount": member_count,
                "lastSeq": room.last_seq,
                **({} if after is None else {"after": after}),
            },
            [message.fields() for message in page.messages],
            complete=page.complete,
            lost=page.lost,
            keep_newest=after is None,
        ),
    )
    _tell(request, old, new, room)
    request.delivery.clear_up()
    return OK


def _tell(request: Request, old: Connection | None, new: Connection, room: rooms.Room) -> None:
    """Tell the room that was left, and the one that was joined, of whatever they can have noticed."""
    if old is not None and old.room != new.room:
        left = rooms.members_left(old.room, [old])
        if _was_seen(old):
            request.delivery.tell_presence(left, "leave", old)
    if old is None or old.room != new.room or not old.joined_by_frame:
        request.delivery.tell_presence(room, "join", new)
    elif old.name != new.name:
        request.delivery.tell_presence(room, "rename", new)


def _was_seen(old: Connection) -> bool:
    """Tell whether others can know of a connection: it joined, or has been in the lobby for a while."""
    return old.joined_by_frame or connections.age_ms(old) > _UNSEEN_MS
