"""`history`: a page of what was said in the connection's room, before or after a seq."""

from chat import connections, frames, limits, rooms
from chat import history as store
from chat.request import Reply, Request, handler, reply
from chat.start import prepare

prepare()


@handler
def lambda_handler(request: Request) -> Reply:
    """Return the page, with what was asked, to the requester alone. Refused: bad_request, rate_limited."""
    before = frames.seq_number(request.frame, "before")
    after = frames.seq_number(request.frame, "after")
    limit = frames.page_size(request.frame)
    asked = {field: seq for field, seq in (("before", before), ("after", after)) if seq is not None}
    connection = connections.act(request.connection, limits.HISTORY)
    if after is not None:
        page = store.after(rooms.read(connection.room), after, before, limit)
    elif before is not None:
        page = store.before(connection.room, before, limit)
    else:
        page = store.newest(rooms.read(connection.room), limit)
    return reply(
        frames.with_page(
            {"type": "history", "room": connection.room, **asked},
            [message.fields() for message in page.messages],
            complete=page.complete,
            lost=page.lost,
            keep_newest=after is None,
        ),
    )
