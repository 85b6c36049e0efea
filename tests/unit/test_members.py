"""Who is in a room: exact although the index lags, without ghosts, and quiet in a big room."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import connect
import disconnect
import ping
import pytest
import sendmessage
import typing_notice

from chat import clients, connections, delivery, rooms
from chat.connections import Member
from tests.unit.stage import Chat


@pytest.fixture
def index_stands_still(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let the index show a room from now on as it is at this moment."""
    read = connections.members

    def stand_still(room: str) -> None:
        shown = list(read(room))

        def members(name: str) -> Iterator[Member]:
            yield from shown if name == room else read(name)

        monkeypatch.setattr(connections, "members", members)

    return stand_still


@pytest.fixture
def anna(chat: Chat) -> Chat:
    chat.connect("anna")
    chat.join("anna", "garden", name="Anna")
    return chat


def change(connection_id: str, **values: Any) -> None:
    """Change a connection's row by hand."""
    clients.dynamodb().update_item(
        TableName="ActiveConnections",
        Key={"connectionId": {"S": connection_id}},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
        ExpressionAttributeNames={f"#{name}": name for name in values},
        ExpressionAttributeValues=clients.to_attributes({f":{name}": value for name, value in values.items()}),
    )


def test_who_joins_is_among_the_members_before_the_index_shows_it(
    anna: Chat, index_stands_still: Callable[[str], None]
) -> None:
    index_stands_still("garden")
    anna.connect("ben")
    joined = anna.join("ben", "garden", name="Ben")
    assert {one["name"] for one in joined["members"]} == {"Anna", "Ben"}
    assert joined["memberCount"] == 2
    told = anna.posts.of_type("anna", "presence")[-1]
    assert (told["event"], told["memberCount"]) == ("join", 2)


def test_who_has_just_joined_hears_a_message_before_the_index_shows_it(
    anna: Chat, index_stands_still: Callable[[str], None]
) -> None:
    index_stands_still("garden")
    index_stands_still("lobby")
    anna.connect("ben")
    anna.join("ben", "garden")
    said = anna.send("anna", "hello")
    assert anna.posts.of_type("ben", "message") == [said]
    anna.connect("wscat")
    anna.connect("other")
    said = anna.send("other", "hello, lobby")
    assert anna.posts.of_type("wscat", "message") == [said]


def test_who_has_just_left_is_counted_and_told_no_more_though_the_index_shows_it(
    anna: Chat, index_stands_still: Callable[[str], None]
) -> None:
    for connection_id in ("ben", "cleo"):
        anna.connect(connection_id)
        anna.join(connection_id, "garden", name=connection_id.title())
    index_stands_still("garden")
    anna.disconnect("ben")
    anna.join("cleo", "kitchen")
    left = [one for one in anna.posts.of_type("anna", "presence") if one["event"] == "leave"]
    assert [(one["name"], one["memberCount"]) for one in left] == [("Ben", 2), ("Cleo", 1)]
    anna.send("anna", "alone?")
    assert not anna.posts.of_type("cleo", "message")


def test_a_late_copy_of_the_write_of_connect_takes_nobody_out_of_a_room(anna: Chat, item: Any) -> None:
    anna.connect("anna")
    row = item("ActiveConnections", connectionId="anna")
    assert (row["room"], row["name"]) == ("garden", "Anna")


def test_a_new_name_is_shown_before_the_index_has_it(anna: Chat, index_stands_still: Callable[[str], None]) -> None:
    index_stands_still("garden")
    assert anna.join("anna", "garden", name="Anne")["members"] == [{"connectionId": "anna", "name": "Anne"}]


def test_what_the_row_of_a_room_tells_of_its_members_is_over_when_the_index_has_it(
    anna: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "INDEX_LAG_MS", -1)
    assert rooms.read("garden").changes == {}
    assert [member.name for member in rooms.members(rooms.read("garden"))] == ["Anna"]


def test_the_row_of_a_room_holds_few_changes_however_many_come_and_go(chat: Chat, item: Any) -> None:
    for number in range(30):
        chat.connect(f"connection-{number:04d}")
    row = item("ChatRooms", room="lobby")
    assert len([name for name in row if name.startswith("change")]) == rooms.CHANGES_KEPT
    assert len(json.dumps(row)) < 1024, "a kilobyte is one write unit"


