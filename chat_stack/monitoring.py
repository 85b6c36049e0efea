"""Alarms and a dashboard for the chat.

With the breaker's two alarms they stay within the Free Tier's 10 alarms and 3 dashboards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from chat_stack.api import metrics_namespace
from chat_stack.settings import Settings
from components.chat_tables import ChatTables
from components.mail_topic import create_mail_topic
from components.naming import physical_name
from components.websocket_api import WebSocketApi
from functions.chat.routes import ROUTES

COUNTS = ("stored", "posts", "gone", "throttled", "failed", "refused", "faults")
"""The functions' custom metrics, written to their logs (embedded metric format)."""

_SLOW_MS = 3000
_REFUSED_FRAMES = 10


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """Arguments of Monitoring."""

    name: str
    """Physical name of the dashboard, and prefix of the alarms' names."""
    metrics_namespace: str
    """Namespace of the functions' custom metrics."""
    function_names: Sequence[pulumi.Input[str]]
    """Functions to show."""
    send_function: pulumi.Input[str]
    """Function that sends messages; its duration has an alarm."""
    table_names: Sequence[pulumi.Input[str]]
    """Tables to show."""
    busiest_table: pulumi.Input[str]
    """Table with an alarm. Lasting throttling of the others causes internal errors, which have an alarm too."""
    api_id: pulumi.Input[str]
    """Id of the WebSocket API."""
    stage_name: pulumi.Input[str]
    """Name of the API's stage."""
    email: str
    """Address that alarms are mailed to; if empty, they only change state."""


def monitoring_args(settings: Settings, stack: str, *, api: WebSocketApi, tables: ChatTables) -> MonitoringArgs:
    """Return the arguments of the chat's monitoring."""
    return MonitoringArgs(
        name=physical_name("ChatApp", stack),
        metrics_namespace=metrics_namespace(stack),
        function_names=list(api.function_names.values()),
        send_function=api.function_names[ROUTES["sendmessage"].module],
        table_names=[tables.connections_name, tables.messages_name, tables.rooms_name],
        busiest_table=tables.rooms_name,
        api_id=api.api_id,
        stage_name=api.stage_name,
        email=settings.alert_email,
    )


class Monitoring(pulumi.ComponentResource):
    """A dashboard, and alarms on errors, slow sends and throttling of frames, posts and tables."""

    arns: dict[str, pulumi.Output[str]]
    """ARNs by name: the alarms, their mail topic and subscription, and the dashboard."""

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-chat:index:Monitoring", name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self.arns = {}
        self._actions = self._create_mail() if args.email else []
        self._create_alarms()
        dashboard = aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            dashboard_name=args.name,
            dashboard_body=pulumi.Output.json_dumps({"widgets": self._widgets()}),
            opts=self._child,
        )
        self.arns[args.name] = dashboard.dashboard_arn
        self.register_outputs({"arns": self.arns})

    def _create_mail(self) -> list[pulumi.Output[str]]:
        name, args = self._name, self._args
        topic, arns = create_mail_topic(
            f"{name}-alarms", f"{name}-mail", f"{args.name}-Alarms", args.email, self._child
        )
        self.arns |= arns
        return [topic.arn]

    def _create_alarms(self) -> None:
        args = self._args
        namespace = args.metrics_namespace
        self._alarm("Faults", "A function had an internal error", namespace, "faults", {})
        self._alarm("PostsThrottled", "Posts were refused with 429", namespace, "throttled", {}, threshold=100)
        self._alarm("LambdaErrors", "A function of this account and region failed", "AWS/Lambda", "Errors", {})
        self._alarm(
            "LambdaThrottles", "Functions of this account and region were throttled", "AWS/Lambda", "Throttles", {}
        )
        self._alarm(
            "SendSlow",
            "Sending a message is slow (p99)",
            "AWS/Lambda",
            "Duration",
            {"FunctionName": args.send_function},
            threshold=_SLOW_MS,
            percentile="p99",
        )
        self._alarm(
            "ApiErrors",
            "API Gateway could not invoke a function",
            "AWS/ApiGateway",
            "IntegrationError",
            {"ApiId": args.api_id, "Stage": args.stage_name},
        )
        self._alarm(
            "FramesThrottled",
            "API Gateway refused frames before invoking a function: throttled (429) or malformed",
            "AWS/ApiGateway",
            "ClientError",
            {"ApiId": args.api_id, "Stage": args.stage_name},
            threshold=_REFUSED_FRAMES,
        )
        self._alarm(
            "TableThrottled",
            "DynamoDB throttled writes to the busiest table",
            "AWS/DynamoDB",
            "WriteThrottleEvents",
            {"TableName": args.busiest_table},
        )

    def _alarm(  # noqa: PLR0913 - an alarm needs all of them
        self,
        kind: str,
        description: str,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, pulumi.Input[str]],
        *,
        threshold: int = 0,
        percentile: str | None = None,
    ) -> None:
        name = f"{self._args.name}-{kind}"
        alarm = aws.cloudwatch.MetricAlarm(
            f"{self._name}-{kind}",
            name=name,
            alarm_description=description,
            namespace=namespace,
            metric_name=metric,
            dimensions=dict(dimensions) or None,
            statistic=None if percentile else "Sum",
            extended_statistic=percentile,
            period=300,
            evaluation_periods=1,
            threshold=threshold,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=self._actions,
            opts=self._child,
        )
        self.arns[name] = alarm.arn

    def _widgets(self) -> list[dict[str, Any]]:
        args = self._args
        region = aws.get_region_output().region
        functions = list(args.function_names)
        graphs: list[tuple[str, str, list[list[Any]]]] = [
            ("Messages and posts", "Sum", [[args.metrics_namespace, count] for count in COUNTS]),
            (
                "Connections and frames",
                "Sum",
                [
                    ["AWS/ApiGateway", metric, "ApiId", args.api_id, "Stage", args.stage_name]
                    for metric in ("ConnectCount", "MessageCount", "IntegrationError", "ClientError")
                ],
            ),
            ("Duration p99 (ms)", "p99", [["AWS/Lambda", "Duration", "FunctionName", name] for name in functions]),
            (
                "Errors and throttles",
                "Sum",
                [
                    ["AWS/Lambda", metric, "FunctionName", name]
                    for metric in ("Errors", "Throttles")
                    for name in functions
                ],
            ),
            (
                "Units written",
                "Sum",
                [["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", name] for name in args.table_names],
            ),
            (
                "Units read",
                "Sum",
                [["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", name] for name in args.table_names],
            ),
        ]
        return [
            {
                "type": "metric",
                "x": 12 * (index % 2),
                "y": 6 * (index // 2),
                "width": 12,
                "height": 6,
                "properties": {
                    "title": title,
                    "metrics": metrics,
                    "stat": statistic,
                    "period": 300,
                    "region": region,
                    "view": "timeSeries",
                },
            }
            for index, (title, statistic, metrics) in enumerate(graphs)
        ]
