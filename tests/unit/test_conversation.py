"""The functions in talk with each other, over DynamoDB in memory."""

from tests.unit.stage import Chat


def test_two_people_talk(chat: Chat) -> None:
    chat.connect("anna-0001=")
    chat.connect("ben-00002=")
    first = chat.join("anna-0001=", "garden", name="Anna")
    assert first["members"] == [{"connectionId": "anna-0001=", "name": "Anna"}]
    assert first["messages"] == []
    assert first["complete"] is True
    chat.join("ben-00002=", "garden", name="Ben")
    joined = chat.posts.of_type("anna-0001=", "presence")
    assert [(one["event"], one["name"], one["memberCount"]) for one in joined] == [("join", "Ben", 2)]
    said = chat.send("anna-0001=", "  hello  ")
    assert (said["message"], said["seq"], said["name"]) == ("hello", 1, "Anna")
    assert chat.posts.of_type("ben-00002=", "message") == [said]
    assert chat.history("ben-00002=")["messages"] == [{k: v for k, v in said.items() if k != "type"}]
