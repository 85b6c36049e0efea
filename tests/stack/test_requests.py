"""The local deployer's requests, rehearsed: each is one that AWS's own models accept. Nothing listens here."""

import json
import uuid
from types import SimpleNamespace
from typing import Any

import botocore.session
import pulumi_aws as aws
import pytest

from local import deployer
from local.deployer import Deployer, DeployFailed
from local.resources import ACCOUNT, LEFT_OUT, RESOURCES, Aws
from tests.stack.aws_models import problems
from tests.stack.program import VARIANTS, WITH_EVERYTHING, program

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
"""What domains of one's own are made of: there is nothing on this machine that could answer to them."""


def answer(operation: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return what the deployer reads of AWS's answer, in AWS's form."""
    fresh = uuid.uuid4().hex[:10]
    answers: dict[str, dict[str, Any]] = {
        "CreateTable": {
            "TableDescription": {"TableArn": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{given.get('TableName')}"},
        },
        "CreateRole": {"Role": {"Arn": f"arn:aws:iam::{ACCOUNT}:role/{given.get('RoleName')}"}},
        "CreateFunction": {"FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{given.get('FunctionName')}"},
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
        "CreateTopic": {"TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:{given.get('Name')}"},
        "Subscribe": {"SubscriptionArn": f"{given.get('TopicArn')}:{uuid.uuid4()}"},
    }
    return answers.get(operation, {})


class RehearsedAws(Aws):
    """Clients that build and check each request as always, and then send none; one operation may be refused."""

    def __init__(self, refused: str = "") -> None:
        super().__init__("http://127.0.0.1:1")
        self.refused = refused
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.problems: list[str] = []

    def client(self, service: str) -> Any:
        fresh = service not in self._clients
        client = super().client(service)
        if fresh:
            client.meta.events.register("before-parameter-build", self._check)
            client.meta.events.register("before-call", self._answer)
        return client

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
def rehearsal(request: pytest.FixtureRequest) -> tuple[RehearsedAws, Deployer, dict[str, Any]]:
    config, stack = RUNS[request.param]
    rehearsed = RehearsedAws()
    put = Deployer(rehearsed, config, stack)
    return rehearsed, put, put.run()


def test_aws_would_accept_each_request(rehearsal: tuple[RehearsedAws, Deployer, dict[str, Any]]) -> None:
    rehearsed, put, _ = rehearsal
    assert rehearsed.problems == []
    assert len(rehearsed.sent) >= len(put.made)


def test_the_outputs_are_whole_here_too(rehearsal: tuple[RehearsedAws, Deployer, dict[str, Any]]) -> None:
    outputs = rehearsal[2]
    assert all(outputs.values())
    assert all(arn.startswith("arn:aws:") for arn in outputs["resources"].values())


def test_a_second_run_asks_for_nothing(rehearsal: tuple[RehearsedAws, Deployer, dict[str, Any]]) -> None:
    rehearsed, put, outputs = rehearsal
    before = len(rehearsed.sent)
    assert put.run() == outputs
    assert put.changes == []
    assert len(rehearsed.sent) == before


def test_what_changes_of_a_function_besides_its_code_is_changed_too() -> None:
    rehearsed = RehearsedAws()
    config, stack = RUNS["plain"]
    put = Deployer(rehearsed, config, stack)
    put.run()
    put._config = {**config, "messages_per_second": "7"}
    rehearsed.sent.clear()
    put.run()
    assert rehearsed.problems == []
    changed = [given for operation, given in rehearsed.sent if operation == "UpdateFunctionConfiguration"]
    assert {given["Environment"]["Variables"]["MESSAGES_PER_SECOND"] for given in changed} == {"7"}
    assert len(changed) == len(put.changes) == 8


MODELS = botocore.session.get_session()


def policy(**statement: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    ("service", "operation", "given", "said"),
    [
        ("iam", "CreateRole", {"RoleName": "a b", "AssumeRolePolicyDocument": "{}"}, "RoleName is 'a b'"),
        ("iam", "CreateRole", {"RoleName": "r" * 65, "AssumeRolePolicyDocument": "{}"}, "length is 65"),
        ("iam", "CreateRole", {"RoleName": "r"}, "AssumeRolePolicyDocument is missing"),
        ("lambda", "GetFunction", {"FunctionName": "f", "Colour": "red"}, "Colour is unknown"),
        ("lambda", "CreateFunction", {"FunctionName": "f" * 65}, "FunctionName is"),
        ("lambda", "CreateFunction", {"Runtime": "python3.99"}, "none of"),
        ("lambda", "CreateFunction", {"MemorySize": 64}, "MemorySize is 64"),
        ("lambda", "CreateFunction", {"Timeout": 3.5}, "no integer"),
        ("lambda", "CreateFunction", {"Environment": {"Variables": {"A1": "x" * 5000}}}, "longer than 4096"),
        ("lambda", "CreateFunction", {"Architectures": ["arm64", "x86_64"]}, "length is 2"),
        ("s3", "CreateBucket", {"Bucket": "Upper"}, "Bucket is 'Upper'"),
        ("apigatewayv2", "CreateRoute", {"ApiId": "a", "RouteKey": "two words"}, "RouteKey is"),
        (
            "iam",
            "PutRolePolicy",
            {"PolicyDocument": '{"Version": "2012-10-17", "Statement": []}'},
            "without version or",
        ),
        ("iam", "PutRolePolicy", {"PolicyDocument": policy(Sid="a-b", Action="s3:GetObject")}, "a Sid such as 'a-b'"),
        ("iam", "PutRolePolicy", {"PolicyDocument": policy(Action="GetObject")}, "an action such as 'GetObject'"),
        ("iam", "PutRolePolicy", {"PolicyDocument": policy(Action="s3:*", Resource="x")}, "a resource such as 'x'"),
    ],
)
def test_the_rehearsal_sees_what_aws_would_refuse(
    service: str, operation: str, given: dict[str, Any], said: str
) -> None:
    if operation == "CreateRole" and "AssumeRolePolicyDocument" in given:
        given = {**given, "AssumeRolePolicyDocument": policy(Action="sts:AssumeRole")}
    found = problems(MODELS.get_service_model(service).operation_model(operation), given)
    assert any(said in one for one in found), found


def test_what_domains_are_made_of_is_accepted_as_well() -> None:
    """The deployer does not know them; their inputs become requests by their capitals alone."""
    run = program(LONG_STACK, **VARIANTS["domains"])
    domain = run.one("aws:apigatewayv2/domainName:DomainName").inputs
    requests: list[tuple[str, str, dict[str, Any]]] = [
        (
            "apigatewayv2",
            "CreateDomainName",
            {
                "DomainName": domain["domainName"],
                "DomainNameConfigurations": [capitalised(domain["domainNameConfiguration"])],
            },
        ),
        ("apigatewayv2", "CreateApiMapping", capitalised(run.one("ApiMapping").inputs)),
    ]
    for record in run.all("Record"):
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


def capitalised(given: dict[str, Any]) -> dict[str, Any]:
    return {name[0].upper() + name[1:]: value for name, value in given.items()}


# What the deployer does not know


def test_the_deployer_knows_each_type_but_those_of_domains() -> None:
    used = {one.type for variant in VARIANTS.values() for one in program(**variant).resources if one.custom}
    assert used - set(RESOURCES) == ONLY_ON_AWS
    assert set(RESOURCES) - used == set(), "known, and never registered"


def test_what_is_left_out_has_a_reason_and_is_in_use() -> None:
    used = {
        (one.type, name) for config in VARIANTS.values() for one in program(**config).resources for name in one.inputs
    }
    assert set(LEFT_OUT) <= used
    assert all(len(reason) > 20 for reason in LEFT_OUT.values())


def made_by(monkeypatch: pytest.MonkeyPatch, execute: Any) -> None:
    monkeypatch.setattr(deployer, "_execute", lambda _program: execute())
    Deployer(RehearsedAws(), {}, "local").run()


def test_a_type_that_the_deployer_does_not_know_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeployFailed, match="does not know the resource type aws:sqs/queue:Queue"):
        made_by(monkeypatch, lambda: aws.sqs.Queue("queue"))


def test_a_property_that_the_deployer_does_not_know_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeployFailed, match="does not know the property 'displayName' of aws:sns/topic:Topic"):
        made_by(monkeypatch, lambda: aws.sns.Topic("topic", name="topic", display_name="Topic"))


@pytest.mark.parametrize(
    ("operation", "name"), [("CreateApi", "websocket-api-api"), ("CreateTopic", "monitoring-alarms")]
)
def test_what_aws_refuses_is_said_in_its_words_and_the_next_run_goes_on(operation: str, name: str) -> None:
    """As when a file is saved that cannot be deployed, and then put right."""
    rehearsed = RehearsedAws(operation)
    put = Deployer(rehearsed, {"monitoring": "true", "alert_email": "you@example.org"}, "local")
    with pytest.raises(DeployFailed, match=f"^{name} was not made: .*AccessDenied.* not you$"):
        put.run()
    rehearsed.refused = ""
    assert put.run()["api_id"]
    assert rehearsed.problems == []


def test_a_refused_config_is_said_in_its_own_sentence() -> None:
    rehearsed = RehearsedAws()
    with pytest.raises(DeployFailed, match="^Config capacity must be on_demand or provisioned, not 'much'.$"):
        Deployer(rehearsed, {"capacity": "much"}, "local").run()
    assert rehearsed.sent == []
