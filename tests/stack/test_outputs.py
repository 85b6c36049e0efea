"""The stack's outputs, which graders, `make smoke` and `make resources` read."""

import importlib

import pytest

from functions.chat.routes import FUNCTIONS
from local.plan import ACCOUNT, Registered
from tests.stack.program import VARIANTS, program

NAMES = {
    "websocket_url",
    "site_url",
    "api_id",
    "stage",
    "region",
    "connections_table",
    "messages_table",
    "site_bucket",
    "function_names",
    "resources",
}


WITH_SIGN_IN = {"user_pool_id", "sign_in_client_id", "login_url"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_outputs_depend_only_on_whether_people_can_sign_in(variant: str) -> None:
    outputs = program(**VARIANTS[variant]).outputs
    assert set(outputs) == NAMES | (WITH_SIGN_IN if "sign_in" in VARIANTS[variant] else set())
    assert all(outputs.values())


def test_the_outputs_locate_everything() -> None:
    outputs = program().outputs
    assert outputs["websocket_url"] == "wss://websocket-api-api-id.execute-api.us-east-1.amazonaws.com/production"
    assert outputs["site_url"] == "http://chatapp-site-dev-0123456789.s3-website-us-east-1.amazonaws.com"
    assert outputs["api_id"] == "websocket-api-api-id"
    assert outputs["stage"] == "production"
    assert outputs["region"] == "us-east-1"
    assert outputs["connections_table"] == "ActiveConnections"
    assert outputs["messages_table"] == "MessageHistory"
    assert outputs["site_bucket"] == "chatapp-site-dev-0123456789"
    assert outputs["function_names"] == [function.name for function in FUNCTIONS]


def arn_of(one: Registered) -> str | None:
    """Return a resource's ARN, if its class has one. An object's ARN is its bucket's plus its key."""
    module = one.type.split(":")[1].partition("/")[0]
    package = importlib.import_module(f"pulumi_aws.{'lambda_' if module == 'lambda' else module}")
    named = getattr(package, one.kind)
    if one.kind == "BucketObjectv2":
        return None
    if hasattr(named, "dashboard_arn"):
        return one.state["dashboardArn"]
    return one.state["arn"] if isinstance(getattr(named, "arn", None), property) else None


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_list_of_resources_has_each_one_with_an_arn(variant: str) -> None:
    plan = program(**VARIANTS[variant])
    expected = [arn for one in plan.resources if one.custom and (arn := arn_of(one))]
    assert sorted(plan.outputs["resources"].values()) == sorted(expected)
    assert len(expected) >= 20


def test_the_list_of_resources_uses_the_physical_names() -> None:
    resources = program().outputs["resources"]
    assert resources["ActiveConnections"] == f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/ActiveConnections"
    assert resources["ChatAppSendMessage"] == f"arn:aws:lambda:us-east-1:{ACCOUNT}:function/ChatAppSendMessage"
    assert resources["ChatAppSendMessageRole"] == f"arn:aws:iam::{ACCOUNT}:role/ChatAppSendMessageRole"
    assert resources["/aws/lambda/ChatAppConnect"].endswith(":log-group:/aws/lambda/ChatAppConnect")
    assert {"ChatAppWebSocket", "ChatAppWebSocket/production", "static-site-bucket"} <= set(resources)
