"""A Python function with what belongs to it: its log group, and a role that may do just what it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

RUNTIME = aws.lambda_.Runtime.PYTHON3D13
INTEGRATION_TIMEOUT_SECONDS = 30
"""One more than an integration may take (API Gateway quotas), so that API Gateway is the one to give up."""


@dataclass(frozen=True, kw_only=True)
class LambdaFunctionArgs:
    """What a function is to be."""

    function_name: str
    """Physical name, at most 64 characters; the log group bears it too, below /aws/lambda/."""
    role_name: str
    """Physical name of its role, at most 64 characters."""
    handler: str
    """`module.function` in the archive."""
    code: pulumi.Archive
    """The deployed archive."""
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Its environment variables."""
    statements: Sequence[Mapping[str, Any]] = ()
    """IAM statements (values may be outputs) beyond writing its own log."""
    memory_mb: int = 256
    """128 to 10,240 MB; the share of a CPU grows with it, up to one at 1,769 MB."""
    timeout_seconds: int = INTEGRATION_TIMEOUT_SECONDS
    """1 to 900 s."""
    log_retention_days: int = 7
    """How long its log is kept."""


class LambdaFunction(pulumi.ComponentResource):
    """A function on arm64 with its own role and log group, which is destroyed with it."""

    name: pulumi.Output[str]
    """Physical name."""
    arn: pulumi.Output[str]
    """The function's ARN."""
    invoke_arn: pulumi.Output[str]
    """What an API Gateway integration calls."""
    log_group_name: pulumi.Output[str]
    """Name of its log group."""
    log_group_arn: pulumi.Output[str]
    """ARN of its log group."""
    role_arn: pulumi.Output[str]
    """ARN of its role."""
    arns: dict[str, pulumi.Output[str]]
    """Physical name → ARN of the function, its role and its log group."""

    def __init__(self, name: str, args: LambdaFunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-chat:index:LambdaFunction", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-log",
            name=f"/aws/lambda/{args.function_name}",
            retention_in_days=args.log_retention_days,
            opts=child,
        )
        role = self._create_role(name, args)
        policy = self._create_policy(name, args, role, log_group)
        function = aws.lambda_.Function(
            f"{name}-function",
            name=args.function_name,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=args.handler,
            code=args.code,
            role=role.arn,
            timeout=args.timeout_seconds,
            memory_size=args.memory_mb,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=dict(args.environment)),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(log_format="JSON", log_group=log_group.name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.name, self.arn, self.invoke_arn = function.name, function.arn, function.invoke_arn
        self.log_group_name, self.log_group_arn, self.role_arn = log_group.name, log_group.arn, role.arn
        self.arns = {
            args.function_name: function.arn,
            args.role_name: role.arn,
            f"/aws/lambda/{args.function_name}": log_group.arn,
        }
        self.register_outputs({"name": self.name, "arn": self.arn})

    def _create_role(self, name: str, args: LambdaFunctionArgs) -> aws.iam.Role:
        return aws.iam.Role(
            f"{name}-role",
            name=args.role_name,
            assume_role_policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        },
                    ],
                },
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_policy(
        self, name: str, args: LambdaFunctionArgs, role: aws.iam.Role, log_group: aws.cloudwatch.LogGroup
    ) -> aws.iam.RolePolicy:
        write_log = {
            "Sid": "WriteLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": pulumi.Output.format("{}:*", log_group.arn),
        }
        return aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.name,
            policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [write_log, *args.statements]}),
            opts=pulumi.ResourceOptions(parent=self),
        )
