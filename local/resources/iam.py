"""IAM roles and their policies."""

import uuid
from typing import Any

from local.resources.resource import Aws, Created, Resource


def _create_role(aws: Aws, *, assumeRolePolicy: str, name: str | None = None) -> Created:
    name = name or f"role-{uuid.uuid4().hex[:8]}"
    created = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=assumeRolePolicy)
    return Created(name, {"arn": created["Role"]["Arn"], "name": name})


def _delete_role(aws: Aws, id_: str, _inputs: dict[str, Any]) -> None:
    aws.client("iam").delete_role(RoleName=id_)


def _put_role_policy(aws: Aws, *, role: str, policy: str) -> Created:
    aws.client("iam").put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=policy)
    return Created(f"{role}:{role}", {"name": role})


def _delete_role_policy(aws: Aws, _id: str, inputs: dict[str, Any]) -> None:
    aws.client("iam").delete_role_policy(RoleName=inputs["role"], PolicyName=inputs["role"])


def _attach_role_policy(aws: Aws, *, role: str, policyArn: str) -> Created:
    aws.client("iam").attach_role_policy(RoleName=role, PolicyArn=policyArn)
    return Created(f"{role}-{policyArn}", {})


RESOURCES = {
    "aws:iam/role:Role": Resource(_create_role, delete=_delete_role),
    "aws:iam/rolePolicy:RolePolicy": Resource(_put_role_policy, _put_role_policy, _delete_role_policy),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Resource(_attach_role_policy),
}
