"""Checks a request against AWS's own models; botocore only checks types and required members.

DOCUMENTED has the rules of services that their models lack.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from botocore.model import OperationModel

_BUCKET = r"(?!xn--)(?!.*(\.\.|--x-s3$|-s3alias$))[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
DOCUMENTED: dict[tuple[str, str], str] = {
    ("CreateFunction", "FunctionName"): r"[a-zA-Z0-9_-]{1,64}",  # Lambda API reference
    ("CreateTable", "TableName"): r"[a-zA-Z0-9_.-]{3,255}",  # DynamoDB, naming rules
    ("CreateApi", "Name"): r"[^\x00-\x1f]{1,128}",  # API Gateway, WebSocket quotas
    ("CreateStage", "StageName"): r"[a-zA-Z0-9_-]{1,128}",
    ("CreateRoute", "RouteKey"): r"\$connect|\$disconnect|\$default|[A-Za-z0-9_./-]{1,128}",
    ("CreateRoute", "Target"): r"integrations/[a-z0-9]{1,64}",
    ("CreateRouteResponse", "RouteResponseKey"): r"\$default",
    ("CreateBucket", "Bucket"): _BUCKET,  # S3, bucket naming rules
    ("PutObject", "Bucket"): _BUCKET,
    ("PutObject", "Key"): r"[A-Za-z0-9!_.*'()/-]{1,1024}",
    ("CreateTopic", "Name"): r"[A-Za-z0-9_-]{1,256}",
    ("PutDashboard", "DashboardName"): r"[A-Za-z0-9_-]{1,255}",
    ("PutMetricAlarm", "AlarmName"): r"[\x20-\x7e]{1,255}",
    ("CreateOriginAccessControl", "OriginAccessControlConfig.Name"): r"[A-Za-z0-9_-]{1,64}",
    ("CreateResponseHeadersPolicy", "ResponseHeadersPolicyConfig.Name"): r"[A-Za-z0-9_-]{1,128}",
}
_SIZES = {
    ("CreateFunction", "Environment.Variables"): 4096,  # Lambda quotas
    ("CreateRole", "AssumeRolePolicyDocument"): 2048,  # IAM quotas
    ("PutRolePolicy", "PolicyDocument"): 10_240,
    ("PutBucketPolicy", "Policy"): 20 * 1024,  # S3, bucket policies
}


def problems(operation: OperationModel, given: dict[str, Any]) -> list[str]:
    """Return the parts of a request that AWS would reject."""
    found = [f"{operation.name}: {one}" for one in _problems(operation.input_shape, given, "")]
    for place, value in _places(given, ""):
        pattern = DOCUMENTED.get((operation.name, place))
        if pattern is not None and not re.fullmatch(pattern, value):
            found.append(f"{operation.name}: {place} is {value!r}, not {pattern}")
        size = _SIZES.get((operation.name, place))
        if size is not None and len(value if isinstance(value, str) else json.dumps(value)) > size:
            found.append(f"{operation.name}: {place} is longer than {size}")
        if place in ("AssumeRolePolicyDocument", "Policy", "PolicyDocument"):
            found += [f"{operation.name}: {one}" for one in _policy_problems(json.loads(value))]
    return found


def _places(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if place:
        yield place, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(inner, f"{place}.{name}".removeprefix("."))


def _problems(shape: Any, value: Any, place: str) -> Iterator[str]:
    if shape is None:
        if value:
            yield "takes no parameters"
    elif shape.type_name == "structure":
        yield from (f"{place}.{name} is missing" for name in shape.required_members if name not in value)
        yield from (f"{place}.{name} is unknown" for name in value if name not in shape.members)
        for name in shape.members.keys() & value.keys():
            yield from _problems(shape.members[name], value[name], f"{place}.{name}")
    elif shape.type_name in ("list", "map"):
        yield from _out_of_bounds(shape, len(value), f"{place}'s length")
        for part in value:
            yield from _problems(shape.member if shape.type_name == "list" else shape.key, part, f"{place}[]")
        for name in value if shape.type_name == "map" else ():
            yield from _problems(shape.value, value[name], f"{place}.{name}")
    else:
        yield from _scalar_problems(shape, value, place)


def _scalar_problems(shape: Any, value: Any, place: str) -> Iterator[str]:
    types: dict[str, Any] = {
        "string": str,
        "boolean": bool,
        "integer": int,
        "long": int,
        "float": (int, float),
        "double": (int, float),
        "blob": bytes,
    }
    expected = types[shape.type_name]
    if hasattr(value, "read") and shape.type_name == "blob":
        return
    if not isinstance(value, expected) or (isinstance(value, bool) and shape.type_name != "boolean"):
        yield f"{place} is {value!r}, not of type {shape.type_name}"
    elif shape.type_name == "string":
        yield from _out_of_bounds(shape, len(value), f"{place}'s length")
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(_python_pattern(pattern), value):
            yield f"{place} is {value!r}, not {pattern}"
        if shape.enum and value not in shape.enum:
            yield f"{place} is {value!r}, none of {shape.enum}"
    elif shape.type_name not in ("boolean", "blob"):
        yield from _out_of_bounds(shape, value, place)


def _python_pattern(pattern: str) -> str:
    """Return a model's pattern for Python, which has no Unicode categories: Cognito's amount to visible characters."""
    return re.sub(r"(\\p\{[A-Z]\})+", r"\\x21-\\U0010ffff", pattern.replace("(?i)", ""))


def _out_of_bounds(shape: Any, value: Any, place: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and value < low) or (high is not None and value > high):
        yield f"{place} is {value}, not from {low} to {high}"


def _policy_problems(document: dict[str, Any]) -> Iterator[str]:
    """Yield the parts of a policy that IAM's grammar rejects."""
    if document.get("Version") != "2012-10-17" or not document.get("Statement"):
        yield "a policy lacks its version or statements"
    for statement in document.get("Statement", []):
        if not re.fullmatch("[A-Za-z0-9]*", statement.get("Sid", "")):
            yield f"the Sid {statement['Sid']!r}"
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            if not re.fullmatch(r"[a-z0-9-]+:(\*|[A-Za-z]+)", action):
                yield f"the action {action!r}"
        resources = statement.get("Resource", [])
        for arn in [resources] if isinstance(resources, str) else resources:
            if not re.fullmatch(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:.+", arn):
                yield f"the resource {arn!r}"
