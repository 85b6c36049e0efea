"""What config switches on: budgets, provisioned capacity, protection of the messages, monitoring."""

import pytest

from components.monitoring import COUNTS
from tests.stack.program import ROOT, VARIANTS, WITH_EVERYTHING, program

FREE_UNITS = 25
EMAIL = "you@example.org"


def test_without_an_address_nobody_is_mailed() -> None:
    assert not program().all("Budget")
    run = program(monitoring="true")
    assert not run.all("Budget")
    assert not run.all("Topic")
    assert {str(one.inputs.get("alarmActions", [])) for one in run.all("MetricAlarm")} == {"[]"}


def test_an_address_hears_of_half_four_fifths_and_all_of_the_budget() -> None:
    given = program(alert_email=EMAIL).one("Budget", "ChatAppBudget").inputs
    assert (given["limitAmount"], given["limitUnit"], given["timeUnit"]) == ("5", "USD", "MONTHLY")
    assert given["budgetType"] == "COST"
    assert [one["threshold"] for one in given["notifications"]] == [50, 80, 100]
    for one in given["notifications"]:
        assert one["thresholdType"] == "PERCENTAGE"
        assert one["comparisonOperator"] == "GREATER_THAN"
        assert one["notificationType"] == "ACTUAL"
        assert one["subscriberEmailAddresses"] == [EMAIL]


def test_the_monthly_budget_is_the_configs_and_the_alerts_are_at_1_and_5_dollars() -> None:
    run = program(alert_email=EMAIL, monthly_budget_usd="40")
    assert {one.inputs["name"]: one.inputs["limitAmount"] for one in run.all("Budget")} == {
        "ChatAppBudget": "40",
        "ChatAppBudget-Alert-1USD": "1",
        "ChatAppBudget-Alert-5USD": "5",
    }
    for name in ("ChatAppBudget-Alert-1USD", "ChatAppBudget-Alert-5USD"):
        (notification,) = run.one("Budget", name).inputs["notifications"]
        assert (notification["threshold"], notification["subscriberEmailAddresses"]) == (100, [EMAIL])


def test_provisioned_capacity_stays_within_the_free_units_in_all() -> None:
    tables = program(capacity="provisioned").all("Table")
    assert {one.inputs["billingMode"] for one in tables} == {"PROVISIONED"}
    parts = [one.inputs for one in tables] + [
        index for one in tables for index in one.inputs.get("globalSecondaryIndexes", [])
    ]
    assert len(parts) == 5
    for units in ("readCapacity", "writeCapacity"):
        assert all(part[units] >= 1 for part in parts)
        assert sum(part[units] for part in parts) <= FREE_UNITS


def test_unprotected_messages_go_with_the_stack() -> None:
    for table in program().all("Table"):
        assert table.protect is False
        assert table.inputs["deletionProtectionEnabled"] is False
        assert table.inputs["pointInTimeRecovery"] == {"enabled": False}
        assert "serverSideEncryption" not in table.inputs


@pytest.mark.parametrize(
    ("name", "protected"), [("MessageHistory", True), ("ChatRooms", True), ("ActiveConnections", False)]
)
def test_protected_messages_and_their_order_refuse_to_be_destroyed(name: str, protected: bool) -> None:
    """Both by Pulumi, whose own sentence comes first, and by AWS, for whoever deletes by another way."""
    table = program(protect_messages="true").one("Table", name)
    assert table.protect is protected
    assert table.inputs["deletionProtectionEnabled"] is protected
    assert table.inputs["pointInTimeRecovery"] == {"enabled": protected}
    assert ("serverSideEncryption" in table.inputs) is protected


def test_the_documents_tell_how_a_protected_stack_is_destroyed() -> None:
    """Pulumi refuses with a sentence about `protect`; what to do is two commands."""
    command = "pulumi config set protect_messages false && pulumi up"
    assert command in (ROOT / "docs" / "troubleshooting.md").read_text()


