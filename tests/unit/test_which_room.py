"""A frame that overtakes another, or outlives its link, still says which room and which question it belongs to."""

import uuid

import history
import pytest
import sendmessage

from tests.unit.stage import Chat


def test_a_message_goes_to_the_room_it_names_wherever_its_sender_is_by_now(chat: Chat) -> None:
    for connection_id in ("ada", "bo"):
        chat.connect(connection_id)
    chat.join("bo", "tea")
    chat.join("ada", "garden")
    message_id = str(uuid.uuid4())
    frame = {"action": "sendmessage", "message": "For tea", "messageId": message_id, "to": "tea"}
    assert chat.call(sendmessage, "ada", frame) == {"statusCode": 200}
    (heard,) = chat.posts.of_type("bo", "message")
    assert (heard["room"], heard["seq"]) == ("tea", 1)
    assert [each["messageId"] for each in chat.posts.of_type("ada", "message")] == [message_id]
    assert chat.join("ada", "garden")["memberCount"] == 1
    assert chat.send("ada", "For the garden")["room"] == "garden"


def test_a_message_of_a_link_that_is_cut_stays_in_its_room(chat: Chat) -> None:
    chat.connect("ada")
    chat.join("ada", "tea")
    chat.disconnect("ada")
    frame = {"action": "sendmessage", "message": "Late", "messageId": str(uuid.uuid4()), "to": "tea"}
    chat.call(sendmessage, "ada", frame)
    chat.connect("bo")
    assert [each["message"] for each in chat.join("bo", "tea")["messages"]] == ["Late"]


@pytest.mark.parametrize("to", ["", "Tea", "-tea", 7, ["tea"], "x" * 65])
def test_a_message_to_a_room_that_cannot_be_is_refused(chat: Chat, to: object) -> None:
    chat.connect("ada")
    answer = chat.call(sendmessage, "ada", {"action": "sendmessage", "message": "Hello", "to": to})
    assert '"code":"invalid_room"' in answer["body"]


def test_a_page_of_history_says_which_question_it_answers(chat: Chat) -> None:
    chat.connect("ada")
    assert "after" not in chat.history("ada")
    assert chat.history("ada", after=3)["after"] == 3
    assert chat.history("ada", before=3)["before"] == 3
    assert '"error"' in chat.call(history, "ada", {"action": "history", "after": "x"})["body"]