def test_a_list_of_members_is_read_once_for_many_messages(anna: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    change_at = connections.now_ms() + rooms.INDEX_LAG_MS + 1
    monkeypatch.setattr(rooms, "now_ms", lambda: change_at)
    read: list[str] = []
    members = connections.members
    monkeypatch.setattr(connections, "members", lambda room: read.append(room) or members(room))
    for _ in range(3):
        anna.send("anna", "hello")
    assert read == ["garden"]
    anna.connect("ben")
    anna.join("ben", "garden")
    said = anna.send("anna", "hello, Ben")
    assert anna.posts.of_type("ben", "message") == [said]


def test_an_expired_connection_is_neither_listed_nor_counted_nor_posted_to(anna: Chat) -> None:
    anna.connect("ghost")
    anna.join("ghost", "garden", name="Ghost")
    change("ghost", expiresAt=int(time.time()) - 1)
    rooms._change("garden", {f"change{place}": '[0,"","",0]' for place in range(8)}, add="membersVersion")
    anna.connect("ben")
    joined = anna.join("ben", "garden", name="Ben")
    assert (joined["memberCount"], {one["name"] for one in joined["members"]}) == (2, {"Anna", "Ben"})
    before = len(anna.posts.frames["ghost"])
    anna.send("anna", "hello")
    assert len(anna.posts.frames["ghost"]) == before


def test_a_ghost_disappears_at_the_first_post_that_fails(anna: Chat, item: Any) -> None:
    anna.connect("ghost")
    anna.join("ghost", "garden", name="Ghost")
    anna.posts.gone.add("ghost")
    anna.send("anna", "hello")
    assert item("ActiveConnections", connectionId="ghost") == {}
    left = anna.posts.of_type("anna", "presence")[-1]
    assert (left["event"], left["name"], left["memberCount"]) == ("leave", "Ghost", 1)
    assert anna.join("anna", "garden")["memberCount"] == 1


def test_many_ghosts_disappear_at_once_and_each_is_told_of(anna: Chat) -> None:
    for number in range(12):
        anna.connect(f"ghost-{number}")
        anna.join(f"ghost-{number}", "garden")
    anna.posts.gone = {f"ghost-{number}" for number in range(12)}
    anna.send("anna", "hello")
    left = [one for one in anna.posts.of_type("anna", "presence") if one["event"] == "leave"]
    assert {one["connectionId"] for one in left} == anna.posts.gone
    assert {one["memberCount"] for one in left} == {1}
    assert anna.join("anna", "garden")["memberCount"] == 1


def test_ghosts_that_there_is_no_time_for_are_left_to_the_next_message(anna: Chat, item: Any) -> None:
    ghosts = [f"ghost-{number}" for number in range(3)]
    for ghost in ghosts:
        anna.join(ghost, "garden")
    anna.posts.gone.update(ghosts)
    run = delivery.Delivery(time.monotonic() + 60)
    run.to_each([Member(ghost, "Ghost", 0) for ghost in ghosts], {"type": "typing"}, but="anna")
    run._deadline = time.monotonic()
    run.clear_up()
    assert all(item("ActiveConnections", connectionId=ghost) for ghost in ghosts)
    anna.send("anna", "hello")
    assert not any(item("ActiveConnections", connectionId=ghost) for ghost in ghosts)


def test_a_late_ping_of_a_socket_that_is_gone_makes_no_ghost(anna: Chat, item: Any) -> None:
    anna.disconnect("anna")
    assert json.loads(anna.call(ping, "anna", {})["body"])["room"] == "lobby"
    anna.call(typing_notice, "anna", {})
    assert "room" not in item("ActiveConnections", connectionId="anna")
    anna.connect("ben")
    assert anna.join("ben", "lobby")["memberCount"] == 1
    anna.disconnect("anna")
    assert not [one for one in anna.posts.of_type("ben", "presence") if one["event"] == "leave"]


def test_whoever_lost_its_row_and_sends_is_a_member_again(anna: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    anna.connect("wscat")
    later = connections.now_ms() + rooms.INDEX_LAG_MS + 1
    monkeypatch.setattr(rooms, "now_ms", lambda: later)
    anna.connect("other")
    anna.send("other", "hello")
    connections.remove("wscat")
    assert anna.call(sendmessage, "wscat", {"message": "still here"}) == {"statusCode": 200}
    said = anna.send("other", "good")
    assert anna.posts.of_type("wscat", "message")[-1] == said


class OpensLate:
    """A socket that API Gateway opens a moment after `$connect` was answered: a post is told 410 until then."""

    def __init__(self, chat: Chat, connection_id: str, refusals: int) -> None:
        self.left = refusals
        post = chat.posts.post

        def posted(ids: Any, frame: bytes, *, deadline: float) -> Any:
            ids = list(ids)
            chat.posts.gone.discard(connection_id)
            if connection_id in ids and self.left:
                self.left -= 1
                chat.posts.gone.add(connection_id)
            return post(ids, frame, deadline=deadline)

        chat.posts.post = posted  # type: ignore[method-assign]


def test_a_socket_that_opens_a_moment_late_misses_nothing_and_stays_a_member(anna: Chat, item: Any) -> None:
    anna.connect("other")
    anna.connect("wscat")
    OpensLate(anna, "wscat", 1)
    said = anna.send("other", "hello")
    assert anna.posts.of_type("wscat", "message") == [said]
    assert item("ActiveConnections", connectionId="wscat")["room"] == "lobby"


def test_a_socket_that_never_opens_is_removed_all_the_same(anna: Chat, item: Any) -> None:
    anna.connect("other")
    anna.connect("wscat")
    anna.posts.gone.add("wscat")
    anna.send("other", "hello")
    assert item("ActiveConnections", connectionId="wscat") == {}


@pytest.mark.parametrize("route", [connect, disconnect])
@pytest.mark.parametrize("action", ["$connect", "$disconnect"])
def test_a_frame_that_names_the_route_of_an_event_changes_nothing(
    anna: Chat, item: Any, route: Any, action: str
) -> None:
    before = item("ActiveConnections", connectionId="anna"), item("ChatRooms", room="garden")
    answer = anna.call(route, "anna", {"action": action}, context={"eventType": "MESSAGE"})
    assert (answer["statusCode"], json.loads(answer["body"])["error"]) == (400, "Invalid request")
    assert before == (item("ActiveConnections", connectionId="anna"), item("ChatRooms", room="garden"))


def test_the_events_of_a_socket_are_taken_as_such(chat: Chat, item: Any) -> None:
    assert chat.call(connect, "anna", context={"eventType": "CONNECT"}) == {"statusCode": 200}
    assert item("ActiveConnections", connectionId="anna")["room"] == "lobby"
    assert chat.call(disconnect, "anna", context={"eventType": "DISCONNECT"}) == {"statusCode": 200}
    assert item("ActiveConnections", connectionId="anna") == {}


@pytest.fixture
def crowd(anna: Chat) -> Chat:
    """A room of exactly 100."""
    rows = [
        {"connectionId": f"member-{number:03d}", "name": f"Member {number}", "room": "garden", "expiresAt": 2**40}
        for number in range(99)
    ]
    for row in rows:
        clients.dynamodb().put_item(TableName="ActiveConnections", Item=clients.to_attributes(row))
    return anna


def test_a_room_of_100_hears_each_join_and_typing(crowd: Chat) -> None:
    crowd.join("anna", "garden", name="Anne")
    assert crowd.posts.of_type("member-000", "presence")[-1]["event"] == "rename"
    crowd.call(typing_notice, "anna", {})
    assert crowd.posts.of_type("member-000", "typing")


def test_a_room_above_100_hears_its_count_alone_and_seldom(crowd: Chat) -> None:
    crowd.connect("last")
    joined = crowd.join("last", "garden", name="Last")
    assert (joined["memberCount"], len(joined["members"])) == (101, 100)
    assert {"connectionId": "last", "name": "Last"} in joined["members"]
    told = crowd.posts.of_type("member-000", "presence")
    assert told == [{"type": "presence", "room": "garden", "event": "count", "memberCount": 101}]
    crowd.connect("another")
    crowd.join("another", "garden")
    crowd.join("last", "garden", name="New name")
    crowd.call(typing_notice, "last", {})
    assert crowd.posts.of_type("member-000", "presence") == told
    assert not crowd.posts.of_type("member-000", "typing")
    said = crowd.send("last", "hello")
    assert crowd.posts.of_type("member-050", "message") == [said]


def test_a_list_of_members_that_does_not_fit_a_frame_is_cut_but_counted(anna: Chat) -> None:
    for number in range(99):
        row = {"connectionId": f"member-{number:03d}", "name": "\U0001f600" * 40, "room": "garden", "expiresAt": 2**40}
        clients.dynamodb().put_item(TableName="ActiveConnections", Item=clients.to_attributes(row))
    joined = anna.join("anna", "garden")
    assert joined["memberCount"] == 100
    assert 10 < len(joined["members"]) < 100


def test_a_row_put_there_by_hand_is_a_member_without_end(anna: Chat) -> None:
    row = {"connectionId": "by-hand-0001", "timestamp": "2026-01-01T00:00:00Z", "room": "garden"}
    clients.dynamodb().put_item(TableName="ActiveConnections", Item=clients.to_attributes(row))
    said = anna.send("anna", "hello")
    assert anna.posts.of_type("by-hand-0001", "message") == [said]
    assert {"connectionId": "by-hand-0001", "name": "by-hand-"} in anna.join("anna", "garden")["members"]
