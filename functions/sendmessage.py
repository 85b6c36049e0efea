"""`sendmessage`: store a message, then show it: to its sender first, as the acknowledgement, then to the room."""

from chat import frames, limits, log, messages, rooms
from chat.request import OK, Reply, Request, handler
from chat.settings import settings
from chat.start import prepare

prepare(posts=True)


@handler
def lambda_handler(request: Request) -> Reply:
    """Store and post it. Refused: message_required, message_too_long, invalid_room, rate_limited, bad_request."""
    text = frames.message_text(request.frame)
    message_id = frames.message_id(request.frame)
    to = frames.recipient(request.frame)
    at = settings()
    limit = limits.messages(at.message_burst, at.messages_per_second)
    stored = messages.store(request.connection, text, message_id, limit, to=to)
    request.delivery.answer(request.connection_id, stored.message.frame())
    if stored.newcomer is not None:
        rooms.member_came(stored.newcomer.room, stored.newcomer)
    if stored.first:
        log.line("stored", stored=1)
        request.delivery.to_each(rooms.members(stored.room), stored.message.frame(), but=request.connection_id)
    else:
        # The function that stored it may have died before it posted it: let the others look for a gap.
        request.delivery.to_each(rooms.members(stored.room), stored.room.pong(), but=request.connection_id)
    request.delivery.clear_up()
    return OK
