"""Each function's role against what its code really calls: nothing missing, nothing unused."""

from typing import Any

import botocore.client
import connect
import default
import disconnect
import history
import join
import ping
import pytest
import sendmessage
import typing_notice
from moto import mock_aws

from chat import clients, delivery, rooms
from chat.clients import to_attributes
from tests.stack.program import ACCOUNT, VARIANTS, Registered, Run, program, statements
from tests.unit.stage import TABLES, Chat, RecordedFanOut, make_tables

Call = tuple[str, str]
"""An IAM action, and the table, index (`table/index/name`) or path that it is on."""

FUNCTIONS = {
    "ChatAppConnect": connect,
    "ChatAppDisconnect": disconnect,
    "ChatAppSendMessage": sendmessage,
    "ChatAppJoin": join,
    "ChatAppHistory": history,
    "ChatAppTyping": typing_notice,
    "ChatAppPing": ping,
    "ChatAppDefault": default,
}
POST = ("execute-api:ManageConnections", "websocket-api-api-id/production/POST/@connections/*")


def calls_of(operation: str, given: dict[str, Any]) -> set[Call]:
    """Return what IAM checks for a DynamoDB request (Service Authorization Reference, Amazon DynamoDB)."""
    if operation == "BatchGetItem":
        return {("dynamodb:BatchGetItem", table) for table in given["RequestItems"]}
    if operation == "TransactWriteItems":
        parts = [(kind, part) for item in given["TransactItems"] for kind, part in item.items()]
        return {(f"dynamodb:{kind}Item", part["TableName"]) for kind, part in parts}
    index = f"/index/{given['IndexName']}" if "IndexName" in given else ""
    return {(f"dynamodb:{operation}", given["TableName"] + index)}


class Scene(Chat):
    """The functions under moto; whatever they call is noted by function."""

    def __init__(self, posts: RecordedFanOut, noted: dict[str, set[Call]]) -> None:
        super().__init__(posts)
        self._noted = noted
        self.calling = ""

    def call(self, module: Any, connection_id: str, frame: object = None, **event: Any) -> dict[str, Any]:
        self.calling = next(name for name, one in FUNCTIONS.items() if one is module)
        posted = len(self.posts.order)
        try:
            return super().call(module, connection_id, frame, **event)
        finally:
            if len(self.posts.order) > posted:
                self._noted[self.calling].add(POST)
            self.calling = ""

    def forget_rosters(self) -> None:
        """Be a container that has just started."""
        rooms._rosters.clear()


def leave_hole(room: str) -> None:
    """Give out a place and store nothing at it, as a function that dies in between does."""
    rooms.next_seq(room)


def lag_behind(room: str) -> None:
    """Leave a place whose message the index does not show."""
    place = rooms.next_seq(room).last_seq
    slot = {"room": f"slot#{room}#{place}", "messageId": "m", "timestamp": "t", "expiresAt": 2**33}
    clients.dynamodb().put_item(TableName="ChatRooms", Item=to_attributes(slot))


def play(scene: Scene) -> None:
    """Everything that the functions do, each branch that calls AWS among it."""
    scene.connect("ann")
    scene.call(connect, "eve", headers={"Origin": "https://foreign.example"})
    for peer in ("ann", "bob", "cid"):
        scene.join(peer, "room")
    first = scene.send("ann", "hello")
    for _ in range(2):  # the same id again, faster than the limit's clock
        scene.send("ann", "hello", first["messageId"])
    for ask in (
        lambda: scene.join("dora", "room", after=0),
        lambda: scene.call(history, "bob", {"action": "history", "after": 0}),
    ):
        leave_hole("room")
        lag_behind("room")
        scene.send("ann", "after a hole")
        ask()
    for bounds in ({}, {"after": 2}, {"before": 3}):
        scene.call(history, "bob", {"action": "history", **bounds})
    for module, action in ((ping, "ping"), (typing_notice, "typing"), (history, "history"), (join, "join")):
        for _ in range(3):  # faster than the limit's clock, whose state is then looked at
            scene.call(module, "cid", {"action": action, "room": "room"})
    scene.call(default, "ann", {"action": "dance"})
    scene.call(default, "ann", "[" * 50_000)
    for module, frame in (
        (sendmessage, {"action": "sendmessage", "message": "is anybody there?"}),
        (typing_notice, {"action": "typing"}),
        (join, {"action": "join", "room": "room"}),
        (disconnect, None),
    ):
        for peer in ("gone-1", "gone-2"):
            scene.posts.gone.discard(peer)
            scene.join(peer, "room")
            scene.posts.gone.add(peer)
        scene.forget_rosters()
        scene.call(module, "bob", frame)
        scene.join("bob", "room")
    scene.call(disconnect, "ann")
    scene.call(disconnect, "ann")


