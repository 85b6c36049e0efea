"""The entry points answer every event."""

import json
from collections.abc import Iterable
from typing import Any

import default
import pytest
import sendmessage

from chat.protocol.events import OK, Reply, Request
from chat.push.poster import Outcome
from chat.runtime.config import SignIn, read_config
from chat.runtime.context import MAX_POSTING_SECONDS, Context
from chat.runtime.handler import EntryPoint
from tests.fakes.dynamodb import fail_nth, throttle
from tests.fakes.gateway import LambdaContext
from tests.fakes.services import Chat

ID = "11111111-2222-3333-4444-5555555555ab"
EVENT = {"requestContext": {"connectionId": "anna", "requestId": "request-1"}}
ENVIRONMENT = {
    "TABLE_NAME": "ActiveConnections",
    "HISTORY_TABLE_NAME": "MessageHistory",
    "ROOMS_TABLE_NAME": "ChatRooms",
    "CALLBACK_URL": "https://api.example/production",
}


def frame_of(reply: Reply) -> dict[str, Any]:
    return json.loads(reply["body"])


def test_a_fault_is_reported_without_its_cause_but_identifies_the_frame() -> None:
    chat = Chat()
    chat.connect("anna")
    chat.dynamodb.intercept = throttle
    frame = {"action": "sendmessage", "message": "hello", "messageId": ID, "to": "lobby"}
    error = chat.ask("anna", frame)
    assert error == {
        "type": "error",
        "error": "Something went wrong here; please try again",
        "code": "internal",
        "action": "sendmessage",
        "room": "lobby",
        "messageId": ID,
    }
    (event,) = chat.services.events("fault")
    assert (event["error"], event["code"]) == ("ClientError", "ThrottlingException")


@pytest.mark.parametrize("error", [KeyError, RecursionError, MemoryError])
def test_any_error_of_an_operation_is_answered(error: type[Exception]) -> None:
    def fails(_context: Context, _request: Request) -> Reply:
        raise error

    reply = EntryPoint({"": fails}, has_frame=False).answer(Chat().services, EVENT, None)
    assert (reply["statusCode"], frame_of(reply)["code"]) == (500, "internal")


def test_a_fault_after_the_answer_is_not_reported_to_the_client() -> None:
    """It affects the others, who fetch what they miss."""

    def fails(context: Context, request: Request) -> Reply:
        context.broadcast.answer(request.connection_id, {"type": "left"})
        raise KeyError

    chat = Chat()
    assert EntryPoint({"": fails}, has_frame=False).answer(chat.services, EVENT, None) == OK
    assert len(chat.services.events("fault")) == 1


def test_an_action_selects_its_operation() -> None:
    chosen: list[str] = []

    def operation(name: str) -> Any:
        return lambda _context, _request: chosen.append(name) or OK

    entry_point = EntryPoint({"join": operation("join"), "": operation("any")})
    for action in ("join", "dance", None, ["join"]):
        entry_point.answer(Chat().services, {**EVENT, "body": json.dumps({"action": action})}, None)
    assert chosen == ["join", "any", "any", "any"]
    refused = EntryPoint({"join": operation("join")}).answer(Chat().services, {**EVENT, "body": "{}"}, None)
    assert frame_of(refused)["code"] == "bad_request"


@pytest.mark.parametrize("missing", sorted(ENVIRONMENT))
def test_a_broken_deployment_is_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(missing)
    reply = sendmessage.lambda_handler({**EVENT, "body": json.dumps({"message": "hello", "messageId": ID})}, None)
    assert reply["statusCode"] == 500
    assert frame_of(reply) | {"error": ""} == {"type": "error", "error": "", "code": "internal", "messageId": ID}
    for event in (None, {}, {**EVENT, "body": "{"}):
        assert frame_of(sendmessage.lambda_handler(event, None))["code"] == "internal"
    assert json.loads(capsys.readouterr().out.splitlines()[0])["error"] == "KeyError"


