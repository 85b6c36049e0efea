"""The access log of an API Gateway stage, and the account-wide role that API Gateway needs to write it."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

FIELDS = (
    *("requestId", "connectionId", "routeKey", "eventType", "status", "requestTime", "error.message"),
    "identity.sourceIp",
)
"""Fields of a line: the requester, route and outcome, never the content of a frame."""


@dataclass(frozen=True, kw_only=True)
class StageAccessLogArgs:
    """Arguments of a StageAccessLog."""

    log_group_name: str
    """Physical name of the log group, at most 512 characters."""
    log_retention_days: int
    """Days to keep the log, one of the values that CloudWatch Logs allows."""


class StageAccessLog(pulumi.ComponentResource):
    """A log group, and the CloudWatch role of the account and region, which is retained on destroy."""

    log_group_arn: pulumi.Output[str]
    """ARN of the log group."""
    line_format: pulumi.Output[str]
    """Format of a line: one JSON object."""
    arns: dict[str, pulumi.Output[str]]
    """ARNs of the log group and the role by name."""

    def __init__(self, name: str, args: StageAccessLogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-websocket:index:StageAccessLog", name, None, opts)
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-group",
            name=args.log_group_name,
            retention_in_days=args.log_retention_days,
            opts=pulumi.ResourceOptions(parent=self),
        )
        retained = pulumi.ResourceOptions(parent=self, retain_on_delete=True)  # other stacks may be using it
        role = aws.iam.Role(
            f"{name}-role",
            assume_role_policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "apigateway.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        },
                    ],
                },
            ),
            opts=retained,
        )
        policy = aws.iam.RolePolicyAttachment(
            f"{name}-policy",
            role=role.name,
            policy_arn=pulumi.Output.format(
                "arn:{}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
                aws.get_partition_output(opts=pulumi.InvokeOutputOptions(parent=self)).partition,
            ),
            opts=retained,
        )
        aws.apigateway.Account(
            f"{name}-account",
            cloudwatch_role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True, depends_on=[policy]),
        )
        self.log_group_arn = log_group.arn
        self.line_format = pulumi.Output.json_dumps({field: f"$context.{field}" for field in FIELDS})
        self.arns = {args.log_group_name: log_group.arn, f"{name}-role": role.arn}
        self.register_outputs({"log_group_arn": self.log_group_arn})
