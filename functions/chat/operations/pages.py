"""Pages of a room's messages, without what was sent before the reader became a member of a private room."""

from chat.protocol.frames_in import DEFAULT_PAGE
from chat.protocol.frames_out import Page
from chat.store.room_log import End, RoomLog


def read_page(  # noqa: PLR0913 - what a client may ask for
    log: RoomLog,
    room: str,
    since: int,
    *,
    after: int | None,
    before: int | None = None,
    limit: int = DEFAULT_PAGE,
    end: End | None = None,
) -> Page:
    """Return the messages after or before a seq, or the newest, that stand after the place `since`.

    `end` is the log's end if the caller has just read it. A page whose `after` is below `since` is `lost`.
    """
    if after is not None:
        page = log.after(room, max(after, since), before, limit, end)
        return page._replace(lost=page.lost or after < since)
    if before is not None:
        return log.before(room, before, limit).visible(since) if before > since + 1 else Page([], complete=True)
    return log.newest(room, limit, end).visible(since)
