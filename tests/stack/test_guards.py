"""Optional features: budgets, provisioned capacity, protected messages, monitoring."""

import pytest

from chat_stack.monitoring import COUNTS
from local.plan import Plan, Registered
from tests.stack.program import ROOT, VARIANTS, WITH_EVERYTHING, api_functions, program

FREE_UNITS = 25
EMAIL = "you@example.org"


def monitored(plan: Plan, kind: str) -> list[Registered]:
    """Return the resources of a type that the config key `monitoring` adds."""
    return [one for one in plan.all(kind) if one.name.startswith("monitoring-")]


def test_without_an_address_no_mail_is_sent() -> None:
    assert not program().all("Budget")
    plan = program(monitoring="true")
    assert not plan.all("Budget")
    assert {one.inputs["protocol"] for one in plan.all("TopicSubscription")} == {"lambda"}
    assert {str(one.inputs.get("alarmActions", [])) for one in monitored(plan, "MetricAlarm")} == {"[]"}


def test_mail_is_sent_at_50_80_and_100_percent_of_the_budget() -> None:
    given = program(alert_email=EMAIL).one("Budget", "ChatAppBudget").inputs
    assert (given["limitAmount"], given["limitUnit"], given["timeUnit"]) == ("5", "USD", "MONTHLY")
    assert given["budgetType"] == "COST"
    assert [one["threshold"] for one in given["notifications"]] == [50, 80, 100]
    for one in given["notifications"]:
        assert one["thresholdType"] == "PERCENTAGE"
        assert one["comparisonOperator"] == "GREATER_THAN"
        assert one["notificationType"] == "ACTUAL"
        assert one["subscriberEmailAddresses"] == [EMAIL]


def test_the_monthly_budget_is_configurable_and_the_alerts_are_at_1_and_5_dollars() -> None:
    plan = program(alert_email=EMAIL, monthly_budget_usd="40")
    assert {one.inputs["name"]: one.inputs["limitAmount"] for one in plan.all("Budget")} == {
        "ChatAppBudget": "40",
        "ChatAppBudget-Alert-1USD": "1",
        "ChatAppBudget-Alert-5USD": "5",
    }
    for name in ("ChatAppBudget-Alert-1USD", "ChatAppBudget-Alert-5USD"):
        (notification,) = plan.one("Budget", name).inputs["notifications"]
        assert (notification["threshold"], notification["subscriberEmailAddresses"]) == (100, [EMAIL])


def test_provisioned_capacity_is_the_free_units_mostly_for_the_rooms() -> None:
    tables = program(capacity="provisioned").all("Table")
    assert {one.inputs["billingMode"] for one in tables} == {"PROVISIONED"}
    for units in ("readCapacity", "writeCapacity"):
        by_table = {one.inputs["name"]: one.inputs[units] for one in tables}
        assert sum(by_table.values()) == FREE_UNITS
        assert max(by_table, key=lambda name: by_table[name]) == "ChatRooms"


def test_unprotected_messages_are_destroyed_with_the_stack() -> None:
    for table in program().all("Table"):
        assert table.protect is False
        assert table.inputs["deletionProtectionEnabled"] is False
        assert table.inputs["pointInTimeRecovery"] == {"enabled": False}
        assert "serverSideEncryption" not in table.inputs


@pytest.mark.parametrize(
    ("name", "protected"), [("MessageHistory", True), ("ChatRooms", True), ("ActiveConnections", False)]
)
def test_protected_messages_and_rooms_cannot_be_destroyed(name: str, protected: bool) -> None:
    """By Pulumi, and by AWS against deletion by other means."""
    table = program(protect_messages="true").one("Table", name)
    assert table.protect is protected
    assert table.inputs["deletionProtectionEnabled"] is protected
    assert table.inputs["pointInTimeRecovery"] == {"enabled": protected}
    assert ("serverSideEncryption" in table.inputs) is protected


def test_the_documents_explain_how_to_destroy_a_protected_stack() -> None:
    """Pulumi's error mentions `protect` but not what to do."""
    command = "pulumi config set protect_messages false && pulumi up"
    assert command in (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")


def test_monitoring_is_off_by_default() -> None:
    plan = program()
    assert not monitored(plan, "MetricAlarm")
    assert not plan.all("Dashboard")
    functions = [one.inputs["environment"]["variables"] for one in plan.all("Function")]
    assert all("METRICS_NAMESPACE" not in variables for variables in functions)


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "plain"])
def test_monitoring_stays_within_the_free_tier(variant: str) -> None:
    plan = program(**VARIANTS[variant])
    assert len(plan.all("MetricAlarm")) <= 10
    assert len(plan.all("Dashboard")) <= 3
    assert len(COUNTS) <= 10, "custom metrics"


def test_each_alarm_watches_its_metric_and_mails() -> None:
    plan = program(**WITH_EVERYTHING)
    topic = plan.one("Topic", "monitoring-alarms").state["arn"]
    mail = plan.one("TopicSubscription", "monitoring-mail").inputs
    assert (mail["topic"], mail["protocol"], mail["endpoint"]) == (topic, "email", EMAIL)
    alarms = {one.inputs["name"].removeprefix("ChatApp-"): one.inputs for one in monitored(plan, "MetricAlarm")}
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
        "TableThrottled": ("AWS/DynamoDB", "WriteThrottleEvents", "Sum"),
    }
    assert alarms["SendSlow"]["dimensions"] == {"FunctionName": "ChatAppSendMessage"}
    for name in ("ApiErrors", "FramesThrottled"):
        assert alarms[name]["dimensions"] == {"ApiId": "websocket-api-api-id", "Stage": "production"}
    assert alarms["TableThrottled"]["dimensions"] == {"TableName": "ChatRooms"}
    for one in alarms.values():
        assert one["alarmActions"] == [topic]
        assert one["treatMissingData"] == "notBreaching"


def test_alarms_and_dashboard_use_the_functions_namespace() -> None:
    """They use the functions' namespace and metric names; otherwise an alarm would never fire."""
    plan = program("team-b", **WITH_EVERYTHING)
    namespaces = {one.inputs["environment"]["variables"]["METRICS_NAMESPACE"] for one in api_functions(plan)}
    own = {one.inputs["namespace"] for one in plan.all("MetricAlarm") if "/" not in one.inputs["namespace"]}
    assert namespaces == own == {"ChatApp-team-b"}
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "functions").rglob("*.py"))
    assert [count for count in COUNTS if f"{count}=" not in code and f'"{count}":' not in code] == []
    counted = {one.inputs["metricName"] for one in plan.all("MetricAlarm") if one.inputs["namespace"] in own}
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
