"""Creates each resource type that the program registers, through boto3; one module per AWS service.

The keyword-only parameters of a function are the properties it supports, under Pulumi's names. Any other type or
property is an error, except those in LEFT_OUT and LEFT_OUT_TYPES.
"""

from typing import Any

from local.emulator import ACCOUNT, REGION
from local.resources import (
    apigateway,
    budgets,
    cloudfront,
    cloudwatch,
    cognito,
    dynamodb,
    iam,
    lambda_,
    logs,
    s3,
    sns,
)
from local.resources.resource import Aws, Created, Resource, open_session

__all__ = ["LEFT_OUT", "LEFT_OUT_TYPES", "RESOURCES", "Aws", "Created", "Resource", "call", "open_session"]

RESOURCES: dict[str, Resource] = {
    **apigateway.RESOURCES,
    **budgets.RESOURCES,
    **cloudfront.RESOURCES,
    **cloudwatch.RESOURCES,
    **cognito.RESOURCES,
    **dynamodb.RESOURCES,
    **iam.RESOURCES,
    **lambda_.RESOURCES,
    **logs.RESOURCES,
    **s3.RESOURCES,
    **sns.RESOURCES,
}
"""Type token → how to create it."""

LEFT_OUT: dict[tuple[str, str], str] = {
    (
        "aws:s3/bucket:Bucket",
        "forceDestroy",
    ): "only affects `pulumi destroy`; the local run deletes everything",
    (
        "aws:dynamodb/table:Table",
        "pointInTimeRecovery",
    ): "the emulator's data is deleted after the run: no backups",
    ("aws:cloudfront/distribution:Distribution", "isIpv6Enabled"): "there is no edge network on this machine",
    ("aws:cognito/userPool:UserPool", "webAuthnConfiguration"): "the emulator's login pages have no passkeys",
}
"""(Type, property) → why it is ignored."""

LEFT_OUT_TYPES: dict[str, str] = {
    "aws:cognito/managedLoginBranding:ManagedLoginBranding": "the emulator's login pages have one look",
}
"""Type → why no resource of it is created."""


def call(token: str) -> dict[str, Any]:
    """Return the result of a provider function. Raises NotImplementedError if it is not supported."""
    answers: dict[str, dict[str, Any]] = {
        "aws:index/getRegion:getRegion": {"region": REGION, "name": REGION, "id": REGION},
        "aws:index/getPartition:getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com", "id": "aws"},
        "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT, "id": ACCOUNT},
    }
    if token not in answers:
        raise NotImplementedError(f"The local deployer does not support the function {token}.")
    return answers[token]
