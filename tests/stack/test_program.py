"""What `pulumi up` creates with an empty config: every row of the specification."""

import json
import re

import pytest

from functions.chat.routes import FUNCTIONS, ROUTES, Function
from local.plan import ACCOUNT, Plan
from tests.stack.program import VARIANTS, api_functions, program, statements, trust

SPECIFIED_ROUTES = {
    "$connect": "ChatAppConnect",
    "$disconnect": "ChatAppDisconnect",
    "sendmessage": "ChatAppSendMessage",
    "$default": "ChatAppDefault",
}
TABLES = {
    "ActiveConnections": {"connectionId": "S"},
    "MessageHistory": {"messageId": "S", "timestamp": "S"},
    "ChatRooms": {"room": "S", "item": "S"},
}
CALLBACK = "https://websocket-api-api-id.execute-api.us-east-1.amazonaws.com/production"
SITE = "http://chatapp-site-dev-0123456789.s3-website-us-east-1.amazonaws.com"
by_name = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return program()


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_the_specified_keys_and_no_index(plan: Plan, name: str) -> None:
    given = plan.one("Table", name).inputs
    partition_key, *sort_key = TABLES[name]
    assert (given["hashKey"], given.get("rangeKey")) == (partition_key, *(sort_key or [None]))
    assert {one["name"]: one["type"] for one in given["attributes"]} == TABLES[name]
    assert not [key for key in given if "Index" in key]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_on_demand_and_deletes_expired_items(plan: Plan, name: str) -> None:
    given = plan.one("Table", name).inputs
    assert given["billingMode"] == "PAY_PER_REQUEST"
    assert not {"readCapacity", "writeCapacity"} & given.keys()
    assert given["ttl"] == {"attributeName": "expiresAt", "enabled": True}


def test_the_specified_routes_run_the_specified_functions() -> None:
    assert {key: ROUTES[key].name for key in SPECIFIED_ROUTES} == SPECIFIED_ROUTES


@pytest.mark.parametrize("route_key", ROUTES)
def test_a_route_may_invoke_its_function_and_does(plan: Plan, route_key: str) -> None:
    function = plan.one("Function", ROUTES[route_key].name)
    (route,) = [one for one in plan.all("Route") if one.inputs["routeKey"] == route_key]
    (integration,) = [one for one in plan.all("Integration") if one.urn in route.dependencies]
    (permission,) = [one for one in plan.all("Permission") if one.inputs["sourceArn"].endswith(f"/{route_key}")]
    assert route.inputs["target"] == f"integrations/{integration.name}-id"
    assert route.inputs["authorizationType"] == "NONE"
    assert integration.inputs == {
        "apiId": "websocket-api-api-id",
        "integrationType": "AWS_PROXY",
        "integrationMethod": "POST",
        "integrationUri": function.state["invokeArn"],
    }
    assert permission.inputs == {
        "function": function.inputs["name"],
        "action": "lambda:InvokeFunction",
        "principal": "apigateway.amazonaws.com",
        "sourceArn": f"arn:aws:execute-api:us-east-1:{ACCOUNT}:websocket-api-api-id/production/{route_key}",
    }


def test_there_are_no_other_routes_functions_and_integrations(plan: Plan) -> None:
    assert {one.inputs["routeKey"] for one in plan.all("Route")} == set(ROUTES)
    assert {one.inputs["name"] for one in api_functions(plan)} == {one.name for one in FUNCTIONS}
    assert len(plan.all("Integration")) == len(FUNCTIONS)
    permitted = [one for one in plan.all("Permission") if one.inputs["principal"] == "apigateway.amazonaws.com"]
    assert len(permitted) == len(ROUTES)


def test_the_api_selects_the_route_by_the_action(plan: Plan) -> None:
    assert plan.one("Api").inputs == {
        "name": "ChatAppWebSocket",
        "protocolType": "WEBSOCKET",
        "routeSelectionExpression": "$request.body.action",
    }


@by_name
def test_a_function_has_the_specified_form_and_environment(plan: Plan, function: Function) -> None:
    given = plan.one("Function", function.name).inputs
    assert given["handler"] == f"{function.module}.lambda_handler"
    assert given["memorySize"] == function.memory_mb
    assert given["runtime"] == "python3.13"
    assert given["architectures"] == ["arm64"]
    assert given["timeout"] == 30
    assert given["loggingConfig"] == {"logFormat": "JSON", "logGroup": f"/aws/lambda/{function.name}"}
    assert given["environment"]["variables"] == {
        "TABLE_NAME": "ActiveConnections",
        "HISTORY_TABLE_NAME": "MessageHistory",
        "ROOMS_TABLE_NAME": "ChatRooms",
        "CALLBACK_URL": CALLBACK,
        "ALLOWED_ORIGINS": SITE,
        "ADDRESS_ALLOWANCES": "5",
        "MESSAGE_BURST": "10",
        "MESSAGES_PER_SECOND": "2",
        "MESSAGE_RETENTION_DAYS": "30",
        "POSTS_PER_SECOND": "8000",
    }


