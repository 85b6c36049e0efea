"""The breaker's function: an alarm closes the stage, and the mail explains how to reopen it."""

import io
import json
import shlex
from contextlib import suppress
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from breaker import AlarmEventError, Breaker, parse

ENVIRONMENT = {
    "AWS_REGION": "eu-central-1",
    "API_ID": "abc123",
    "STAGE_NAME": "production",
    "OPEN_RATE_LIMIT": "50",
    "OPEN_BURST_LIMIT": "100",
    "MAIL_TOPIC_ARN": "arn:aws:sns:eu-central-1:123456789012:ChatAppBreaker-Mail",
    "ADVICE": "`pulumi up --refresh` reopens it too.",
}
CLOSED = {"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0}
REASON = "Threshold Crossed: 1 datapoint [31337.0 (25/11/26 17:00:00)] was greater than the threshold (20000.0)."


def notification(state: str = "ALARM", **changed: Any) -> dict[str, Any]:
    """Return an alarm's notification as SNS passes it to Lambda (CloudWatch user guide)."""
    message = {
        "AlarmName": "ChatAppBreaker-MessageCount",
        "AlarmDescription": "More than 20,000 in a minute",
        "AWSAccountId": "123456789012",
        "NewStateValue": state,
        "NewStateReason": REASON,
        "StateChangeTime": "2026-11-25T17:01:00.000+0000",
        "Region": "EU (Frankfurt)",
        "OldStateValue": "OK",
        "Trigger": {"MetricName": "MessageCount", "Namespace": "AWS/ApiGateway"},
        **changed,
    }
    sns = {"Type": "Notification", "Subject": 'ALARM: "ChatAppBreaker-MessageCount"', "Message": json.dumps(message)}
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns}]}


class StubbedClients:
    """Clients that check each request against AWS's models and return scripted responses."""

    def __init__(self) -> None:
        session = botocore.session.Session()
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-central-1"}
        self.gateway: Any = session.create_client("apigatewayv2", **keys)
        self.topics: Any = session.create_client("sns", **keys)
        self.mails: list[dict[str, str]] = []
        self.topics.meta.events.register("provide-client-params.sns.Publish", self._keep)
        self.of_gateway, self.of_topics = Stubber(self.gateway), Stubber(self.topics)
        self.of_gateway.activate()
        self.of_topics.activate()

    def _keep(self, params: dict[str, str], **_: object) -> None:
        self.mails.append(params)

    def expect_closing(self) -> None:
        expected = {"ApiId": "abc123", "StageName": "production", "DefaultRouteSettings": CLOSED}
        self.of_gateway.add_response("update_stage", {"StageName": "production"}, expected)

    def expect_mail(self) -> None:
        self.of_topics.add_response("publish", {"MessageId": "m"})

    def verify(self) -> None:
        self.of_gateway.assert_no_pending_responses()
        self.of_topics.assert_no_pending_responses()


def run(clients: StubbedClients, event: object, **environment: str) -> list[dict[str, str]]:
    """Run the function; return the lines of its log."""
    stream = io.StringIO()
    try:
        Breaker({**ENVIRONMENT, **environment}, clients, lambda: stream)(event, None)
    finally:
        clients.verify()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_alarm_closes_the_stage_and_mails_the_reason() -> None:
    clients = StubbedClients()
    clients.expect_closing()
    clients.expect_mail()
    (line,) = run(clients, notification())
    assert (line["event"], line["alarm"], line["reason"]) == ("closed", "ChatAppBreaker-MessageCount", REASON)
    (mail,) = clients.mails
    assert mail["TopicArn"] == ENVIRONMENT["MAIL_TOPIC_ARN"]
    assert mail["Subject"] == "Closed: stage production of abc123"
    for part in (REASON, "no one can connect or send", ENVIRONMENT["ADVICE"], "wait until the alarm is OK"):
        assert part in mail["Message"]


