"""Roles are enforced as on AWS: each function can do its work and nothing else."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import InvalidStatus

from chat_client.websocket import ChatSocket
from tests.conftest import Stack, wait_until
from tests.end_to_end.conftest import Connect
from tests.end_to_end.tables import Tables


@contextmanager
def without(stack: Stack, role: str, action: str) -> Iterator[None]:
    """Take an action away from a role, and give it back."""
    iam = stack.client("iam")
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    assert action in json.dumps(policy), f"{role} may {action}"

    def put(statements: list[dict[str, Any]]) -> None:
        document = json.dumps({**policy, "Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    put(
        [
            {**one, "Action": [allowed for allowed in one["Action"] if allowed != action] or ["none:None"]}
            for one in policy["Statement"]
        ]
    )
    try:
        yield
    finally:
        put(policy["Statement"])


@pytest.mark.parametrize(
    ("role", "operation", "frame"),
    [
        ("ChatAppSendMessageRole", "PutItem", '{"action":"sendmessage","message":"Hello"}'),
        ("ChatAppRoomRole", "UpdateItem", '{"action":"ping"}'),
    ],
)
def test_without_a_permission_the_client_gets_only_an_internal_error(
    stack: Stack, connect: Connect, role: str, operation: str, frame: str
) -> None:
    client = connect()
    with without(stack, role, f"dynamodb:{operation}"):
        client.send_raw(frame)
        assert client.wait_for("error")["code"] == "internal"
    client.send_raw(frame)
    client.wait_until(lambda frame: frame["type"] in ("message", "pong"), "an answer")


def test_a_connection_that_cannot_be_stored_is_refused(stack: Stack) -> None:
    with without(stack, "ChatAppConnectRole", "dynamodb:PutItem"), pytest.raises(InvalidStatus):
        ChatSocket(stack.websocket_url)


def test_without_permission_to_post_no_client_gets_a_frame(stack: Stack, connect: Connect, room: str) -> None:
    ada, bob = connect(room, "Ada"), connect(room, "Bob")
    with without(stack, "ChatAppRoomRole", "execute-api:ManageConnections"):
        ada.send("typing")
        ada.ping()  # the previous frame has been handled
        bob.ping()
        assert [frame for frame in bob.unread if frame["type"] == "typing"] == []
    ada.send("typing")
    bob.wait_for("typing")


def test_credentials_of_another_account_are_refused(stack: Stack) -> None:
    make: Any = boto3.client
    stranger = make(
        "dynamodb",
        endpoint_url=stack.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wrong",
    )
    with pytest.raises(ClientError, match=r"UnrecognizedClient|security token|InvalidClientTokenId|AccessDenied"):
        stranger.scan(TableName=stack.outputs["connections_table"])


GHOST_AGE_SECONDS = 60
Act = Callable[[ChatSocket, str], object]
ACTS: dict[str, Act] = {
    "ChatAppSendMessage": lambda ada, room: ada.send_message("is anybody there?", to=room),
    "ChatAppRoom, joining": lambda ada, room: ada.join(room, name="Adela"),
    "ChatAppRoom, typing": lambda ada, room: ada.send("typing", room=room),
    "ChatAppRoom, leaving": lambda ada, room: ada.leave(room),
    "ChatAppDisconnect": lambda ada, _room: ada.drop(),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_guarantee_5_each_function_that_posts_can_delete_a_gone_connection(
    stack: Stack, connect: Connect, room: str, act: Act
) -> None:
    tables, ghost, now = Tables(stack), f"ghost-{room}", int(time.time())
    ada, bob = connect(room, "Ada"), connect(room, "Bob")
    tables.add_connection(
        {
            "connectionId": ghost,
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now - GHOST_AGE_SECONDS)),
            "room": room,
            "rooms": {room},
            "joined": True,
            "name": "Ghost",
            "sender": ghost,
            "expiresAt": now - GHOST_AGE_SECONDS + 7200,
        },
        room,
    )
    act(ada, room)
    assert bob.wait_for("presence", event="leave", connectionId=ghost)["name"] == "Ghost"
    wait_until(lambda: tables.connection(ghost) is None, "its row is deleted")
    assert ghost not in tables.members(room)


ANSWERING = ("ChatAppSendMessage", "ChatAppRoom", "ChatAppDefault")


@pytest.mark.parametrize(
    "event",
    [None, [], {"body": "{}"}, {"requestContext": {"connectionId": "nobody"}, "isBase64Encoded": True, "body": "?"}],
    ids=["null", "a list", "no context", "a body that is not the base64 it claims"],
)
def test_guarantee_6_every_function_answers_an_event_that_is_not_from_a_socket(stack: Stack, event: Any) -> None:
    functions = stack.client("lambda")
    for name in ANSWERING:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
        assert "FunctionError" not in answer, name
        reply = json.loads(answer["Payload"].read())
        assert (reply["statusCode"], json.loads(reply["body"])["code"]) == (400, "bad_request"), name
