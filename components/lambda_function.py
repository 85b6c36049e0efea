"""A Python Lambda function with its own log group and least-privilege role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

RUNTIME = aws.lambda_.Runtime.PYTHON3D13


@dataclass(frozen=True, kw_only=True)
class LambdaFunctionArgs:
    """Arguments of a LambdaFunction."""

    function_name: str
    """Physical name, at most 64 characters. The log group is /aws/lambda/ plus this name."""
    role_name: str
    """Physical name of the role, at most 64 characters."""
    handler: str
    """Entry point in the archive, `module.function`."""
    code: pulumi.Archive
    """Archive to deploy."""
    environment: pulumi.Input[Mapping[str, pulumi.Input[str]]] = field(default_factory=dict)
    """Environment variables, at most 4 KB in total (Lambda quotas)."""
    statements: pulumi.Input[Sequence[Mapping[str, Any]]] = ()
    """IAM statements of the role besides writing to the log group; their values may be outputs."""
    memory_mb: int = 256
    """128 to 10,240 MB. CPU is proportional to memory: one vCPU at 1,769 MB."""
    timeout_seconds: int = 30
    """1 to 900 s."""
    log_retention_days: int = 7
    """Days to keep the log, one of the values that CloudWatch Logs allows."""


class LambdaFunction(pulumi.ComponentResource):
    """An arm64 function with its own role and log group."""

    name: pulumi.Output[str]
    """Physical name."""
    arn: pulumi.Output[str]
    """ARN of the function."""
    invoke_arn: pulumi.Output[str]
    """ARN that an API Gateway integration invokes."""
    arns: dict[str, pulumi.Output[str]]
    """ARNs of the function, its role and its log group by physical name."""

    def __init__(self, name: str, args: LambdaFunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-websocket:index:LambdaFunction", name, None, opts)
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-log",
            name=f"/aws/lambda/{args.function_name}",
            retention_in_days=args.log_retention_days,
            opts=pulumi.ResourceOptions(parent=self),
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
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=merged(args.environment)),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(log_format="JSON", log_group=log_group.name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.name, self.arn, self.invoke_arn = function.name, function.arn, function.invoke_arn
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
            policy=pulumi.Output.json_dumps(
                {"Version": "2012-10-17", "Statement": joined([write_log], args.statements)},
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def merged(*parts: pulumi.Input[Mapping[str, pulumi.Input[str]]]) -> pulumi.Output[dict[str, str]]:
    """Merge mappings; later ones win."""
    return pulumi.Output.all(*parts).apply(lambda resolved: {key: one[key] for one in resolved for key in one})


def joined(*parts: pulumi.Input[Sequence[Mapping[str, Any]]]) -> pulumi.Output[list[Mapping[str, Any]]]:
    """Concatenate sequences."""
    return pulumi.Output.all(*parts).apply(lambda resolved: [item for one in resolved for item in one])
