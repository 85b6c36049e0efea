"""The local deployer: AWS's models accept each of its requests, and unsupported inputs are errors."""

import base64
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest

from local.deployer import Deployer
from local.emulator import ACCOUNT, Credentials
from local.errors import DeployError
from local.program import PROGRAM
from local.resources import LEFT_OUT, LEFT_OUT_TYPES, RESOURCES, Aws, open_session
from tests.stack.aws_models import problems
from tests.stack.program import VARIANTS, WITH_EVERYTHING, api_functions, program

pytestmark = pytest.mark.slow

LONG_STACK = "a-stack.with_a-name-as-long-as-pulumi-allows-" + "x" * 55
LOCAL = {"endpoint_url": "http://127.0.0.1:1", "local_site_url": "http://localhost:8000"}
RUNS: dict[str, tuple[dict[str, str], str]] = {
    "plain": ({}, "dev"),
    "local": (LOCAL, "local"),
    "everything": (WITH_EVERYTHING, LONG_STACK),
}
ONLY_ON_AWS = {
    "aws:apigatewayv2/domainName:DomainName",
    "aws:apigatewayv2/apiMapping:ApiMapping",
    "aws:route53/record:Record",
}
"""Resource types of custom domains, which a local run cannot serve."""


def answer(operation: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of AWS's response that the deployer reads."""
    fresh = uuid.uuid4().hex[:10]
    function_arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{given.get('FunctionName')}"
    answers: dict[str, dict[str, Any]] = {
        "CreateTable": {
            "TableDescription": {"TableArn": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{given.get('TableName')}"},
        },
        "CreateRole": {"Role": {"Arn": f"arn:aws:iam::{ACCOUNT}:role/{given.get('RoleName')}"}},
        "CreateFunction": {"FunctionArn": function_arn},
        "UpdateFunctionConfiguration": {"FunctionArn": function_arn},
        "CreateApi": {"ApiId": fresh, "ApiEndpoint": f"wss://{fresh}.execute-api.us-east-1.amazonaws.com"},
        "CreateIntegration": {"IntegrationId": fresh},
        "CreateRoute": {"RouteId": fresh},
        "CreateRouteResponse": {"RouteResponseId": fresh},
        "CreateOriginAccessControl": {"OriginAccessControl": {"Id": fresh.upper()}},
        "CreateResponseHeadersPolicy": {"ResponseHeadersPolicy": {"Id": str(uuid.uuid4())}},
        "CreateDistribution": {
            "Distribution": {
                "Id": fresh.upper(),
                "ARN": f"arn:aws:cloudfront::{ACCOUNT}:distribution/{fresh.upper()}",
                "DomainName": f"{fresh}.cloudfront.net",
            },
        },
        "CreateUserPool": {
            "UserPool": {
                "Id": f"us-east-1_{fresh}",
                "Arn": f"arn:aws:cognito-idp:us-east-1:{ACCOUNT}:userpool/us-east-1_{fresh}",
            },
        },
        "CreateUserPoolClient": {"UserPoolClient": {"ClientId": fresh}},
        "CreateTopic": {"TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:{given.get('Name')}"},
        "Subscribe": {"SubscriptionArn": f"{given.get('TopicArn')}:{uuid.uuid4()}"},
    }
    return answers.get(operation, {})


class Rehearsal:
    """A deployer whose clients build and check each request without sending it; one operation may be rejected."""

    def __init__(self, config: dict[str, str] | None = None, stack: str = "dev", program: Path = PROGRAM) -> None:
        self.refused = ""
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.problems: list[str] = []
        session = open_session(Credentials())
        events: Any = session.events
        events.register("before-parameter-build", self._check)
        events.register("before-call", self._answer)
        self.deployer = Deployer(Aws("http://127.0.0.1:1", session), config or {}, stack, program)

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.sent]

    def _check(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.sent.append((model.name, dict(params)))
        self.problems += problems(model, params)

    def _answer(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        name, given = self.sent[-1]
        assert name == model.name
        if name == self.refused:
            error = {"Code": "AccessDenied", "Message": "not you"}
            return SimpleNamespace(status_code=403), {"Error": error, "ResponseMetadata": {}}
        return SimpleNamespace(status_code=200), answer(name, given)


@pytest.fixture(scope="module", params=RUNS)
def rehearsed(request: pytest.FixtureRequest) -> tuple[Rehearsal, dict[str, Any]]:
    config, stack = RUNS[request.param]
    rehearsal = Rehearsal(config, stack)
    return rehearsal, rehearsal.deployer.run()


def test_aws_would_accept_each_request(rehearsed: tuple[Rehearsal, dict[str, Any]]) -> None:
    rehearsal, _ = rehearsed
    assert rehearsal.problems == []
    assert len(rehearsal.sent) >= len(rehearsal.deployer.deployed)


def test_the_outputs_are_complete(rehearsed: tuple[Rehearsal, dict[str, Any]]) -> None:
    _, outputs = rehearsed
    assert all(outputs.values())
    assert all(arn.startswith("arn:aws:") for arn in outputs["resources"].values())


def test_a_second_run_sends_nothing(rehearsed: tuple[Rehearsal, dict[str, Any]]) -> None:
    rehearsal, outputs = rehearsed
    before = len(rehearsal.sent)
    assert rehearsal.deployer.run() == outputs
    assert rehearsal.deployer.changes == []
    assert len(rehearsal.sent) == before


def test_a_changed_environment_updates_each_function_and_nothing_else() -> None:
    rehearsal = Rehearsal()
    rehearsal.deployer.run()
    rehearsal.sent.clear()
    rehearsal.deployer.config["messages_per_second"] = "7"
    rehearsal.deployer.run()
    assert rehearsal.problems == []
    assert set(rehearsal.operations()) == {"UpdateFunctionConfiguration", "UpdateFunctionCode"}
    environments = [given["Environment"]["Variables"] for _, given in rehearsal.sent if "Environment" in given]
    assert {one["MESSAGES_PER_SECOND"] for one in environments} == {"7"}
    assert len(environments) == len(rehearsal.deployer.changes) == len(api_functions(program()))


def test_held_functions_are_not_updated() -> None:
    rehearsal = Rehearsal()
    rehearsal.deployer.run()
    rehearsal.deployer.config["messages_per_second"] = "7"
    rehearsal.deployer.run(hold="aws:lambda/function:Function")
    assert rehearsal.deployer.changes == []


MODELS = botocore.session.get_session()


def policy(**statement: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    ("service", "operation", "given", "said"),
    [
        ("iam", "CreateRole", {"RoleName": "a b"}, "RoleName is 'a b'"),
        ("iam", "CreateRole", {"RoleName": "r" * 65}, "length is 65"),
        ("iam", "CreateRole", {"RoleName": "r"}, "AssumeRolePolicyDocument is missing"),
        ("lambda", "GetFunction", {"FunctionName": "f", "Colour": "red"}, "Colour is unknown"),
        ("lambda", "CreateFunction", {"FunctionName": "f" * 65}, "FunctionName is"),
        ("lambda", "CreateFunction", {"Runtime": "python3.99"}, "none of"),
        ("lambda", "CreateFunction", {"MemorySize": 64}, "MemorySize is 64"),
        ("lambda", "CreateFunction", {"Timeout": 3.5}, "not of type integer"),
        ("lambda", "CreateFunction", {"Environment": {"Variables": {"A1": "x" * 5000}}}, "longer than 4096"),
        ("lambda", "CreateFunction", {"Architectures": ["arm64", "x86_64"]}, "length is 2"),
        ("s3", "CreateBucket", {"Bucket": "Upper"}, "Bucket is 'Upper'"),
        ("apigatewayv2", "CreateRoute", {"ApiId": "a", "RouteKey": "two words"}, "RouteKey is"),
        ("iam", "PutRolePolicy", {"PolicyDocument": '{"Version": "2012-10-17", "Statement": []}'}, "lacks"),
        ("iam", "PutRolePolicy", {"PolicyDocument": policy(Sid="a-b", Action="s3:GetObject")}, "Sid 'a-b'"),
        ("iam", "PutRolePolicy", {"PolicyDocument": policy(Action="GetObject")}, "action 'GetObject'"),
        ("iam", "PutRolePolicy", {"PolicyDocument": policy(Action="s3:*", Resource="x")}, "resource 'x'"),
    ],
)
def test_the_rehearsal_detects_requests_that_aws_would_refuse(
    service: str, operation: str, given: dict[str, Any], said: str
) -> None:
    found = problems(MODELS.get_service_model(service).operation_model(operation), given)
    assert any(said in one for one in found), found


def test_aws_would_accept_custom_domains_too() -> None:
    """The deployer does not support them; their inputs are requests except for capitalization."""
    plan = program(LONG_STACK, **VARIANTS["domains"])
    domain = plan.one("aws:apigatewayv2/domainName:DomainName").inputs
    configurations = [capitalized(domain["domainNameConfiguration"])]
    created = {"DomainName": domain["domainName"], "DomainNameConfigurations": configurations}
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("apigatewayv2", "CreateDomainName", created),
        ("apigatewayv2", "CreateApiMapping", capitalized(plan.one("ApiMapping").inputs)),
    ]
    for record in plan.all("Record"):
        (alias,) = record.inputs["aliases"]
        target = {
            "DNSName": alias["name"],
            "HostedZoneId": alias["zoneId"],
            "EvaluateTargetHealth": alias["evaluateTargetHealth"],
        }
        change = {"Name": record.inputs["name"], "Type": record.inputs["type"], "AliasTarget": target}
        batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": change}]}
        given = {"HostedZoneId": record.inputs["zoneId"], "ChangeBatch": batch}
        requests.append(("route53", "ChangeResourceRecordSets", given))
    assert len(requests) == 5
    for service, operation, given in requests:
        assert problems(MODELS.get_service_model(service).operation_model(operation), given) == []


def test_aws_would_accept_the_look_of_the_login_pages() -> None:
    """The deployer leaves it out, and the emulator has no such call."""
    given = program(**WITH_EVERYTHING).one("ManagedLoginBranding").inputs
    request = {
        "UserPoolId": "us-east-1_a1b2c3",
        "ClientId": "client",
        "Settings": json.loads(given["settings"]),
        "Assets": [{**capitalized(one), "Bytes": base64.b64decode(one["bytes"])} for one in given["assets"]],
    }
    operation = MODELS.get_service_model("cognito-idp").operation_model("CreateManagedLoginBranding")
    assert problems(operation, {**request, "Settings": {}}) == []
    assert given["userPoolId"] == "sign-in-pool-id"
    assert len(json.dumps(request["Settings"])) + sum(len(one["Bytes"]) for one in request["Assets"]) < 2_000_000


def capitalized(given: dict[str, Any]) -> dict[str, Any]:
    return {name[0].upper() + name[1:]: value for name, value in given.items()}


# What the deployer does not support


def test_the_deployer_supports_exactly_the_types_in_use_except_domains() -> None:
    used = {one.type for variant in VARIANTS.values() for one in program(**variant).resources if one.custom}
    assert used - set(RESOURCES) == ONLY_ON_AWS | set(LEFT_OUT_TYPES)
    assert set(RESOURCES) - used == set()


def test_each_ignored_property_is_in_use_and_has_a_reason() -> None:
    used = {
        (one.type, name) for config in VARIANTS.values() for one in program(**config).resources for name in one.inputs
    }
    assert set(LEFT_OUT) <= used
    assert all(len(reason) > 20 for reason in (*LEFT_OUT.values(), *LEFT_OUT_TYPES.values()))


Writes = Callable[[str], None]


@pytest.fixture
def small(tmp_path: Path) -> tuple[Rehearsal, Writes]:
    """A small program that may be rewritten between runs."""
    path = tmp_path / "__main__.py"
    (tmp_path / "given.py").write_text("NAME = 'topic'\n", encoding="utf-8")

    def write(code: str) -> None:
        path.write_text(f"import pulumi, pulumi_aws as aws\nimport given\n{code}\n", encoding="utf-8")

    write("")
    return Rehearsal(program=path), write


TOPIC = "aws.sns.Topic('topic', name=given.NAME)"
ROLE = "aws.iam.Role('role', name='r', assume_role_policy='{\"Version\": \"2012-10-17\", \"Statement\": []}')"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("aws.sqs.Queue('queue')", "does not support the resource type aws:sqs/queue:Queue"),
        (
            "aws.sns.Topic('topic', display_name='T')",
            "does not support the property displayName of aws:sns/topic:Topic",
        ),
        ("aws.get_arn(arn='a')", "does not support the function aws:index/getArn:getArn"),
    ],
)
def test_an_unsupported_type_or_property_is_an_error(small: tuple[Rehearsal, Writes], code: str, sentence: str) -> None:
    rehearsal, write = small
    write(code)
    with pytest.raises(DeployError, match=sentence):
        rehearsal.deployer.run()
    assert rehearsal.sent == []


