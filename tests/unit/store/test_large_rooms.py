"""Rooms and logs larger than one DynamoDB page (1 MB) are read completely."""

from chat.schema import EXPIRY_ATTRIBUTE, ROOMS
from tests.fakes.gateway import Socket
from tests.fakes.services import Chat

MEMBERS = 9000


def test_every_member_of_a_room_of_thousands_receives_a_message_once() -> None:
    chat = Chat()
    chat.connect("anna", "last")
    chat.join("anna", "garden")
    expires_at = chat.clock.now_ms() // 1000 + 3600
    for name in (f"{number:05d}" for number in range(MEMBERS)):
        chat.gateway.sockets[name] = Socket(name, chat.clock.now_ms(), is_open=True)
        member = {"room": "garden", "item": f"member#{name}", "name": "x" * 40, "sender": name, "at": 0}
        chat.dynamodb.put(ROOMS, {**member, EXPIRY_ATTRIBUTE: expires_at})
    chat.join("last", "garden")
    chat.clear()
    with chat.dynamodb.counting() as usage:
        chat.send("anna", "hello", to="garden")
    posted = [post.connection_id for post in chat.gateway.posts if post.frame["type"] == "message"]
    assert len(posted) == len(set(posted)) == MEMBERS + 2
    assert usage.operations.count("Query") > 3, "the members were read in several pages"


def test_a_log_of_megabytes_can_be_read_to_its_end() -> None:
    chat = Chat()
    chat.connect("anna", "ben")
    chat.join("anna", "garden")
    for number in range(150):
        chat.send("anna", f"{number} ".ljust(4000, "\U0001f600"))
    page = chat.join("ben", "garden", after=0)
    seqs = [message["seq"] for message in page["messages"]]
    while not page["complete"]:
        chat.clock.advance(1)
        page = chat.history("ben", after=seqs[-1], limit=100)
        seqs += [message["seq"] for message in page["messages"]]
    assert seqs == list(range(1, 151))


def test_a_repeat_finds_its_message_a_megabyte_back() -> None:
    chat = Chat()
    chat.connect("anna", "ben")
    first = chat.send("anna", "hello", to="lobby")
    for number in range(100):
        chat.send("ben", f"{number} ".ljust(4000, "\U0001f600"), to="lobby")
    assert chat.send("anna", "hello", to="lobby", message_id=first["messageId"]) == first
