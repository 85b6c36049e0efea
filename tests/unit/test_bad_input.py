"""Guarantee 6: no input makes a function raise; it is answered by an error frame."""

import json
from typing import Any

import connect
import default
import disconnect
import history
import join
import ping
import pytest
import sendmessage
import typing_notice
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.stage import Chat

FRAMES_ROUTES = [default, history, join, ping, sendmessage, typing_notice]
ROUTES = [*FRAMES_ROUTES, connect, disconnect]
BAD_BODIES = [
    None,
    "",
    "no json",
    "[1]",
    "null",
    "[" * 50_000,
    '{"message": NaN}',
    "\ud800",
    "x" * 40_000,
    12,
    {"a": 1},
]


@pytest.mark.parametrize("route", FRAMES_ROUTES, ids=lambda route: route.__name__)
@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: str(body)[:12].encode("ascii", "replace").decode())
def test_guarantee_6_a_body_that_is_no_frame_is_answered_by_an_error(chat: Chat, route: Any, body: Any) -> None:
    event = {"requestContext": {"connectionId": "abc="}, "body": body}
    answer = route.lambda_handler(event, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"]) == {"type": "error", "error": "Invalid request", "code": "bad_request"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.__name__)
@pytest.mark.parametrize(
    "event",
    [None, {}, [], "text", {"requestContext": None}, {"requestContext": {}}, {"requestContext": {"connectionId": 5}}],
    ids=str,
)
def test_guarantee_6_an_event_without_a_connection_is_answered_by_an_error(chat: Chat, route: Any, event: Any) -> None:
    answer = route.lambda_handler(event, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["code"] == "bad_request"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["action", "message", "messageId", "room", "name", "before", "after", "limit"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(route=st.sampled_from(FRAMES_ROUTES), frame=st.dictionaries(FIELDS, ANYTHING, max_size=5))
def test_guarantee_6_a_frame_with_any_fields_is_answered(chat: Chat, route: Any, frame: dict[str, Any]) -> None:
    body = json.dumps(frame)
    answer = route.lambda_handler({"requestContext": {"connectionId": "abc="}, "body": body}, None)
    assert answer["statusCode"] in (200, 400, 429), answer


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.__name__)
def test_a_fault_of_ours_is_told_without_its_reason(route: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABLE_NAME")
    body = json.dumps(
        {"room": "lobby", "message": "secret words", "messageId": "0" * 8 + "-0000-0000-0000-" + "0" * 12}
    )
    answer = route.lambda_handler({"requestContext": {"connectionId": "abc="}, "body": body}, None)
    if route is default:
        assert answer["statusCode"] == 400
        return
    assert answer["statusCode"] == 500
    frame = json.loads(answer["body"])
    assert frame["code"] == "internal"
    assert "TABLE_NAME" not in answer["body"]
    if route not in (connect, disconnect):
        assert frame["messageId"].startswith("00000000-"), "the client can tell which message it was"


def test_what_no_route_knows_is_an_invalid_request(chat: Chat) -> None:
    answer = chat.call(default, "abc=", {"action": "dance"})
    assert json.loads(answer["body"])["error"] == "Invalid request"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        (None, 200),
        ({"Origin": "https://chat.example"}, 200),
        ({"origin": "https://CHAT.example"}, 200),
        ({"Origin": "https://chat.example.evil.com"}, 403),
        ({"ORIGIN": "http://chat.example"}, 403),
        ({"Origin": "https://chat.example:8443"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
    ],
    ids=str,
)
def test_a_browser_of_a_foreign_page_is_refused(chat: Chat, headers: Any, status: int) -> None:
    event = {"requestContext": {"connectionId": "abc="}, "headers": headers}
    assert connect.lambda_handler(event, None)["statusCode"] == status


def test_with_no_allowed_origins_every_browser_is_refused(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    for allowed in ("", None):
        monkeypatch.setenv("ALLOWED_ORIGINS", allowed) if allowed is not None else monkeypatch.delenv("ALLOWED_ORIGINS")
        for origin in ("", "https://chat.example"):
            event = {"requestContext": {"connectionId": "abc="}, "headers": {"Origin": origin}}
            assert connect.lambda_handler(event, None)["statusCode"] == 403
