"""The cost of each frame in DynamoDB request units and sequential round trips."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from chat.schema import ROOMS
from tests.fakes.dynamodb import Usage, fail_once
from tests.fakes.services import Chat
from tests.unit.private_rooms import PrivateChat
from tests.unit.races import first

ID = "11111111-2222-3333-4444-5555555555ab"
TEXT = "x" * 600
"""A message whose items take at most 1 KB, the size of a write unit."""


@pytest.fixture
def chat() -> Chat:
    """A room of three members and ten messages, at rest."""
    chat = Chat()
    chat.connect("anna", "ben", "cleo")
    for connection_id in ("anna", "ben", "cleo"):
        chat.join(connection_id, "garden", name=connection_id.title(), secret=connection_id * 6)
    for number in range(10):
        chat.send("ben", f"{number} " + "x" * 80)
    chat.clock.advance(60)
    chat.clear()
    return chat


def cost(chat: Chat, act: Callable[[], Any]) -> Usage:
    with chat.dynamodb.counting() as usage:
        act()
    return usage


def round_trips_before_posts(chat: Chat, usage: Usage, frame_type: str) -> list[int]:
    """Return the number of sequential round trips before each post of a type, in order."""
    return [usage.round_trips(before=post.at) for post in chat.gateway.posts if post.frame["type"] == frame_type]


@pytest.mark.parametrize(
    ("frame", "round_trips"),
    [
        ({"to": "garden", "messageId": ID}, [3, 4, 4]),
        ({"to": "garden"}, [3, 4, 4]),
        ({}, [3, 4, 4]),
        ({"messageId": ID}, [4, 5, 5]),
    ],
    ids=["to, messageId", "to", "neither", "messageId"],
)
def test_a_message_takes_3_write_units_4_read_units_and_3_round_trips_to_its_acknowledgement(
    chat: Chat, frame: dict[str, str], round_trips: list[int]
) -> None:
    """One more to the other readers, and one more for a client that gives a messageId but no `to`."""
    usage = cost(chat, lambda: chat.ask("anna", {"action": "sendmessage", "message": TEXT, **frame}))
    assert usage.written == 3
    assert usage.read <= 4
    assert round_trips_before_posts(chat, usage, "message") == round_trips


def test_the_first_message_of_a_room_costs_no_more(chat: Chat) -> None:
    chat.join("anna", "kitchen")
    chat.clock.advance(60)
    usage = cost(chat, lambda: chat.send("anna", TEXT, to="kitchen", message_id=ID))
    assert (usage.written, usage.read <= 4) == (3, True)
    assert round_trips_before_posts(chat, usage, "message") == [3]


def test_a_message_of_a_burst_costs_no_more(chat: Chat) -> None:
    chat.send("anna", "one", to="garden")
    chat.clear()
    usage = cost(chat, lambda: chat.send("anna", "two", to="garden"))
    assert (usage.written, round_trips_before_posts(chat, usage, "message")) == (3, [3, 4, 4])


def test_a_repeat_takes_no_more_round_trips(chat: Chat) -> None:
    chat.send("anna", TEXT, to="garden", message_id=ID)
    chat.clear()
    usage = cost(chat, lambda: chat.send("anna", TEXT, to="garden", message_id=ID))
    assert round_trips_before_posts(chat, usage, "message") == [3]
    assert usage.written == 3, "the limit's count, a row, and its removal"


def test_a_message_that_loses_its_place_to_another_takes_one_more_put(chat: Chat) -> None:
    race = first(lambda: chat.send("ben", "mine", to="garden"))
    chat.dynamodb.intercept = fail_once(race, "PutItem", ROOMS)
    with chat.dynamodb.counting() as usage:
        chat.call("anna", {"action": "sendmessage", "message": TEXT, "to": "garden"})
    assert [(frame["message"], frame["seq"]) for frame in chat.frames("anna")] == [("mine", 11), (TEXT, 12)]
    puts = [call for call in usage.calls if (call.operation, call.table) == ("PutItem", ROOMS)]
    assert len(puts) == 3, "Ben's, and two of Anna's"


def test_a_message_over_the_limit_writes_nothing_and_takes_one_round_trip() -> None:
    chat = Chat(message_burst=1, messages_per_second=0.01)
    chat.connect("anna")
    chat.send("anna", "hello")
    usage = cost(chat, lambda: chat.ask("anna", {"action": "sendmessage", "message": "hello", "messageId": ID}))
    assert usage.written == 0
    assert usage.round_trips() == 1


def test_a_large_message_is_charged_for_its_size_twice(chat: Chat) -> None:
    kilobytes = 8  # 7,400 bytes of text plus the other attributes
    usage = cost(chat, lambda: chat.send("anna", "é" * 3700, to="garden", message_id=ID))
    assert usage.written == 1 + 2 * kilobytes


@pytest.mark.parametrize(
    ("frame", "written", "read", "round_trips"),
    [
        ({"action": "join", "room": "garden", "after": 10}, 3, 5, 4),
        ({"action": "join", "room": "garden"}, 3, 5, 4),
        ({"action": "leave", "room": "garden"}, 2, 2, 3),
        ({"action": "history"}, 1, 3, 3),
        ({"action": "history", "after": 5}, 1, 3, 3),
        ({"action": "history", "before": 5}, 1, 3, 3),
        ({"action": "ping"}, 1, 2, 2),
        ({"action": "ping", "room": "garden", "roster": 0}, 1, 4, 3),
        ({"action": "typing"}, 1, 2, 2),
        ({"action": "dance"}, 0, 0, 0),
    ],
    ids=str,
)
def test_costs_of_the_other_frames(
    chat: Chat, frame: dict[str, Any], written: int, read: int, round_trips: int
) -> None:
    usage = cost(chat, lambda: chat.call("anna", frame))
    assert usage.written == written
    assert usage.read <= read
    assert usage.round_trips(before=chat.gateway.posts[0].at if chat.gateway.posts else None) <= round_trips


def test_a_first_join_takes_4_write_units(chat: Chat) -> None:
    """The connection's row, its member items in the new room and the lobby, and the room's beginning."""
    chat.connect("dan")
    usage = cost(chat, lambda: chat.join("dan", "kitchen", name="Dan"))
    assert usage.written == 4
    assert round_trips_before_posts(chat, usage, "joined") == [4]


def test_connecting_takes_2_write_units_and_one_round_trip(chat: Chat) -> None:
    usage = cost(chat, lambda: chat.connect("dan"))
    assert (usage.written, usage.read, usage.round_trips()) == (2, 0, 1)


@pytest.mark.parametrize("further", range(3))
def test_disconnecting_takes_2_write_units_and_1_per_further_room(chat: Chat, further: int) -> None:
    for number in range(further):
        chat.join("anna", f"room-{number}")
    assert cost(chat, lambda: chat.disconnect("anna")).written == 2 + further


def test_a_ping_reads_all_rooms_concurrently(chat: Chat) -> None:
    for number in range(9):
        chat.join("anna", f"room-{number}")
    usage = cost(chat, lambda: chat.ping("anna"))
    assert (usage.round_trips(), usage.written) == (2, 1)


def test_a_connection_in_ten_rooms_still_costs_one_unit_per_frame(chat: Chat) -> None:
    for number in range(9):
        chat.join("anna", f"a-room-with-a-rather-long-name-of-its-own-{number}", name="Anna-Maria")
        chat.clock.advance(1)
    for act in (lambda: chat.ping("anna"), lambda: chat.typing("anna"), lambda: chat.history("anna")):
        assert cost(chat, act).written == 1


def test_a_known_address_costs_one_more_unit_per_connect_and_none_per_frame(chat: Chat) -> None:
    assert cost(chat, lambda: chat.connect("dan", address="203.0.113.7")).written == 3
    chat.clock.advance(60)
    assert cost(chat, lambda: chat.connect("eve", address="203.0.113.7")).written == 3
    chat.join("dan", "garden")
    chat.clock.advance(60)
    for frame in ({"to": "garden", "messageId": ID}, {}):
        chat.clear()
        usage = cost(chat, lambda frame=frame: chat.ask("dan", {"action": "sendmessage", "message": TEXT, **frame}))
        assert (usage.written, usage.read <= 4) == (3, True)
        assert round_trips_before_posts(chat, usage, "message")[0] == 3
    for act in (lambda: chat.ping("dan"), lambda: chat.typing("dan"), lambda: chat.history("dan")):
        assert cost(chat, act).written == 1


def test_a_stale_cached_allowance_costs_one_unit_and_no_round_trip() -> None:
    """Another container has just counted a message."""
    chat = Chat(message_burst=10, messages_per_second=2)
    chat.connect("anna")
    chat.join("anna", "garden")
    chat.send("anna", "one", to="garden", message_id=chat.new_id())
    chat.services.seen_allowances.clear()
    chat.clear()
    usage = cost(chat, lambda: chat.send("anna", TEXT, to="garden", message_id=ID))
    assert (usage.written, usage.read <= 4, round_trips_before_posts(chat, usage, "message")[0]) == (4, True, 3)


def test_an_addresss_item_stays_small_after_many_connections(chat: Chat) -> None:
    for number in range(40):
        chat.connect(connection_id := f"L0SM9cOFvHcCI{number:02d}=", address="203.0.113.7")
        chat.clock.advance(9)
        chat.ping(connection_id)
        chat.disconnect(connection_id)
        chat.clock.advance(2)
    chat.connect("dan", address="203.0.113.7")
    assert cost(chat, lambda: chat.ping("dan")).written == 1
    (item,) = [item for item in chat.dynamodb.items(ROOMS) if item["item"] == "limits" and "address" in item["room"]]
    assert len(item) < 20


@pytest.mark.parametrize("further", range(2))
def test_joining_and_disconnecting_from_a_room_above_100_cost_no_more(chat: Chat, further: int) -> None:
    for number in range(120):
        chat.connect(f"other-{number}")
        chat.dynamodb.put(ROOMS, {"room": "garden", "item": f"member#other-{number}"})
    for number in range(further):
        chat.join("anna", f"room-{number}")
    chat.connect("dan")
    chat.clock.advance(60)
    assert cost(chat, lambda: chat.join("dan", "garden")).written <= 4, "from the lobby too"
    assert cost(chat, lambda: chat.disconnect("anna")).written == 2 + further


@pytest.fixture
def accounts() -> Chat:
    """Anna is a guest in the lobby of a chat with accounts."""
    chat = Chat(sign_in="optional")
    chat.connect("anna")
    chat.clear()
    return chat


SECRET = "annas-own-secret-of-guests"


def test_a_first_sign_in_takes_8_write_units(accounts: Chat) -> None:
    """The limit's count, the socket, the name and the profile in a transaction, the row, and the lobby's member."""
    usage = cost(accounts, lambda: accounts.sign_in("anna"))
    assert (usage.written, usage.read, usage.round_trips()) == (8, 3, 6)


def test_taking_over_a_guest_takes_2_more_then_and_4_later(accounts: Chat) -> None:
    assert cost(accounts, lambda: accounts.sign_in("anna", secret=SECRET)).written == 10
    another = "annas-other-secret-of-guests"
    assert cost(accounts, lambda: accounts.sign_in("anna", secret=another)).written == 4 + 4


@pytest.mark.parametrize("further", range(3))
def test_a_later_sign_in_takes_4_write_units_and_1_per_further_room(accounts: Chat, further: int) -> None:
    accounts.sign_in("anna", secret=SECRET)
    accounts.connect("phone")
    for number in range(1 + further):
        accounts.join("phone", f"room-{number}")
    accounts.clear()
    usage = cost(accounts, lambda: accounts.sign_in("phone", user="u-anna", secret=SECRET))
    assert (usage.written, round_trips_before_posts(accounts, usage, "signedin")) == (4 + further, [5])
    renewal = cost(accounts, lambda: accounts.sign_in("phone", user="u-anna"))
    assert (renewal.written, renewal.read, renewal.round_trips()) == (4 + further, 3, 5)


def test_a_token_that_is_not_valid_costs_one_unit_and_one_over_the_limit_none(accounts: Chat) -> None:
    """One read besides, at once with the count."""
    bad = {"action": "signin", "token": "a.b.c"}
    usages = [cost(accounts, lambda: accounts.call("anna", bad)) for _ in range(7)]
    assert [(usage.written, usage.round_trips()) for usage in usages] == [(1, 1)] * 6 + [(0, 1)]


def test_a_new_name_takes_9_write_units_and_2_per_further_connection(accounts: Chat) -> None:
    """The count, three writes of a transaction at twice their units, and a row and a member of each connection."""
    accounts.sign_in("anna")
    assert cost(accounts, lambda: accounts.profile("anna", "Annika")).written == 1 + 6 + 2
    accounts.connect("phone")
    accounts.sign_in("phone", user="u-anna")
    assert cost(accounts, lambda: accounts.profile("anna", "Anna-Maria")).written == 1 + 6 + 4


def test_a_signed_in_connection_costs_one_more_unit_to_disconnect_and_none_per_frame(accounts: Chat) -> None:
    accounts.join("anna", "garden")
    accounts.sign_in("anna")
    accounts.clock.advance(60)
    usage = cost(accounts, lambda: accounts.send("anna", TEXT, to="garden", message_id=ID))
    assert (usage.written, usage.read <= 4) == (3, True)
    assert cost(accounts, lambda: accounts.disconnect("anna")).written == 3


def send_messages(chat: Chat, *sizes: int) -> None:
    """Send messages of the given size."""
    for size in sizes:
        frame = {"action": "sendmessage", "message": "\U0001f600" * (size // 4), "to": "garden"}
        chat.call("ben", json.dumps(frame, ensure_ascii=False))


@pytest.mark.parametrize("sizes", [[16_000] * 60, [200] * 60 + [16_000] * 2, [16_000] * 40 + [200] * 12, [2000] * 60])
@pytest.mark.parametrize("asked", [{}, {"before": 65}, {"after": 12}], ids=str)
def test_a_page_of_history_reads_at_most_twice_what_it_returns(
    chat: Chat, sizes: list[int], asked: dict[str, int]
) -> None:
    send_messages(chat, *sizes)
    chat.clock.advance(60)
    with chat.dynamodb.counting() as usage:
        page = chat.history("anna", **asked)
    read = sum(call.read for call in usage.calls if call.operation == "Query")
    returned = len(json.dumps(page, ensure_ascii=False).encode())
    assert page["messages"]
    assert read * 4096 <= 2 * returned + 2 * 4096, "two queries, each rounded up"


def test_a_page_of_two_messages_of_16_kb_reads_12_units(chat: Chat) -> None:
    """Reading all messages that the page could contain took 245 units."""
    send_messages(chat, *[16_000] * 60)
    chat.clock.advance(60)
    with chat.dynamodb.counting() as usage:
        chat.history("anna")
    assert usage.read <= 12


@pytest.mark.parametrize("members", [5, 50])
def test_the_writes_of_a_message_do_not_grow_with_its_room(chat: Chat, members: int) -> None:
    for number in range(members):
        chat.connect(f"member-{number}")
        chat.dynamodb.put(ROOMS, {"room": "garden", "item": f"member#member-{number}"})
    assert cost(chat, lambda: chat.send("anna", TEXT, to="garden", message_id=ID)).written == 3


# Private rooms


@pytest.fixture
def board() -> tuple[PrivateChat, str]:
    """A private room of five accounts with ten messages, at rest; Zoe is not in it."""
    chat = PrivateChat("anna", "ben", "cleo", "dan", "eva", "zoe")
    room = chat.create("anna")
    for person in ("ben", "cleo", "dan", "eva"):
        chat.admit(person, room)
    for number in range(10):
        chat.send("ben", f"{number} " + "x" * 80, to=room)
    chat.rest()
    return chat, room


def test_a_private_message_takes_3_write_units_and_as_many_round_trips_to_its_acknowledgement(
    board: tuple[PrivateChat, str],
) -> None:
    """One read unit for the gate, one for the roles, and one for each member's connections; two trips to the others."""
    chat, room = board
    usage = cost(chat, lambda: chat.send("anna", TEXT, to=room, message_id=ID))
    assert (usage.written, usage.read) == (3, 4 + 1 + 5)
    assert round_trips_before_posts(chat, usage, "message") == [3, 5, 5, 5, 5]


