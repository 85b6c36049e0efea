"""What people do: say something, be heard, come and go, under a name, in a room."""

import json
import re
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.end_to_end.chatter import Chatter, fresh_room
from tests.end_to_end.conftest import Connects

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ISO_8601 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_the_wscat_dialogue_of_the_specification_works(stack: Any, connects: Connects) -> None:
    wscat, reader = connects(), connects()
    wscat.say('{"action":"sendmessage","message":"Hello"}')
    own = wscat.hears("message", message="Hello")
    assert re.fullmatch(UUID, own["messageId"])
    assert re.fullmatch(ISO_8601, own["timestamp"])
    assert own["room"] == "lobby"
    assert own["name"] == own["connectionId"][:8]
    assert reader.hears("message", messageId=own["messageId"]) == own

    tables = stack.client("dynamodb")
    row = tables.get_item(
        TableName=stack.outputs["messages_table"],
        Key={"messageId": {"S": own["messageId"]}, "timestamp": {"S": own["timestamp"]}},
    )["Item"]
    assert row["message"] == {"S": "Hello"}
    assert row["connectionId"] == {"S": own["connectionId"]}
    connection = tables.get_item(
        TableName=stack.outputs["connections_table"], Key={"connectionId": {"S": own["connectionId"]}}
    )["Item"]
    assert re.fullmatch(ISO_8601, connection["timestamp"]["S"])


def test_unknown_routes_answer_invalid_request(connects: Connects) -> None:
    wscat = connects()
    wscat.say('{"action":"dance"}')
    assert wscat.hears("error") == {"type": "error", "error": "Invalid request", "code": "bad_request"}


def test_a_client_that_hangs_up_leaves_no_row(stack: Any, connects: Connects, room: str) -> None:
    stays, goes = connects(room), connects(room)
    goes.close()
    stays.hears("presence", event="leave", connectionId=goes.connection_id)
    key = {"connectionId": {"S": goes.connection_id}}
    row = stack.client("dynamodb").get_item(TableName=stack.outputs["connections_table"], Key=key)
    assert "Item" not in row


def test_a_foreign_page_is_refused_with_403(stack: Any) -> None:
    with pytest.raises(InvalidStatus) as refused:
        Chatter(stack.websocket_url, origin="https://evil.example")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("lookalike", ["null", "{site}.evil.example", "{site}/", "{site}, https://evil.example"])
def test_what_only_resembles_the_own_page_is_refused(stack: Any, lookalike: str) -> None:
    with pytest.raises(InvalidStatus):
        Chatter(stack.websocket_url, origin=lookalike.format(site=stack.site_url))


def test_the_own_page_is_let_in(stack: Any, connects: Connects, room: str) -> None:
    page = connects(room, origin=stack.site_url)
    assert page.sends("from the page")["room"] == room


def test_whoever_joins_hears_who_is_there_and_what_was_said(connects: Connects, room: str) -> None:
    ada = connects(room, "Ada")
    said = ada.sends("first")
    bob = connects()
    joined = bob.joins(room, "Bob")
    assert joined["name"] == "Bob"
    assert {(one["connectionId"], one["name"]) for one in joined["members"]} == {
        (ada.connection_id, "Ada"),
        (bob.connection_id, "Bob"),
    }
    assert joined["memberCount"] == 2
    assert joined["lastSeq"] == said["seq"]
    assert joined["messages"] == [{key: value for key, value in said.items() if key != "type"}]
    assert joined["complete"] is True
    assert ada.hears("presence", event="join") == {
        "type": "presence",
        "room": room,
        "event": "join",
        "connectionId": bob.connection_id,
        "name": "Bob",
        "memberCount": 2,
    }


def test_a_new_name_is_told_to_the_room(connects: Connects, room: str) -> None:
    ada, bob = connects(room, "Ada"), connects(room, "Bob")
    bob.joins(room, "Robert")
    assert ada.hears("presence", event="rename")["name"] == "Robert"
    assert bob.sends("I am Robert now")["name"] == "Robert"


