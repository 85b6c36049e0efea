"""What is seen from outside: alarms and one dashboard, within the Free Tier's 10 alarms and 3 dashboards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

COUNTS = ("stored", "posts", "gone", "throttled", "failed", "refused", "faults")
"""The functions' own metrics, written into their logs (embedded metric format)."""

_SLOW_MS = 3000
_FEW_FRAMES = 10


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """What is watched."""

    name: str
    """Physical name of the dashboard, and what the alarms' names begin with."""
    metrics_namespace: str
    """Where the functions' own metrics are."""
    function_names: Sequence[pulumi.Input[str]]
    """The functions; the one at `slow_function` has its duration watched."""
    slow_function: pulumi.Input[str]
    """The function whose duration users feel."""
    table_names: Sequence[pulumi.Input[str]]
    """The tables."""
    api_id: pulumi.Input[str]
    """The WebSocket API."""
    stage_name: str
    """Its stage."""
    email: str
    """Where alarms go; empty: they only change colour."""


class Monitoring(pulumi.ComponentResource):
    """Alarms on errors, throttles, p99 duration, refused frames and posts, DynamoDB's throttling; a dashboard."""

    arns: dict[str, pulumi.Output[str]]
    """Name → ARN of each alarm, of the topic and the subscription that mail them, and of the dashboard."""

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
        self.register_outputs({"names": list(self.arns)})

    def _create_mail(self) -> list[pulumi.Output[str]]:
        topic_name = f"{self._args.name}-Alarms"
        topic = aws.sns.Topic(f"{self._name}-alarms", name=topic_name, opts=self._child)
        self.arns[topic_name] = topic.arn
        subscription = aws.sns.TopicSubscription(
            f"{self._name}-mail",
            topic=topic.arn,
            protocol="email",
            endpoint=self._args.email,
            opts=self._child,
        )
        self.arns[f"{topic_name}/mail"] = subscription.arn
        return [topic.arn]

    def _create_alarms(self) -> None:
        args = self._args
        namespace = args.metrics_namespace
        self._alarm("Faults", "A function met a fault of its own", namespace, "faults", {})
        self._alarm("PostsThrottled", "Posts were refused with 429", namespace, "throttled", {}, threshold=100)
        self._alarm("LambdaErrors", "A function of this account and region failed", "AWS/Lambda", "Errors", {})
        self._alarm(
            "LambdaThrottles", "Functions of this account and region were throttled", "AWS/Lambda", "Throttles", {}
        )
        self._alarm(
            "SendSlow",
            "Sending takes too long (p99)",
            "AWS/Lambda",
            "Duration",
            {"FunctionName": args.slow_function},
            threshold=_SLOW_MS,
            percentile="p99",
        )
        self._alarm(
            "ApiErrors",
            "API Gateway could not run a function",
            "AWS/ApiGateway",
            "IntegrationError",
            {"ApiId": args.api_id, "Stage": args.stage_name},
        )
        self._alarm(
            "FramesThrottled",
            "API Gateway refused frames before any function ran: the stage's throttle (429), or what it cannot read",
            "AWS/ApiGateway",
            "ClientError",
            {"ApiId": args.api_id, "Stage": args.stage_name},
            threshold=_FEW_FRAMES,
        )
        for index, table in enumerate(args.table_names):
            self._alarm(
                f"TableThrottled{index + 1}",
                "DynamoDB throttled writes to a table",
                "AWS/DynamoDB",
                "WriteThrottleEvents",
                {"TableName": table},
            )

    def _alarm(  # noqa: PLR0913 - what an alarm is made of
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