def test_a_private_message_costs_at_most_a_unit_more_per_member(board: tuple[PrivateChat, str]) -> None:
    chat, room = board
    before = cost(chat, lambda: chat.send("anna", TEXT, to=room))
    chat.admit("zoe", room)
    chat.rest()
    usage = cost(chat, lambda: chat.send("anna", TEXT, to=room))
    assert (usage.written, usage.read - before.read) == (3, 1)


def test_rooms_of_an_account_without_any_take_one_query(board: tuple[PrivateChat, str]) -> None:
    chat, _ = board
    usage = cost(chat, lambda: chat.rooms("zoe"))
    assert (usage.written, usage.read, usage.round_trips()) == (1, 2, 3)


def test_10_rooms_take_5_round_trips_and_3_read_units_each(board: tuple[PrivateChat, str]) -> None:
    """Roles, settings and the end of the log of each, and the names of the faces shown."""
    chat, _ = board
    for _ in range(9):
        chat.create("anna")
        chat.rest()
    usage = cost(chat, lambda: chat.rooms("anna"))
    assert len(chat.frames("anna")[-1]["rooms"]) == 10
    assert (usage.written, usage.read, usage.round_trips()) == (1, 1 + 1 + 10 * 3 + 5, 5)


@pytest.mark.parametrize(
    ("frame", "written", "read", "round_trips"),
    [
        ({"action": "join"}, 3, 1 + 1 + 1 + 5 + 2, 5),
        ({"action": "history"}, 1, 4, 4),
        ({"action": "typing"}, 1, 1 + 1 + 1 + 5, 4),
        ({"action": "ping"}, 1, 1 + 1 + 2, 3),
        ({"action": "leave"}, 1, 2, 3),
        ({"action": "read", "seq": 10}, 2, 2, 4),
        ({"action": "members"}, 1, 1 + 1 + 3 + 5, 5),
        ({"action": "createinvite"}, 2, 3, 5),
        ({"action": "createroom", "title": "Another"}, 1 + 6 + 1, 8, 7),
    ],
    ids=lambda value: value["action"] if isinstance(value, dict) else "",
)
def test_costs_of_frames_of_private_rooms(
    board: tuple[PrivateChat, str], frame: dict[str, Any], written: int, read: int, round_trips: int
) -> None:
    chat, room = board
    chat.join("anna", "garden")
    chat.rest()
    usage = cost(chat, lambda: chat.call("anna", {**frame, "room": room}))
    posts = chat.gateway.posts
    trips = usage.round_trips(before=posts[0].at if posts else None)
    assert (usage.written, trips) == (written, round_trips)
    assert usage.read <= read


def test_costs_of_accepting_and_removing(board: tuple[PrivateChat, str]) -> None:
    """Each write of a transaction takes two units; accepting has six, removing with its check three."""
    chat, room = board
    token = chat.link("anna", room)
    chat.rest()
    accepted = cost(chat, lambda: chat.accept("zoe", room, token))
    assert (accepted.written, round_trips_before_posts(chat, accepted, "room")) == (1 + 12, [7])
    chat.rest()
    removed = cost(chat, lambda: chat.remove("anna", room, "zoe"))
    assert removed.written == 1 + 6 + 1
    assert removed.read <= 25


def test_an_outsider_costs_2_read_units_and_one_write_unit(board: tuple[PrivateChat, str]) -> None:
    chat, room = board
    usage = cost(chat, lambda: chat.code("zoe", "history", room=room))
    assert (usage.written, usage.read, usage.round_trips()) == (1, 2, 2)