def test_who_changes_rooms_leaves_the_one_and_joins_the_other(connects: Connects, room: str) -> None:
    other = fresh_room()
    ada, eve, bob = connects(room, "Ada"), connects(other, "Eve"), connects(room, "Bob")
    bob.joins(other)
    left = ada.hears("presence", event="leave")
    assert (left["connectionId"], left["memberCount"]) == (bob.connection_id, 1)
    came = eve.hears("presence", event="join")
    assert (came["connectionId"], came["name"]) == (bob.connection_id, "Bob")


def test_a_room_hears_only_its_own(connects: Connects, room: str) -> None:
    ada, eve = connects(room), connects(fresh_room())
    ada.sends("between us")
    eve.sends("elsewhere")  # had the first gone to her too, it would have come before this
    eve.pings()
    assert [frame for frame in eve.heard if frame.get("room") == room] == []


def test_a_name_is_kept_when_the_room_changes_and_none_is_given(connects: Connects, room: str) -> None:
    ada = connects(fresh_room(), "Ada")
    assert ada.joins(room)["name"] == "Ada"


def test_others_see_that_somebody_types(connects: Connects, room: str) -> None:
    ada, bob = connects(room, "Ada"), connects(room, "Bob")
    bob.say({"action": "typing"})
    assert ada.hears("typing") == {"type": "typing", "room": room, "connectionId": bob.connection_id, "name": "Bob"}
    bob.pings()
    assert [frame for frame in bob.heard if frame["type"] == "typing"] == []


def test_ping_tells_the_newest_seq(connects: Connects, room: str) -> None:
    ada = connects(room)
    assert ada.pings()["lastSeq"] == 0
    said = ada.sends("one")
    pong = ada.pings()
    assert (pong["room"], pong["lastSeq"]) == (room, said["seq"])
    assert re.fullmatch(ISO_8601, pong["timestamp"])


def test_history_is_read_page_by_page_backwards(connects: Connects, room: str) -> None:
    ada = connects(room)
    seqs = [ada.sends(f"number {number}")["seq"] for number in range(5)]
    newest = ada.reads(limit=2)
    assert ([one["seq"] for one in newest["messages"]], newest["complete"]) == (seqs[3:], False)
    middle = ada.reads(before=seqs[3], limit=2)
    assert ([one["seq"] for one in middle["messages"]], middle["complete"]) == (seqs[1:3], False)
    oldest = ada.reads(before=seqs[1], limit=2)
    assert ([one["seq"] for one in oldest["messages"]], oldest["complete"]) == (seqs[:1], True)


def test_history_is_read_page_by_page_forwards(connects: Connects, room: str) -> None:
    ada = connects(room)
    seqs = [ada.sends(f"number {number}")["seq"] for number in range(5)]
    first = ada.reads(after=0, limit=3)
    assert ([one["seq"] for one in first["messages"]], first["complete"]) == (seqs[:3], False)
    second = ada.reads(after=seqs[2], limit=3)
    assert ([one["seq"] for one in second["messages"]], second["complete"]) == (seqs[3:], True)


def test_text_of_every_kind_comes_back_as_it_was(connects: Connects, room: str) -> None:
    ada, bob = connects(room), connects(room)
    for text in ("<b>bold</b> & 'quoted' \"too\"", "two\nlines\tand a tab", "سلام 👩‍👩‍👧 Ωé", "\u2028", "x" * 4000):
        stripped = text.strip()
        if stripped:
            ada.sends(stripped)
            assert bob.hears("message", message=stripped)["message"] == stripped


def test_more_than_the_limit_is_answered_by_rate_limited_and_when_to_try_again(connects: Connects, room: str) -> None:
    ada = connects(room)
    for number in range(30):
        ada.say({"action": "sendmessage", "message": f"number {number}"})
    refused = ada.hears("error", code="rate_limited")
    assert 0 < refused["retryAfterMs"] <= 500
    assert len([frame for frame in ada.heard if frame["type"] == "message"]) >= 10


def test_an_unknown_field_is_ignored(connects: Connects, room: str) -> None:
    ada = connects(room)
    ada.say(json.dumps({"action": "sendmessage", "message": "hi", "ticket": {"any": ["thing"]}}))
    assert ada.hears("message", message="hi")