def test_an_entry_point_uses_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    reply = default.lambda_handler({**EVENT, "body": '{"action":"dance"}'}, None)
    assert reply == {"statusCode": 400, "body": '{"type":"error","error":"Invalid request","code":"bad_request"}'}


def test_settings_with_defaults_are_optional() -> None:
    config = read_config(ENVIRONMENT)
    assert (config.message_burst, config.messages_per_second, config.retention_seconds) == (10, 2, 30 * 86400)
    assert (config.posts_per_second, config.allowed_origins, config.metrics_namespace) == (8000, frozenset(), "")
    given = read_config({**ENVIRONMENT, "ALLOWED_ORIGINS": "https://A.example,,https://b.example"})
    assert given.allowed_origins == {"https://a.example", "https://b.example"}


class RecordingPoster:
    """Records how long it may post."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self.seconds: list[float] = []

    def post(self, connection_ids: Iterable[str], _frame: bytes, *, deadline: float) -> Outcome:
        self.seconds.append(round(deadline - self._chat.clock.monotonic(), 1))
        return Outcome(len(list(connection_ids)), [], [], [])


@pytest.mark.parametrize(("left", "seconds"), [(None, MAX_POSTING_SECONDS), (30, 25), (12, 10), (1, 0.5)])
def test_posting_leaves_time_for_the_work_after_it(left: float | None, seconds: float) -> None:
    chat = Chat()
    poster = RecordingPoster(chat)
    chat.services.poster = poster
    lambda_context = None
    if left is not None:
        lambda_context = LambdaContext(chat.clock, "request-1")
        chat.clock.advance(30 - left)

    def answers(context: Context, request: Request) -> Reply:
        context.broadcast.answer(request.connection_id, {"type": "left"})
        return OK

    EntryPoint({"": answers}, has_frame=False).answer(chat.services, EVENT, lambda_context)
    assert poster.seconds == [seconds]


def test_a_client_learns_that_its_join_failed_and_can_retry() -> None:
    chat = Chat()
    chat.connect("anna", "ben")
    chat.join("ben", "garden")
    for number in range(9):
        chat.clock.advance(10)
        chat.dynamodb.intercept = fail_nth(throttle, number)
        answer = chat.ask("anna", {"action": "join", "room": "garden", "name": "Anna"})
        assert answer.get("code", "internal") == "internal"
    assert answer["memberCount"] == 2


def test_a_refusal_stands_if_it_cannot_be_told_whether_its_sender_has_signed_in() -> None:
    chat = Chat(sign_in="required")
    chat.connect("anna")
    chat.dynamodb.intercept = throttle
    assert chat.ask("anna", {"action": "join", "room": "Not A Room"})["code"] == "invalid_room"
    assert len(chat.services.events("fault")) == 1


def test_a_refusal_without_accounts_takes_no_read() -> None:
    chat = Chat()
    chat.connect("anna")
    with chat.dynamodb.counting() as usage:
        assert chat.ask("anna", {"action": "join", "room": "Not A Room"})["code"] == "invalid_room"
    assert usage.operations == []


@pytest.mark.parametrize("mode", ["optional", "required"])
def test_the_environment_says_who_may_sign_in(mode: str) -> None:
    issuer = {
        "SIGN_IN": mode,
        "SIGN_IN_ISSUER": "https://issuer.example",
        "SIGN_IN_CLIENT_ID": "client",
        "SIGN_IN_KEYS_URL": "https://issuer.example/keys",
    }
    accepted = SignIn(mode == "required", "https://issuer.example", "client", "https://issuer.example/keys")
    assert read_config(ENVIRONMENT | issuer).sign_in == accepted
    assert read_config(ENVIRONMENT).sign_in is None
    with pytest.raises(KeyError):
        read_config(ENVIRONMENT | {"SIGN_IN": mode})