@pytest.fixture(scope="module")
def noted() -> dict[str, set[Call]]:
    """What each function called in the whole play."""
    found: dict[str, set[Call]] = {name: set() for name in FUNCTIONS}
    with mock_aws(), pytest.MonkeyPatch.context() as patch:  # in this order, or moto's own keys would stay
        for name, value in {
            **TABLES,
            "CALLBACK_URL": "https://api.example/production",
            "ALLOWED_ORIGINS": "https://chat.example",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "MESSAGE_BURST": "10",
            "MESSAGES_PER_SECOND": "10",
        }.items():
            patch.setenv(name, value)
        posts = RecordedFanOut()
        patch.setattr(delivery, "_engine", lambda *_: posts)
        clients._client.cache_clear()
        rooms._rosters.clear()
        make_tables()
        scene = Scene(posts, found)
        base: Any = botocore.client.BaseClient
        send = base._make_api_call

        def note(client: Any, operation: str, given: dict[str, Any]) -> Any:
            if scene.calling:
                found[scene.calling] |= calls_of(operation, given)
            return send(client, operation, given)

        patch.setattr(base, "_make_api_call", note)
        play(scene)
    clients._client.cache_clear()
    rooms._rosters.clear()
    return found


def policy_of(run: Run, function: str) -> Registered:
    (policy,) = [one for one in run.all("RolePolicy") if one.inputs["role"] == f"{function}Role"]
    return policy


def allowed(run: Run, function: str) -> set[Call]:
    """Return what a function's role allows beyond its own log, one action and resource each."""
    found = statements(policy_of(run, function))
    del found["WriteLog"]
    prefixes = (
        f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/",
        f"arn:aws:execute-api:us-east-1:{ACCOUNT}:",
    )
    calls = set()
    for statement in found.values():
        assert statement.keys() == {"Sid", "Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
        resource = statement["Resource"]
        for prefix in prefixes:
            resource = resource.removeprefix(prefix)
        calls |= {(action, resource) for action in statement["Action"]}
    return calls


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_allows_exactly_what_its_function_calls(function: str, noted: dict[str, set[Call]]) -> None:
    may = allowed(program(), function)
    assert noted[function] - may == set(), "called, and not allowed"
    assert may - noted[function] == set(), "allowed, and never called"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_has_one_policy_and_no_other(function: str) -> None:
    run = program()
    role = run.one("Role", f"{function}Role")
    assert policy_of(run, function).parent == role.parent
    assert role.inputs.keys() == {"name", "assumeRolePolicy"}
    assert not run.all("RolePolicyAttachment")


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_statement_has_an_asterisk_but_where_aws_has_no_name_beforehand(variant: str) -> None:
    """A log's streams and a socket's id are known only once they are there."""
    run = program(**VARIANTS[variant])
    for policy in run.all("RolePolicy"):
        for statement in statements(policy).values():
            assert not any("*" in action for action in statement["Action"])
            if "*" in statement["Resource"]:
                assert statement["Sid"] in ("WriteLog", "PostToConnections")
                assert statement["Resource"].endswith((":*", "/POST/@connections/*"))
                assert statement["Resource"].count("*") == 1
