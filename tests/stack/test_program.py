"""What `pulumi up` makes with the config untouched: every row of the specification, with the inputs that matter."""

import re
from typing import Any

import pytest

from tests.stack.program import ACCOUNT, VARIANTS, Registered, Run, program, statements, trust

ROUTES = {
    "$connect": ("ChatAppConnect", "connect"),
    "$disconnect": ("ChatAppDisconnect", "disconnect"),
    "sendmessage": ("ChatAppSendMessage", "sendmessage"),
    "join": ("ChatAppJoin", "join"),
    "history": ("ChatAppHistory", "history"),
    "typing": ("ChatAppTyping", "typing_notice"),
    "ping": ("ChatAppPing", "ping"),
    "$default": ("ChatAppDefault", "default"),
}
TABLES = ("ActiveConnections", "MessageHistory", "ChatRooms")
CALLBACK = "https://websocket-api-api-id.execute-api.us-east-1.amazonaws.com/production"
SITE = "http://chatapp-site-dev-0123456789.s3-website-us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def run() -> Run:
    return program()


def keys_of(table: Registered) -> dict[str, Any]:
    given = table.inputs
    return {
        "keys": (given["hashKey"], given.get("rangeKey")),
        "types": {one["name"]: one["type"] for one in given["attributes"]},
        "indexes": {
            index["name"]: ([(key["attributeName"], key["keyType"]) for key in index["keySchemas"]])
            for index in given.get("globalSecondaryIndexes", [])
        },
    }


def test_the_tables_have_the_specified_keys(run: Run) -> None:
    assert keys_of(run.one("Table", "ActiveConnections")) == {
        "keys": ("connectionId", None),
        "types": {"connectionId": "S", "room": "S"},
        "indexes": {"by-room": [("room", "HASH"), ("connectionId", "RANGE")]},
    }
    assert keys_of(run.one("Table", "MessageHistory")) == {
        "keys": ("messageId", "timestamp"),
        "types": {"messageId": "S", "timestamp": "S", "room": "S", "seq": "N"},
        "indexes": {"by-room-seq": [("room", "HASH"), ("seq", "RANGE")]},
    }
    assert keys_of(run.one("Table", "ChatRooms")) == {"keys": ("room", None), "types": {"room": "S"}, "indexes": {}}


def test_the_index_of_members_holds_what_a_fan_out_reads_and_no_rate_state(run: Run) -> None:
    (index,) = run.one("Table", "ActiveConnections").inputs["globalSecondaryIndexes"]
    assert (index["projectionType"], index["nonKeyAttributes"]) == ("INCLUDE", ["name", "expiresAt"])


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_on_demand_and_forgets_what_has_expired(run: Run, name: str) -> None:
    given = run.one("Table", name).inputs
    assert given["billingMode"] == "PAY_PER_REQUEST"
    assert not {"readCapacity", "writeCapacity"} & given.keys()
    assert given["ttl"] == {"attributeName": "expiresAt", "enabled": True}


@pytest.mark.parametrize(("route", "made_of"), ROUTES.items())
def test_a_route_runs_its_function_and_may_invoke_it(run: Run, route: str, made_of: tuple[str, str]) -> None:
    function = run.one("Function", made_of[0])
    aws_route = next(one for one in run.all("Route") if one.inputs["routeKey"] == route)
    integration = next(one for one in run.all("Integration") if one.urn in aws_route.dependencies)
    permission = next(one for one in run.all("Permission") if one.inputs["sourceArn"].endswith(f"/{route}"))
    api = run.one("Api")
    assert aws_route.inputs["target"] == f"integrations/{integration.name}-id"
    assert aws_route.inputs["authorizationType"] == "NONE"
    assert integration.inputs == {
        "apiId": f"{api.name}-id",
        "integrationType": "AWS_PROXY",
        "integrationMethod": "POST",
        "integrationUri": function.state["invokeArn"],
    }
    assert permission.inputs == {
        "function": made_of[0],
        "action": "lambda:InvokeFunction",
        "principal": "apigateway.amazonaws.com",
        "sourceArn": f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{api.name}-id/production/{route}",
    }


def test_there_are_no_other_routes_and_functions(run: Run) -> None:
    assert {one.inputs["routeKey"] for one in run.all("Route")} == set(ROUTES)
    assert {one.inputs["name"] for one in run.all("Function")} == {name for name, _ in ROUTES.values()}


def test_the_api_chooses_the_route_by_the_action(run: Run) -> None:
    assert run.one("Api").inputs == {
        "name": "ChatAppWebSocket",
        "protocolType": "WEBSOCKET",
        "routeSelectionExpression": "$request.body.action",
    }