def test_each_run_reloads_the_programs_modules(small: tuple[Rehearsal, Writes], tmp_path: Path) -> None:
    """Like functions/chat/routes.py: a saved route is live."""
    rehearsal, write = small
    write("pulumi.export('name', given.NAME)")
    assert rehearsal.deployer.run() == {"name": "topic"}
    (tmp_path / "given.py").write_text("NAME = 'another'\n", encoding="utf-8")
    assert rehearsal.deployer.run() == {"name": "another"}


def test_changes_that_cannot_be_applied_require_a_restart(small: tuple[Rehearsal, Writes], tmp_path: Path) -> None:
    rehearsal, write = small
    write(TOPIC)
    rehearsal.deployer.run()
    (tmp_path / "given.py").write_text("NAME = 'another'\n", encoding="utf-8")
    with pytest.raises(DeployError, match="^topic cannot be updated in place; restart the local run"):
        rehearsal.deployer.run()
    write("")
    with pytest.raises(DeployError, match="^topic was removed; restart the local run to apply the change.$"):
        rehearsal.deployer.run()
    (tmp_path / "given.py").write_text("NAME = 'topic'\n", encoding="utf-8")
    write(TOPIC)
    rehearsal.deployer.run()
    assert rehearsal.deployer.changes == []


def test_removed_resources_are_deleted_before_their_dependencies(small: tuple[Rehearsal, Writes]) -> None:
    rehearsal, write = small
    write(f"role = {ROLE}\naws.iam.RolePolicy('policy', role=role.name, policy='{{}}')")
    rehearsal.deployer.run()
    rehearsal.sent.clear()
    write("")
    rehearsal.deployer.run()
    assert rehearsal.operations() == ["DeleteRolePolicy", "DeleteRole"]
    assert rehearsal.deployer.changes == ["policy deleted", "role deleted"]


@pytest.mark.parametrize(
    ("operation", "name"),
    [("CreateApi", "websocket-api-api"), ("CreateTopic", "(stage-breaker-[a-z-]+|monitoring-alarms)")],
    ids=["api", "any of the topics"],
)
def test_an_error_of_aws_is_reported_and_the_next_run_continues(operation: str, name: str) -> None:
    """Like saving a file that cannot be deployed, and then fixing it."""
    rehearsal = Rehearsal({"monitoring": "true", "alert_email": "you@example.org"})
    rehearsal.refused = operation
    with pytest.raises(DeployError, match=f"^{name} could not be deployed: .*AccessDenied.* not you$"):
        rehearsal.deployer.run()
    rehearsal.refused = ""
    assert rehearsal.deployer.run()["api_id"]
    assert rehearsal.problems == []


def test_an_invalid_config_is_reported_in_its_own_sentence() -> None:
    rehearsal = Rehearsal({"capacity": "much"})
    with pytest.raises(DeployError, match=r"^Config capacity must be on_demand or provisioned, not 'much'\.$"):
        rehearsal.deployer.run()
    assert rehearsal.sent == []