def test_nothing_is_monitored_unless_it_is_wanted() -> None:
    run = program()
    assert not run.all("MetricAlarm")
    assert not run.all("Dashboard")
    functions = [one.inputs["environment"]["variables"] for one in run.all("Function")]
    assert all("METRICS_NAMESPACE" not in variables for variables in functions)


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "plain"])
def test_monitoring_stays_within_the_free_tier(variant: str) -> None:
    run = program(**VARIANTS[variant])
    assert len(run.all("MetricAlarm")) <= 10
    assert len(run.all("Dashboard")) <= 3
    assert len(COUNTS) <= 10, "custom metrics"


def test_what_can_go_wrong_has_an_alarm_that_mails() -> None:
    run = program(**WITH_EVERYTHING)
    topic = run.one("Topic").state["arn"]
    mail = run.one("TopicSubscription").inputs
    assert (mail["topic"], mail["protocol"], mail["endpoint"]) == (topic, "email", EMAIL)
    alarms = {one.inputs["name"].removeprefix("ChatApp-"): one.inputs for one in run.all("MetricAlarm")}
    watched = {
        name: (one["namespace"], one["metricName"], one.get("statistic") or one["extendedStatistic"])
        for name, one in alarms.items()
    }
    assert watched == {
        "Faults": ("ChatApp", "faults", "Sum"),
        "PostsThrottled": ("ChatApp", "throttled", "Sum"),
        "LambdaErrors": ("AWS/Lambda", "Errors", "Sum"),
        "LambdaThrottles": ("AWS/Lambda", "Throttles", "Sum"),
        "SendSlow": ("AWS/Lambda", "Duration", "p99"),
        "ApiErrors": ("AWS/ApiGateway", "IntegrationError", "Sum"),
        "FramesThrottled": ("AWS/ApiGateway", "ClientError", "Sum"),
        "TableThrottled1": ("AWS/DynamoDB", "WriteThrottleEvents", "Sum"),
        "TableThrottled2": ("AWS/DynamoDB", "WriteThrottleEvents", "Sum"),
        "TableThrottled3": ("AWS/DynamoDB", "WriteThrottleEvents", "Sum"),
    }
    assert alarms["SendSlow"]["dimensions"] == {"FunctionName": "ChatAppSendMessage"}
    for name in ("ApiErrors", "FramesThrottled"):
        assert alarms[name]["dimensions"] == {"ApiId": "websocket-api-api-id", "Stage": "production"}
    tables = {alarms[f"TableThrottled{number}"]["dimensions"]["TableName"] for number in (1, 2, 3)}
    assert tables == {"ActiveConnections", "MessageHistory", "ChatRooms"}
    for one in alarms.values():
        assert one["alarmActions"] == [topic]
        assert one["treatMissingData"] == "notBreaching"


def test_alarms_and_dashboard_look_where_the_functions_write() -> None:
    """The namespace, and the very names that the code counts under: another would never ring."""
    run = program("team-b", **WITH_EVERYTHING)
    namespaces = {one.inputs["environment"]["variables"]["METRICS_NAMESPACE"] for one in run.all("Function")}
    own = {one.inputs["namespace"] for one in run.all("MetricAlarm") if "/" not in one.inputs["namespace"]}
    assert namespaces == own == {"ChatApp-team-b"}
    code = "".join(path.read_text() for path in (ROOT / "functions").rglob("*.py"))
    assert [count for count in COUNTS if f"{count}=" not in code] == []
    counted = {one.inputs["metricName"] for one in run.all("MetricAlarm") if one.inputs["namespace"] in own}
    assert counted <= set(COUNTS)


def test_the_dashboard_shows_each_function_and_table() -> None:
    dashboard = program(**WITH_EVERYTHING).one("Dashboard")
    body = dashboard.json("dashboardBody")
    assert dashboard.inputs["dashboardName"] == "ChatApp"
    shown = {str(part) for widget in body["widgets"] for metric in widget["properties"]["metrics"] for part in metric}
    assert {"ChatAppSendMessage", "ChatAppConnect", "MessageHistory", "ChatRooms", "websocket-api-api-id"} <= shown
    assert {widget["properties"]["region"] for widget in body["widgets"]} == {"us-east-1"}
    places = [(widget["x"], widget["y"]) for widget in body["widgets"]]
    assert len(set(places)) == len(places)
