"""Roles: each function's role allows exactly what routes.py declares."""

import pytest

from functions.chat.routes import FUNCTIONS, ROUTES, Function
from local.plan import ACCOUNT, Plan, Registered
from tests.stack.program import VARIANTS, program, statements

TABLES = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/"
CONNECTIONS_OF_THE_API = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:websocket-api-api-id/production/POST/@connections/*"


def policy_of(plan: Plan, function: Function) -> Registered:
    (policy,) = [one for one in plan.all("RolePolicy") if one.inputs["role"] == f"{function.name}Role"]
    return policy


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_role_allows_exactly_what_the_routes_declare(function: Function) -> None:
    found = statements(policy_of(program(), function))
    del found["WriteLog"]
    assert all(one.keys() == {"Sid", "Effect", "Action", "Resource"} for one in found.values())
    assert {one["Effect"] for one in found.values()} <= {"Allow"}
    allowed = {(action, one["Resource"]) for one in found.values() for action in one["Action"]}
    declared = {
        (f"dynamodb:{operation}", f"{TABLES}{table}")
        for table, operations in function.access.items()
        for operation in operations
    }
    if function.posts:
        declared.add(("execute-api:ManageConnections", CONNECTIONS_OF_THE_API))
    assert allowed == declared


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_role_has_one_policy_and_no_other(function: Function) -> None:
    plan = program()
    role = plan.one("Role", f"{function.name}Role")
    assert policy_of(plan, function).parent == role.parent
    assert role.inputs.keys() == {"name", "assumeRolePolicy"}
    assert not plan.all("RolePolicyAttachment")


def test_no_function_scans_a_table() -> None:
    assert [one.name for one in FUNCTIONS for operations in one.access.values() if "Scan" in operations] == []


def test_every_function_serves_a_route() -> None:
    assert set(FUNCTIONS) == set(ROUTES.values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_wildcards_match_only_names_that_are_unknown_in_advance(variant: str) -> None:
    """Log streams and connection ids."""
    for policy in program(**VARIANTS[variant]).all("RolePolicy"):
        for statement in statements(policy).values():
            assert not any("*" in action for action in statement["Action"])
            if "*" in statement["Resource"]:
                assert statement["Sid"] in ("WriteLog", "PostToConnections")
                assert statement["Resource"].endswith((":*", "/POST/@connections/*"))
                assert statement["Resource"].count("*") == 1
