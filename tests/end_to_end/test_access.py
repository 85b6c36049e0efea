"""What a role may not do is refused here as on AWS: a permission too few shows before it is deployed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.conftest import Connects


@contextmanager
def without(stack: Any, role: str, action: str) -> Iterator[None]:
    """Take an action away from a role, and give it back."""
    iam = stack.client("iam")
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    assert action in json.dumps(policy), "it has it now"
    less = [
        {**one, "Action": [allowed for allowed in one["Action"] if allowed != action] or ["none:None"]}
        for one in policy["Statement"]
    ]

    def put(statements: list[dict[str, Any]]) -> None:
        document = json.dumps({**policy, "Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    put(less)
    try:
        yield
    finally:
        put(policy["Statement"])


def test_a_permission_that_a_role_lacks_is_denied(stack: Any, connects: Connects) -> None:
    chatter = connects()
    assert chatter.pings()["type"] == "pong"
    with without(stack, "ChatAppPingRole", "dynamodb:UpdateItem"):
        chatter.say({"action": "ping"})
        assert chatter.hears("error")["code"] == "internal"
    assert chatter.pings()["type"] == "pong"


def test_a_role_that_may_not_post_reaches_nobody_and_says_so_to_nobody(
    stack: Any, connects: Connects, room: str
) -> None:
    ada, bob = connects(room, "Ada"), connects(room, "Bob")
    with without(stack, "ChatAppTypingRole", "execute-api:ManageConnections"):
        ada.say({"action": "typing"})
        ada.pings()  # the frame before it has been dealt with
        bob.pings()
        assert [frame for frame in bob.heard if frame["type"] == "typing"] == []
    ada.say({"action": "typing"})
    bob.hears("typing")


def test_whoever_has_no_credentials_of_the_account_is_refused(stack: Any) -> None:
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
