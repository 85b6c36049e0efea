"""CloudWatch Logs groups."""

from typing import Any

from local.emulator import ACCOUNT, REGION
from local.resources.resource import Aws, Created, Resource


def _create_log_group(aws: Aws, *, name: str, retentionInDays: int) -> Created:
    client = aws.client("logs")
    client.create_log_group(logGroupName=name)
    client.put_retention_policy(logGroupName=name, retentionInDays=retentionInDays)
    return Created(name, {"arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}", "name": name})


def _delete_log_group(aws: Aws, id_: str, _inputs: dict[str, Any]) -> None:
    aws.client("logs").delete_log_group(logGroupName=id_)


RESOURCES = {"aws:cloudwatch/logGroup:LogGroup": Resource(_create_log_group, delete=_delete_log_group)}