@by_name
def test_a_function_has_its_own_role_and_log_group_before_it_runs(plan: Plan, function: Function) -> None:
    created = plan.one("Function", function.name)
    log, role = plan.one("LogGroup", f"/aws/lambda/{function.name}"), plan.one("Role", f"{function.name}Role")
    (policy,) = [one for one in plan.all("RolePolicy") if one.inputs["role"] == f"{function.name}Role"]
    assert log.inputs["retentionInDays"] == 7
    assert trust(role) == "lambda.amazonaws.com"
    assert created.inputs["role"] == role.state["arn"]
    assert {log.urn, role.urn, policy.urn} <= plan.waits_for(created)
    assert statements(policy)["WriteLog"] == {
        "Sid": "WriteLog",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{log.state['arn']}:*",
    }
    assert {one.parent for one in (created, log, role, policy)} == {created.parent}


def test_a_stacks_settings_reach_the_functions() -> None:
    plan = program(
        allowed_origins='["https://page.example", "http://localhost:3000"]',
        address_allowances="30",
        message_burst="20",
        messages_per_second="5",
        message_retention_days="0",
        posts_per_second="900",
        log_retention_days="14",
        throttle_rate_limit="50",
        throttle_burst_limit="60",
        monitoring="true",
    )
    given = plan.one("Function", "ChatAppSendMessage").inputs["environment"]["variables"]
    assert given["ALLOWED_ORIGINS"] == f"{SITE},https://page.example,http://localhost:3000"
    assert given["ADDRESS_ALLOWANCES"] == "30"
    assert (given["MESSAGE_BURST"], given["MESSAGES_PER_SECOND"]) == ("20", "5")
    assert (given["MESSAGE_RETENTION_DAYS"], given["POSTS_PER_SECOND"]) == ("0", "900")
    assert given["METRICS_NAMESPACE"] == "ChatApp"
    assert {one.inputs["retentionInDays"] for one in plan.all("LogGroup")} == {14}
    assert plan.one("Stage").inputs["defaultRouteSettings"] == {"throttlingRateLimit": 50, "throttlingBurstLimit": 60}


def test_only_the_connect_function_has_the_blocked_addresses() -> None:
    plan = program(blocked_addresses='["203.0.113.0/24", "2001:db8::7"]')
    given = {one.inputs["name"]: one.inputs["environment"]["variables"] for one in plan.all("Function")}
    assert given.pop("ChatAppConnect")["BLOCKED_ADDRESSES"] == "203.0.113.0/24,2001:db8::7"
    assert [name for name, variables in given.items() if "BLOCKED_ADDRESSES" in variables] == []


def test_the_longest_lists_fit_into_a_functions_environment() -> None:
    """Lambda quotas: 4 KB for all variables of a function."""
    plan = program(
        stack="s" * 100,
        allowed_origins=json.dumps([f"https://{'a' * 41}.example"] * 25),
        blocked_addresses=json.dumps(["255.255.255.255/32"] * 75),
        monitoring="true",
        site_delivery="cdn",
        sign_in="optional",
    )
    variables = plan.one("aws:lambda/function:Function", "websocket-api-connect-function").inputs["environment"]
    assert 3_000 < len(json.dumps(variables["variables"])) < 4_096


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_resource_is_named_after_its_component(variant: str) -> None:
    plan = program(**VARIANTS[variant])
    components = {one.urn: one for one in plan.resources if not one.custom}
    for one in plan.resources:
        if one.parent in components:
            assert one.name.startswith(f"{components[one.parent].name}-"), one
        else:
            assert not one.custom, "the main program creates only components"
    tops = {one.name for one in components.values() if one.parent not in components}
    expected = {"chat-tables", "static-site", "site-config", "stage-breaker", "websocket-api"}
    assert tops == expected | ({"cost-guards", "monitoring", "sign-in"} if variant != "plain" else set())


# Names


def named_by(plan: Plan) -> set[str]:
    """Return the names that the program sets; the provider makes the others unique."""
    given = ("name", "dashboardName", "bucketPrefix")
    kinds = ("RouteResponse", "Record", "Stage", "UserPoolClient")
    return {
        str(one.inputs[key]) for one in plan.resources for key in given if key in one.inputs and one.kind not in kinds
    }


def test_the_stack_dev_has_the_specified_names_exactly(plan: Plan) -> None:
    functions = {*(one.name for one in FUNCTIONS), "ChatAppBreaker"}
    assert named_by(plan) == {
        *TABLES,
        *functions,
        *(f"{name}Role" for name in functions),
        *(f"/aws/lambda/{name}" for name in functions),
        "ChatAppBreaker-Alarms",
        "ChatAppBreaker-ConnectCount",
        "ChatAppBreaker-MessageCount",
        "ChatAppWebSocket",
        "chatapp-site-dev-",
    }


def test_any_other_stack_has_its_name_in_all_resource_names() -> None:
    first, other = (named_by(program(stack, **VARIANTS["everything"])) for stack in ("dev", "team-b"))
    assert len(first) == len(other)
    assert not first & other
    assert all(re.search(r"-team-b(-|/|$)", name) for name in other), other


@pytest.mark.parametrize("stacks", [("a" * 100, "a" * 99 + "b"), ("a.b", "a-b"), ("Team", "team")])
def test_stacks_with_long_or_similar_names_share_no_name(stacks: tuple[str, str]) -> None:
    one, other = (named_by(program(stack)) for stack in stacks)
    # bucket prefixes may be equal: the provider makes the names unique
    assert all(name.startswith("chatapp-site-") for name in one & other)