def test_the_command_in_the_mail_restores_the_configured_limits() -> None:
    clients = StubbedClients()
    clients.expect_closing()
    clients.expect_mail()
    run(clients, notification())
    (command,) = [line for line in clients.mails[0]["Message"].splitlines() if "update-stage" in line]
    assert shlex.split(command) == [
        *("aws", "--region", "eu-central-1", "apigatewayv2", "update-stage"),
        *("--api-id", "abc123", "--stage-name", "production"),
        *("--default-route-settings", "ThrottlingRateLimit=50,ThrottlingBurstLimit=100"),
    ]


def test_the_command_has_the_endpoint_of_an_emulator() -> None:
    clients = StubbedClients()
    clients.expect_closing()
    (line,) = run(clients, notification(), MAIL_TOPIC_ARN="", AWS_ENDPOINT_URL="http://127.0.0.1:4566")
    assert "aws --region eu-central-1 --endpoint-url http://127.0.0.1:4566 apigatewayv2 update-stage" in line["open"]


def test_without_a_mail_topic_the_log_has_the_command() -> None:
    clients = StubbedClients()
    clients.expect_closing()
    (line,) = run(clients, notification(), MAIL_TOPIC_ARN="")
    assert line["open"].startswith("aws --region eu-central-1 apigatewayv2 update-stage --api-id abc123 ")
    assert clients.mails == []


@pytest.mark.parametrize("state", ["OK", "INSUFFICIENT_DATA"])
def test_another_state_changes_nothing(state: str) -> None:
    (line,) = run(StubbedClients(), notification(state))
    assert line == {"event": "ignored", "reason": f"the state is {state}", "alarm": "ChatAppBreaker-MessageCount"}


def test_a_failure_to_close_the_stage_mails_the_command_and_is_retried() -> None:
    """Lambda retries an invocation that raised."""
    clients = StubbedClients()
    clients.of_gateway.add_client_error("update_stage", "AccessDeniedException", "not you")
    clients.expect_mail()
    with pytest.raises(clients.gateway.exceptions.ClientError, match="not you"):
        run(clients, notification())
    (mail,) = clients.mails
    assert mail["Subject"] == "Not closed: stage production of abc123"
    assert "could not be closed: AccessDeniedException: " in mail["Message"]
    assert "not you" in mail["Message"]
    assert "--default-route-settings ThrottlingRateLimit=0,ThrottlingBurstLimit=0" in mail["Message"]


def test_a_mail_that_fails_is_retried_after_the_stage_is_closed() -> None:
    clients = StubbedClients()
    clients.expect_closing()
    clients.of_topics.add_client_error("publish", "InternalError", "later")
    with pytest.raises(clients.topics.exceptions.ClientError, match="later"):
        run(clients, notification())


def test_sns_accepts_the_subject() -> None:
    """SNS Publish: fewer than 100 characters."""
    clients = StubbedClients()
    clients.of_gateway.add_response("update_stage", {})
    clients.expect_mail()
    run(clients, notification(), STAGE_NAME="s" * 128)
    assert len(clients.mails[0]["Subject"]) == 99


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
UNREADABLE = [
    None,
    {},
    {"Records": []},
    {"Records": [{"Sns": {}}]},
    {"Records": [{"Sns": {"Message": "hello"}}]},
    {"Records": [{"Sns": {"Message": "[" * 100_000}}]},
    {"Records": [{"Sns": {"Message": '{"AlarmName": "a"}'}}]},
    {"Records": [{"Sns": {"Message": "[]"}}]},
]


@pytest.mark.parametrize("event", UNREADABLE, ids=lambda event: str(event)[:40])
def test_an_event_that_is_not_an_alarm_changes_nothing(event: object) -> None:
    (line,) = run(StubbedClients(), event)
    assert line == {"event": "ignored", "reason": "the event is not an alarm notification"}


@given(anything, anything)
def test_no_event_raises_anything_else(event: Any, message: Any) -> None:
    for each in (event, {"Records": [{"Sns": {"Message": json.dumps(message)}}]}):
        with suppress(AlarmEventError):
            parse(each)
