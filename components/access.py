"""What each function of the chat may do, and nothing more: IAM statements, function by function."""

from typing import Any

import pulumi

from components.chat_tables import CONNECTIONS_INDEX, MESSAGES_INDEX, ChatTables

Statement = dict[str, Any]


class FunctionAccess:
    """The statements of each function on the chat's tables. tests/stack compares them with what the code calls."""

    def __init__(self, tables: ChatTables) -> None:
        connections, messages, rooms = tables.connections_arn, tables.messages_arn, tables.rooms_arn
        members = pulumi.Output.format("{}/index/{}", connections, CONNECTIONS_INDEX)
        ordered = pulumi.Output.format("{}/index/{}", messages, MESSAGES_INDEX)
        list_members = _allow("ListMembers", ["Query"], members)
        change_room = _allow("ChangeRoom", ["UpdateItem"], rooms)
        read_room = _allow("ReadRoom", ["GetItem"], rooms)
        touch_connection = _allow("TouchConnection", ["UpdateItem"], connections)
        forget_connections = _allow("ForgetConnections", ["DeleteItem"], connections)
        posting = [list_members, forget_connections, change_room]
        reading_history = [
            _allow("ReadMessages", ["Query"], ordered),
            _allow("ReadMissing", ["BatchGetItem"], messages),
            _allow("CloseHoles", ["BatchGetItem", "PutItem"], rooms),
        ]
        self.connect: list[Statement] = [_allow("StoreConnection", ["PutItem"], connections), change_room]
        self.disconnect: list[Statement] = posting
        self.send: list[Statement] = [
            _allow("ReadSender", ["BatchGetItem", "UpdateItem"], connections),
            _allow("StoreMessage", ["BatchGetItem", "PutItem"], messages),
            _allow("StoreOrder", ["BatchGetItem", "PutItem"], rooms),
            *posting,
        ]
        self.join: list[Statement] = [touch_connection, *reading_history, *posting]
        self.history: list[Statement] = [touch_connection, read_room, *reading_history]
        self.typing: list[Statement] = [touch_connection, read_room, *posting]
        self.ping: list[Statement] = [touch_connection, read_room]


def _allow(sid: str, operations: list[str], resource: pulumi.Input[str]) -> Statement:
    actions = [f"dynamodb:{operation}" for operation in operations]
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
