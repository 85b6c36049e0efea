"""The DynamoDB client, made once and only when it is needed, and the form of its values. It knows no table."""

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def dynamodb() -> "DynamoDBClient":
    """Return the container's client. It is botocore's: boto3 on top would add start-up time and nothing else."""
    env = os.environ
    return _client(env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"), env.get("AWS_ENDPOINT_URL"))


@lru_cache(maxsize=4)
def _client(region: str | None, _endpoint: str | None) -> "DynamoDBClient":
    from botocore.config import Config  # noqa: PLC0415 - a refused frame needs no client
    from botocore.session import Session  # noqa: PLC0415

    # Three tries of at most 4 s each stay well below an integration's 29 s (API Gateway quotas).
    config = Config(
        connect_timeout=1,
        read_timeout=3,
        retries={"mode": "standard", "total_max_attempts": 3},
        tcp_keepalive=True,
        parameter_validation=False,
    )
    session = Session()
    # To see whether there is a service of this name, the loader would read some 900 folders: a third of a client's CPU.
    session.get_component("data_loader").list_available_services = lambda _type_name: ["dynamodb"]
    return cast("DynamoDBClient", session.create_client("dynamodb", region_name=region, config=config))


def to_attributes(item: dict[str, Any]) -> dict[str, Any]:
    """Return plain strings, whole numbers and booleans as DynamoDB's typed values; None is left out."""
    typed: dict[str, Any] = {}
    for name, value in item.items():
        if isinstance(value, bool):
            typed[name] = {"BOOL": value}
        elif isinstance(value, int):
            typed[name] = {"N": str(value)}
        elif value is not None:
            typed[name] = {"S": value}
    return typed


def from_attributes(typed: dict[str, Any]) -> dict[str, Any]:
    """Return DynamoDB's typed values as plain ones."""
    item: dict[str, Any] = {}
    for name, value in typed.items():
        if "N" in value:
            item[name] = int(value["N"])
        else:
            item[name] = value.get("S", value.get("BOOL"))
    return item


def error_code(error: Exception) -> str:
    """Return the service's code of a ClientError, or an empty string for any other error."""
    response = getattr(error, "response", None)
    return response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""


def is_condition_failure(error: Exception) -> bool:
    """Tell whether a write was refused by its own condition."""
    return error_code(error) == "ConditionalCheckFailedException"
