"""The breaker: its alarms invoke a function that may only close this stage, and it is free when idle."""

import pytest

from components.stage_breaker import PERIOD_SECONDS
from functions.chat.routes import FUNCTIONS
from local.plan import ACCOUNT, Plan
from tests.stack.program import VARIANTS, program, statements

EMAIL = "you@example.org"
STAGE_ARN = f"arn:aws:apigatewayv2:us-east-1:{ACCOUNT}:stage/production"  # the form of local.plan's ARNs
LIMITS = {"MessageCount": 20_000, "ConnectCount": 1_000}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return program(alert_email=EMAIL, throttle_rate_limit="40", throttle_burst_limit="80")


def test_the_breaker_is_on_by_default() -> None:
    alarms = {one.inputs["metricName"]: one.inputs["threshold"] for one in program().all("MetricAlarm")}
    assert alarms == LIMITS


@pytest.mark.parametrize(("messages", "connects"), [("0", "7"), ("7", "0")])
def test_a_limit_of_0_has_no_alarm(messages: str, connects: str) -> None:
    (alarm,) = program(breaker_messages_per_minute=messages, breaker_connects_per_minute=connects).all("MetricAlarm")
    assert (alarm.inputs["metricName"], alarm.inputs["threshold"]) == (
        "ConnectCount" if messages == "0" else "MessageCount",
        7,
    )


def test_without_limits_there_is_no_breaker() -> None:
    off = program(breaker_messages_per_minute="0", breaker_connects_per_minute="0", alert_email=EMAIL)
    assert not [one.name for one in off.resources if one.name.startswith("stage-breaker")]
    assert {one.inputs["name"] for one in off.all("Function")} == {one.name for one in FUNCTIONS}


@pytest.mark.parametrize("metric", LIMITS)
def test_an_alarm_fires_after_one_minute_above_the_limit_of_this_stage(plan: Plan, metric: str) -> None:
    """API Gateway's WebSocket metrics; MessageCount counts both directions."""
    given = plan.one("MetricAlarm", f"ChatAppBreaker-{metric}").inputs
    assert (given["namespace"], given["metricName"], given["statistic"]) == ("AWS/ApiGateway", metric, "Sum")
    assert given["dimensions"] == {"ApiId": "websocket-api-api-id", "Stage": "production"}
    assert (given["period"], given["evaluationPeriods"], PERIOD_SECONDS) == (60, 1, 60)
    assert (given["comparisonOperator"], given["threshold"]) == ("GreaterThanThreshold", LIMITS[metric])
    assert given["treatMissingData"] == "notBreaching"
    topics = [plan.one("Topic", f"ChatAppBreaker-{name}").state["arn"] for name in ("Alarms", "Mail")]
    assert given["alarmActions"] == topics, "the function, and a mail that doesn't wait for it"
    assert "--api-id websocket-api-api-id --stage-name production" in given["alarmDescription"]
    assert len(given["alarmDescription"]) <= 1024


def test_the_alarms_topic_may_invoke_the_function_and_does(plan: Plan) -> None:
    topic, function = plan.one("Topic", "ChatAppBreaker-Alarms"), plan.one("Function", "ChatAppBreaker")
    trigger, permission = (
        plan.one("TopicSubscription", "stage-breaker-trigger"),
        plan.one("Permission", "stage-breaker-permission"),
    )
    assert trigger.inputs == {"topic": topic.state["arn"], "protocol": "lambda", "endpoint": function.state["arn"]}
    assert permission.inputs == {
        "function": "ChatAppBreaker",
        "action": "lambda:InvokeFunction",
        "principal": "sns.amazonaws.com",
        "sourceArn": topic.state["arn"],
    }
    assert permission.urn in plan.waits_for(trigger)


def test_the_function_may_change_this_stage_and_send_its_mail_and_nothing_else(plan: Plan) -> None:
    (policy,) = [one for one in plan.all("RolePolicy") if one.inputs["role"] == "ChatAppBreakerRole"]
    found = statements(policy)
    del found["WriteLog"]
    assert plan.one("Stage").state["arn"] == STAGE_ARN
    assert {(*one["Action"], one["Effect"], one["Resource"]) for one in found.values()} == {
        ("apigateway:PATCH", "Allow", STAGE_ARN),
        ("sns:Publish", "Allow", plan.one("Topic", "ChatAppBreaker-Mail").state["arn"]),
    }


def test_the_function_has_the_settings_that_reopen_the_stage(plan: Plan) -> None:
    given = plan.one("Function", "ChatAppBreaker").inputs
    variables = dict(given["environment"]["variables"])
    assert given["handler"] == "breaker.lambda_handler"
    assert "pulumi up --refresh --stack dev" in variables.pop("ADVICE")
    assert variables == {
        "API_ID": "websocket-api-api-id",
        "STAGE_NAME": "production",
        "OPEN_RATE_LIMIT": "40",
        "OPEN_BURST_LIMIT": "80",
        "MAIL_TOPIC_ARN": plan.one("Topic", "ChatAppBreaker-Mail").state["arn"],
    }


def test_the_mail_goes_to_the_configured_address(plan: Plan) -> None:
    mail = plan.one("TopicSubscription", "stage-breaker-mail").inputs
    assert mail == {
        "topic": plan.one("Topic", "ChatAppBreaker-Mail").state["arn"],
        "protocol": "email",
        "endpoint": EMAIL,
    }


def test_without_an_address_the_function_may_only_close_the_stage() -> None:
    plan = program()
    (policy,) = [one for one in plan.all("RolePolicy") if one.inputs["role"] == "ChatAppBreakerRole"]
    assert set(statements(policy)) == {"WriteLog", "CloseStage"}
    assert "MAIL_TOPIC_ARN" not in plan.one("Function", "ChatAppBreaker").inputs["environment"]["variables"]
    assert [one.inputs["name"] for one in plan.all("Topic")] == ["ChatAppBreaker-Alarms"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_alarms_are_free_with_those_of_monitoring(variant: str) -> None:
    """CloudWatch Free Tier: ten alarms of standard resolution (a period of at least a minute)."""
    alarms = program(**VARIANTS[variant]).all("MetricAlarm")
    assert len(alarms) <= 10
    assert all(one.inputs["period"] >= 60 for one in alarms)


def test_its_resources_are_in_the_outputs(plan: Plan) -> None:
    named = {name for name in plan.outputs["resources"] if "Breaker" in name}
    assert named == {
        "ChatAppBreaker",
        "ChatAppBreakerRole",
        "/aws/lambda/ChatAppBreaker",
        "ChatAppBreaker-Alarms",
        "ChatAppBreaker-Alarms/function",
        "ChatAppBreaker-Mail",
        "ChatAppBreaker-Mail/mail",
        "ChatAppBreaker-MessageCount",
        "ChatAppBreaker-ConnectCount",
    }