@pytest.mark.parametrize(("function", "module"), ROUTES.values())
def test_a_function_has_the_specified_form_and_environment(run: Run, function: str, module: str) -> None:
    made = run.one("Function", function)
    assert made.inputs["handler"] == f"{module}.lambda_handler"
    assert made.inputs["runtime"] == "python3.13"
    assert made.inputs["architectures"] == ["arm64"]
    assert made.inputs["timeout"] == 30
    assert made.inputs["loggingConfig"] == {"logFormat": "JSON", "logGroup": f"/aws/lambda/{function}"}
    assert made.inputs["environment"]["variables"] == {
        "TABLE_NAME": "ActiveConnections",
        "HISTORY_TABLE_NAME": "MessageHistory",
        "ROOMS_TABLE_NAME": "ChatRooms",
        "CALLBACK_URL": CALLBACK,
        "ALLOWED_ORIGINS": SITE,
        "MESSAGE_BURST": "10",
        "MESSAGES_PER_SECOND": "2",
        "MESSAGE_RETENTION_DAYS": "30",
        "POSTS_PER_SECOND": "8000",
    }


@pytest.mark.parametrize("function", [name for name, _ in ROUTES.values()])
def test_a_function_has_a_role_and_a_log_group_of_its_own_before_it_runs(run: Run, function: str) -> None:
    made = run.one("Function", function)
    log, role = run.one("LogGroup", f"/aws/lambda/{function}"), run.one("Role", f"{function}Role")
    policy = next(one for one in run.all("RolePolicy") if one.inputs["role"] == f"{function}Role")
    assert log.inputs["retentionInDays"] == 7
    assert trust(role) == "lambda.amazonaws.com"
    assert made.inputs["role"] == role.state["arn"]
    assert {log.urn, role.urn, policy.urn} <= run.waits_for(made)
    assert statements(policy)["WriteLog"] == {
        "Sid": "WriteLog",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{log.state['arn']}:*",
    }
    assert {one.parent for one in (made, log, role, policy)} == {made.parent}


def test_what_a_stack_sets_reaches_the_functions() -> None:
    run = program(
        allowed_origins='["https://page.example", "http://localhost:3000"]',
        message_burst="20",
        messages_per_second="5",
        message_retention_days="0",
        posts_per_second="900",
        log_retention_days="14",
        throttle_rate_limit="50",
        throttle_burst_limit="60",
        monitoring="true",
    )
    given = run.one("Function", "ChatAppSendMessage").inputs["environment"]["variables"]
    assert given["ALLOWED_ORIGINS"] == f"{SITE},https://page.example,http://localhost:3000"
    assert (given["MESSAGE_BURST"], given["MESSAGES_PER_SECOND"]) == ("20", "5")
    assert (given["MESSAGE_RETENTION_DAYS"], given["POSTS_PER_SECOND"]) == ("0", "900")
    assert given["METRICS_NAMESPACE"] == "ChatApp"
    assert {one.inputs["retentionInDays"] for one in run.all("LogGroup")} == {14}
    assert run.one("Stage").inputs["defaultRouteSettings"] == {"throttlingRateLimit": 50, "throttlingBurstLimit": 60}


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_resource_belongs_to_the_component_that_its_name_begins_with(variant: str) -> None:
    run = program(**VARIANTS[variant])
    components = {one.urn: one for one in run.resources if not one.custom}
    for one in run.resources:
        if one.custom:
            assert one.name.startswith(f"{components[one.parent].name}-"), one
    tops = {one.name for one in components.values() if one.parent not in components}
    expected = {"chat-tables", "static-site", "websocket-api"}
    assert tops == expected | ({"cost-guards", "monitoring"} if variant != "plain" else set())
    functions = [one for one in components.values() if one.kind == "LambdaFunction"]
    assert {components[one.parent].name for one in functions} == {"websocket-api"}
    assert len(functions) == len(ROUTES)


def test_the_main_program_makes_no_resource_itself(run: Run) -> None:
    stack = "urn:pulumi:dev::serverless-chat::pulumi:pulumi:Stack::serverless-chat-dev"
    assert [one for one in run.resources if one.custom and one.parent == stack] == []


# Names


def named_by(run: Run) -> set[str]:
    """What the program itself calls things in the account; the provider adds what makes other names unique."""
    given = ("name", "dashboardName", "bucketPrefix")
    kinds = ("RouteResponse", "Record", "Stage")
    return {
        str(one.inputs[key]) for one in run.resources for key in given if key in one.inputs and one.kind not in kinds
    }


def test_the_stack_dev_bears_the_specified_names_exactly(run: Run) -> None:
    functions = {name for name, _ in ROUTES.values()}
    assert named_by(run) == {
        *TABLES,
        *functions,
        *(f"{name}Role" for name in functions),
        *(f"/aws/lambda/{name}" for name in functions),
        "ChatAppWebSocket",
        "chatapp-site-dev-",
    }


def test_any_other_stack_bears_its_name_so_that_several_live_in_one_account() -> None:
    first, other = (named_by(program(stack, **VARIANTS["everything"])) for stack in ("dev", "team-b"))
    assert len(first) == len(other)
    assert not first & other
    assert all(re.search(r"-team-b(-|/|$)", name) for name in other), other


@pytest.mark.parametrize("stacks", [("a" * 100, "a" * 99 + "b"), ("a.b", "a-b"), ("Team", "team")])
def test_stacks_with_long_or_like_names_share_no_name(stacks: tuple[str, str]) -> None:
    one, other = (named_by(program(stack)) for stack in stacks)
    # a bucket's prefix may be alike: the provider makes the name unique
    assert all(name.startswith("chatapp-site-") for name in one & other)
