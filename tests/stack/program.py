"""The very program, run in this process under Pulumi's mocks: what it registers is kept, and nothing is made.

Pulumi's mocks see inputs alone; this monitor keeps the parents, the dependencies, `protect` and `retain_on_delete` too.
"""

import asyncio
import json
import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pulumi
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime import rpc, settings
from pulumi.runtime.config import CONFIG
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.stack import run_in_stack

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "__main__.py"
ACCOUNT = "123456789012"
DEADLINE_SECONDS = 60
PARTITIONS = {"us-gov-": ("aws-us-gov", "amazonaws.com"), "cn-": ("aws-cn", "amazonaws.com.cn")}
NO_REGION = {"aws:iam", "aws:cloudfront", "aws:budgets", "aws:s3", "aws:route53"}


WITH_EVERYTHING = {
    "access_logs": "true",
    "alert_email": "you@example.org",
    "capacity": "provisioned",
    "monitoring": "true",
    "protect_messages": "true",
    "site_delivery": "cdn",
}
WITH_DOMAINS = {
    **WITH_EVERYTHING,
    "page_domain": "chat.example.org",
    "page_certificate_arn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/0a1b2c3d",
    "socket_domain": "ws.example.org",
    "socket_certificate_arn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/4e5f6a7b",
    "zone_id": "Z0123456789",
}
VARIANTS: dict[str, dict[str, str]] = {"plain": {}, "everything": WITH_EVERYTHING, "domains": WITH_DOMAINS}
"""Configs that together reach every line of the program; only `make local` sets the others."""


@dataclass(frozen=True)
class Registered:
    """A resource as the program registered it."""

    type: str
    name: str
    urn: str
    parent: str
    """The parent's URN."""
    inputs: dict[str, Any]
    state: dict[str, Any]
    dependencies: frozenset[str]
    """URNs: those of `depends_on`, and of whatever its inputs come from."""
    protect: bool
    retain_on_delete: bool
    custom: bool

    @property
    def kind(self) -> str:
        return self.type.rpartition(":")[2]

    def json(self, name: str) -> Any:
        return json.loads(self.inputs[name])


@dataclass
class Run:
    """What a run of the program registered, in its order."""

    resources: list[Registered] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def all(self, kind: str) -> list[Registered]:
        """Every resource of a kind, such as `Table`, or of a whole type."""
        return [one for one in self.resources if kind in (one.kind, one.type)]

    def one(self, kind: str, name: str | None = None) -> Registered:
        """The resource of a kind with a physical or logical name."""
        found = [
            one
            for one in self.all(kind)
            if name is None or name in (one.name, one.inputs.get("name"), one.inputs.get("key"))
        ]
        assert len(found) == 1, f"{len(found)} of {kind} {name or ''}: {[one.name for one in self.all(kind)]}"
        return found[0]

    def by_urn(self, urn: str) -> Registered:
        return next(one for one in self.resources if one.urn == urn)

    def waits_for(self, one: Registered) -> set[str]:
        """The URNs of all that must be made before a resource, whether directly or by way of others."""
        seen: set[str] = set()
        ahead = [*one.dependencies]
        while ahead:
            urn = ahead.pop()
            if urn not in seen:
                seen.add(urn)
                ahead += self.by_urn(urn).dependencies
        return seen


