"""The log: ids and counts, never a message's text, a name or a secret."""

import io
import json

import pytest

from chat.runtime.logging import Log
from tests.fakes.dynamodb import carry_out, fail_nth, throttle
from tests.fakes.services import Chat

ID = "11111111-2222-3333-4444-5555555555ab"
PRIVATE = ["very private words", "Ada Lovelace", "3q2-7wAAqrvM3e7_"]


def test_no_failure_logs_anything_private() -> None:
    text, name, secret = PRIVATE
    frames = [
        {"action": "join", "room": "garden", "name": name, "secret": secret},
        {"action": "sendmessage", "message": text, "messageId": ID, "to": "garden"},
        {"action": "sendmessage", "message": text, "messageId": ID, "to": "garden"},
        {"action": "sendmessage", "message": text * 300},
        {"action": "join", "room": name, "name": text, "secret": secret + "!"},
        {"action": text, "messageId": name, "room": secret},
        {"action": "typing"},
        {"action": "history"},
        {"action": "leave", "room": "garden"},
    ]
    chat = Chat()
    chat.connect("anna", "ben")
    chat.join("ben", "garden")
    for number in range(-1, 6):
        for frame in frames:
            chat.clock.advance(10)
            chat.dynamodb.intercept = fail_nth(throttle, number) if number >= 0 else carry_out
            chat.call("anna", frame)
    chat.call("anna", f'{{"message":"{text}')
    log = chat.services.log.getvalue()
    assert {event["event"] for event in chat.services.events()} >= {"stored", "posted", "refused", "fault"}
    assert not [word for word in PRIVATE if word in log]


def test_an_error_is_logged_by_type_and_location_only() -> None:
    stream = io.StringIO()
    log = Log(lambda: stream, lambda: 0)
    with pytest.raises(ValueError, match=PRIVATE[0]) as raised:
        int(PRIVATE[0])
    log.fault(raised.value)
    event = json.loads(stream.getvalue())
    assert (event["error"], event["at"][0].partition(":")[0]) == ("ValueError", "test_logging.py")
    assert PRIVATE[0] not in stream.getvalue()


def test_each_event_is_a_json_line_with_the_ids_of_its_request() -> None:
    chat = Chat()
    chat.connect("ann\u00e4", "ben")
    chat.call("ben", {"action": "dance"})
    (event,) = chat.services.events("refused")
    assert event == {
        "event": "refused",
        "requestId": "request-3",
        "routeKey": "$default",
        "connectionId": "ben",
        "apiRequestId": "request-3",
        "code": "bad_request",
        "refused": 1,
    }
    assert chat.services.log.getvalue().isascii()


def test_integers_become_metrics_if_there_is_a_namespace() -> None:
    assert "_aws" not in Chat().services.log.getvalue()
    chat = Chat(metrics_namespace="ChatApp")
    chat.connect("anna")
    chat.send("anna", "hello")
    (event,) = chat.services.events("stored")
    (metrics,) = event["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == "ChatApp"
    assert {metric["Name"]: event[metric["Name"]] for metric in metrics["Metrics"]} == {"stored": 1, "repeated": 0}
    assert event["_aws"]["Timestamp"] <= chat.clock.now_ms()
