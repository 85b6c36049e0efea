"""A circuit breaker for an API Gateway stage: alarms close it, and mail explains how to reopen it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.lambda_function import LambdaFunction, LambdaFunctionArgs, joined, merged
from components.mail_topic import create_mail_topic

PERIOD_SECONDS = 60
"""The shortest period of API Gateway's metrics. The alarms are evaluated every minute."""

_MEMORY_MB = 256
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class BreakerLimit:
    """A limit on a stage's metric, above which the stage is closed."""

    metric: str
    """Metric of AWS/ApiGateway with the dimensions ApiId and Stage: MessageCount (both directions) or ConnectCount."""
    per_minute: int
    """Largest sum in a minute at which the stage stays open."""


@dataclass(frozen=True, kw_only=True)
class StageBreakerArgs:
    """Arguments of a StageBreaker."""

    function_name: str
    """Physical name of the function, at most 64 characters; prefix of the alarms' and topics' names."""
    role_name: str
    """Physical name of the function's role, at most 64 characters."""
    code: pulumi.Archive
    """Archive with the handler: functions/breaker.py."""
    handler: str = "breaker.lambda_handler"
    """Entry point in the archive, `module.function`."""
    api_id: pulumi.Input[str]
    """Id of the WebSocket API."""
    stage_name: pulumi.Input[str]
    """Name of the stage to close."""
    stage_arn: pulumi.Input[str]
    """ARN of the stage to close, the only resource that the function may change."""
    throttle_rate_limit: int
    """Requests per second that the stage accepts while it is open."""
    throttle_burst_limit: int
    """Concurrent requests that the stage accepts while it is open."""
    limits: Sequence[BreakerLimit]
    """Limits that close the stage, one alarm each. Ten alarms per account are free; more cost $0.10 a month each."""
    email: str = ""
    """Address of the mail; if empty, the event is only logged."""
    advice: str = ""
    """Text that ends the mail, such as where to find more help."""
    log_retention_days: int = 7
    """Days to keep the function's log, one of the values that CloudWatch Logs allows."""


class StageBreaker(pulumi.ComponentResource):
    """Alarms that close a stage within minutes by invoking a function that throttles it to zero.

    The stage stays closed until someone reopens it with the command in the mail. Routes with their own throttling
    settings are not affected. Open connections stay open, but each of their frames is answered by 429.
    """

    function_name: pulumi.Output[str]
    """Physical name of the function."""
    arns: dict[str, pulumi.Output[str]]
    """ARNs by name: alarms, topics, subscriptions, and the function with its role and log group."""

    def __init__(self, name: str, args: StageBreakerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-websocket:index:StageBreaker", name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self.arns = {}
        mail_topic = self._create_mail() if args.email else None
        function = self._create_function(mail_topic)
        self._create_alarms([self._create_trigger(function), *([] if mail_topic is None else [mail_topic])])
        self.function_name = function.name
        self.register_outputs({"function_name": self.function_name})

    def _create_mail(self) -> aws.sns.Topic:
        name, args = self._name, self._args
        topic, arns = create_mail_topic(
            f"{name}-mail-topic", f"{name}-mail", f"{args.function_name}-Mail", args.email, self._child
        )
        self.arns |= arns
        return topic

    def _create_function(self, mail_topic: aws.sns.Topic | None) -> LambdaFunction:
        args = self._args
        close = {
            "Sid": "CloseStage",
            "Effect": "Allow",
            "Action": ["apigateway:PATCH"],
            "Resource": args.stage_arn,
        }
        mail = [] if mail_topic is None else [_allow_publishing(mail_topic)]
        environment: Mapping[str, pulumi.Input[str]] = {
            "API_ID": args.api_id,
            "STAGE_NAME": args.stage_name,
            "OPEN_RATE_LIMIT": str(args.throttle_rate_limit),
            "OPEN_BURST_LIMIT": str(args.throttle_burst_limit),
            "ADVICE": args.advice,
        }
        function = LambdaFunction(
            f"{self._name}-function",
            LambdaFunctionArgs(
                function_name=args.function_name,
                role_name=args.role_name,
                handler=args.handler,
                code=args.code,
                environment=merged(environment, {} if mail_topic is None else {"MAIL_TOPIC_ARN": mail_topic.arn}),
                statements=joined([close], mail),
                memory_mb=_MEMORY_MB,
                timeout_seconds=_TIMEOUT_SECONDS,
                log_retention_days=args.log_retention_days,
            ),
            self._child,
        )
        self.arns |= function.arns
        return function

    def _create_trigger(self, function: LambdaFunction) -> aws.sns.Topic:
        """Create the topic that invokes the function."""
        topic_name = f"{self._args.function_name}-Alarms"
        topic = aws.sns.Topic(f"{self._name}-alarms", name=topic_name, opts=self._child)
        permission = aws.lambda_.Permission(
            f"{self._name}-permission",
            function=function.name,
            action="lambda:InvokeFunction",
            principal="sns.amazonaws.com",
            source_arn=topic.arn,
            opts=self._child,
        )
        subscription = aws.sns.TopicSubscription(
            f"{self._name}-trigger",
            topic=topic.arn,
            protocol="lambda",
            endpoint=function.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )
        self.arns |= {topic_name: topic.arn, f"{topic_name}/function": subscription.arn}
        return topic

    def _create_alarms(self, topics: Sequence[aws.sns.Topic]) -> None:
        """Create the alarms. They also send mail, because a flood can use up the account's concurrency."""
        args = self._args
        closing = pulumi.Output.format(
            "aws apigatewayv2 update-stage --api-id {} --stage-name {} "
            "--default-route-settings ThrottlingRateLimit=0,ThrottlingBurstLimit=0",
            args.api_id,
            args.stage_name,
        )
        for limit in args.limits:
            alarm_name = f"{args.function_name}-{limit.metric}"
            alarm = aws.cloudwatch.MetricAlarm(
                f"{self._name}-{limit.metric}",
                name=alarm_name,
                alarm_description=pulumi.Output.format(
                    "More than {} in a minute: {} closes the stage. If no mail says so, close it by hand: {}",
                    f"{limit.per_minute:,}",
                    args.function_name,
                    closing,
                ),
                namespace="AWS/ApiGateway",
                metric_name=limit.metric,
                dimensions={"ApiId": args.api_id, "Stage": args.stage_name},
                statistic="Sum",
                period=PERIOD_SECONDS,
                evaluation_periods=1,
                threshold=limit.per_minute,
                comparison_operator="GreaterThanThreshold",
                treat_missing_data="notBreaching",
                alarm_actions=[topic.arn for topic in topics],
                opts=self._child,
            )
            self.arns[alarm_name] = alarm.arn


def _allow_publishing(topic: aws.sns.Topic) -> dict[str, pulumi.Input[str] | list[str]]:
    return {"Sid": "SendMail", "Effect": "Allow", "Action": ["sns:Publish"], "Resource": topic.arn}