class FakeCloud(Mocks):
    """Answers as AWS's provider does: the attributes that only AWS knows, in a region and its partition."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.partition, self.suffix = next(
            (known for prefix, known in PARTITIONS.items() if region.startswith(prefix)), ("aws", "amazonaws.com")
        )

    def call(self, args: MockCallArgs) -> dict[str, Any]:  # type: ignore[override] - failures may be left out
        answers = {
            "aws:index/getRegion:getRegion": {"region": self.region, "name": self.region, "id": self.region},
            "aws:index/getPartition:getPartition": {"partition": self.partition, "dnsSuffix": self.suffix},
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
        }
        return answers[args.token]

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if not args.custom:
            return "", dict(args.inputs)
        given = args.inputs
        kind = args.typ.rpartition(":")[2]
        module = args.typ.partition("/")[0]
        name = str(given.get("name") or given.get("dashboardName") or f"{args.name}-0a1b2c3")
        region = "" if module in NO_REGION else self.region
        arn = f"arn:{self.partition}:{module[4:]}:{region}:{ACCOUNT}:{kind.lower()}/{name}"
        state = {"name": name, "arn": arn, **given}
        return f"{args.name}-id", {**state, **self._attributes(kind, args.name, name, arn, given)}

    def _attributes(self, kind: str, logical: str, name: str, arn: str, given: dict[str, Any]) -> dict[str, Any]:
        bucket = f"{given.get('bucketPrefix', '')}0123456789"
        # S3's website hosts come in two forms (AWS General Reference, S3 website endpoints)
        dash = "-" if self.region in ("us-east-1", "us-west-2", "eu-west-1", "us-gov-west-1") else "."
        return {
            "LogGroup": {"arn": f"arn:{self.partition}:logs:{self.region}:{ACCOUNT}:log-group:{name}"},
            "Function": {"invokeArn": f"arn:{self.partition}:apigateway:{self.region}:lambda:path/{arn}/invocations"},
            "Api": {
                "executionArn": f"arn:{self.partition}:execute-api:{self.region}:{ACCOUNT}:{logical}-id",
                "apiEndpoint": f"wss://{logical}-id.execute-api.{self.region}.{self.suffix}",
            },
            "Bucket": {
                "bucket": bucket,
                "arn": f"arn:{self.partition}:s3:::{bucket}",
                "bucketRegionalDomainName": f"{bucket}.s3.{self.region}.{self.suffix}",
            },
            "BucketWebsiteConfiguration": {
                "websiteEndpoint": f"{given.get('bucket')}.s3-website{dash}{self.region}.{self.suffix}",
            },
            "Distribution": {"domainName": "d111111abcdef8.cloudfront.net", "hostedZoneId": "Z2FDTNDATAQYW2"},
            "Dashboard": {"dashboardArn": f"arn:{self.partition}:cloudwatch::{ACCOUNT}:dashboard/{name}"},
            "DomainName": {
                "domainNameConfiguration": {
                    **given.get("domainNameConfiguration", {}),
                    "targetDomainName": f"d-abc.execute-api.{self.region}.{self.suffix}",
                    "hostedZoneId": "Z1UJRXOUMOOFQ8",
                },
            },
        }.get(kind, {})


class _Monitor(MockMonitor):
    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.run = Run()

    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.run.resources.append(
                Registered(
                    type=request.type,
                    name=request.name,
                    urn=answer.urn,
                    parent=request.parent,
                    inputs=_whole(rpc.deserialize_properties(request.object)),
                    state=self.resources[answer.urn].state,
                    dependencies=frozenset(request.dependencies),
                    protect=request.protect,
                    retain_on_delete=request.retainOnDelete,
                    custom=request.custom,
                ),
            )
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if "pulumi:pulumi:Stack" in request.urn:
            self.run.outputs = _whole(rpc.deserialize_properties(request.outputs))
        return empty_pb2.Empty()


def _whole(value: Any) -> Any:
    """Return whole numbers as such: on Pulumi's wire every number is a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    return [_whole(inner) for inner in value] if isinstance(value, list) else value


def run_under_mocks(  # noqa: PLR0913 - what a run is made of
    execute: Callable[[], Any],
    *,
    config: Mapping[str, str] | None = None,
    stack: str = "dev",
    mocks: Mocks | None = None,
    into: Run | None = None,
    more: Mapping[str, str] | None = None,
    preview: bool = False,
) -> Run:
    """Run Pulumi code; return what it registered. Raises what the code raises. `into` shows what came before that.

    `more` is config of other namespaces than the project's.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PULUMI_CONFIG", raising=False)
        before = CONFIG.get()
        monitor = _Monitor(mocks or FakeCloud("us-east-1"))
        if into is not None:
            monitor.run = into
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)  # of what fails together, one reason is raised
        asyncio.set_event_loop(loop)
        try:
            own = {f"serverless-chat:{key}": value for key, value in (config or {}).items()}
            pulumi.runtime.set_all_config({**own, **(more or {})})
            set_mocks(monitor.mocks, project="serverless-chat", stack=stack, preview=preview, monitor=monitor)
            settings.set_root_resource(None)  # type: ignore[arg-type] - a new stack begins
            waiting: Any = settings.SETTINGS.outputs
            waiting.clear()  # what a run that failed has left
            loop.run_until_complete(asyncio.wait_for(run_in_stack(execute), DEADLINE_SECONDS))
        finally:
            loop.close()
            asyncio.set_event_loop(None)
            CONFIG.set(before)
        return monitor.run


def _execute() -> None:
    runpy.run_path(str(PROGRAM), run_name="__main__")


def run_program(
    *,
    config: Mapping[str, str] | None = None,
    stack: str = "dev",
    region: str = "us-east-1",
    into: Run | None = None,
    more: Mapping[str, str] | None = None,
) -> Run:
    """Run the program anew."""
    return run_under_mocks(
        _execute,
        config=config,
        stack=stack,
        mocks=FakeCloud(region),
        into=into,
        more=more,
    )


@lru_cache
def program(stack: str = "dev", region: str = "us-east-1", **config: str) -> Run:
    """Return what the program registers with a config; each is run once for all tests, which must not change it."""
    return run_program(config=config, stack=stack, region=region)


def statements(policy: Registered) -> dict[str, dict[str, Any]]:
    """Return a policy's statements by their Sid."""
    document = policy.json("policy")
    assert document["Version"] == "2012-10-17"
    by_sid = {one["Sid"]: one for one in document["Statement"]}
    assert len(by_sid) == len(document["Statement"])
    return by_sid


def trust(role: Registered) -> str:
    """Return the service that may take a role."""
    (statement,) = role.json("assumeRolePolicy")["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    return statement["Principal"]["Service"]
