"""The specification's acceptance test: a wscat session, two clients, and a scan of both tables."""

import re

from tests.conftest import Stack
from tests.end_to_end.conftest import Connect
from tests.end_to_end.tables import Tables

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ISO_8601 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_a_message_from_wscat_is_broadcast_and_stored(stack: Stack, connect: Connect) -> None:
    wscat, reader = connect(), connect()
    wscat.send_raw('{"action":"sendmessage","message":"Hello"}')
    own = wscat.wait_for("message", message="Hello")
    assert re.fullmatch(UUID, own["messageId"])
    assert re.fullmatch(ISO_8601, own["timestamp"])
    assert (own["room"], own["name"], own["sender"]) == ("lobby", own["connectionId"][:8], own["connectionId"])
    assert reader.wait_for("message", messageId=own["messageId"]) == own

    tables = Tables(stack)
    (row,) = tables.messages(messageId=own["messageId"])
    assert {name: row[name] for name in ("timestamp", "connectionId", "message")} == {
        name: own[name] for name in ("timestamp", "connectionId", "message")
    }
    connection = tables.connection(own["connectionId"])
    assert connection is not None
    assert re.fullmatch(ISO_8601, connection["timestamp"])


def test_errors_have_the_specified_texts(connect: Connect) -> None:
    wscat = connect()
    wscat.send_raw('{"action":"dance"}')
    assert wscat.wait_for("error")["error"] == "Invalid request"
    wscat.send_raw('{"action":"sendmessage","message":""}')
    assert wscat.wait_for("error")["error"] == "Message is required"


def test_a_disconnected_client_has_no_row(stack: Stack, connect: Connect, room: str) -> None:
    stays, goes = connect(room), connect(room)
    goes.close()
    stays.wait_for("presence", event="leave", connectionId=goes.connection_id)
    tables = Tables(stack)
    assert tables.connection(goes.connection_id) is None
    assert tables.members(room) == {stays.connection_id}
