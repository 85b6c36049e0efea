"""Runs a Pulumi program without creating anything, and records the resources it registers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

from local.program import PROGRAM, Monitor, execute_file, run_program, whole_numbers

ACCOUNT = "123456789012"
_PARTITIONS = {"us-gov-": ("aws-us-gov", "amazonaws.com"), "cn-": ("aws-cn", "amazonaws.com.cn")}
_GLOBAL_MODULES = {"aws:iam", "aws:cloudfront", "aws:budgets", "aws:s3", "aws:route53"}
"""Modules of the provider whose ARNs have no region."""
_DASHED_WEBSITES = ("us-east-1", "us-west-2", "eu-west-1", "us-gov-west-1")
"""Regions, of those used here, whose S3 website hosts have a dash instead of a dot (AWS General Reference)."""


@dataclass(frozen=True)
class Registered:
    """A resource that the program registered."""

    type: str
    """Pulumi type token, such as aws:dynamodb/table:Table."""
    name: str
    """Logical name."""
    urn: str
    """Pulumi URN."""
    parent: str
    """URN of its parent."""
    inputs: dict[str, Any]
    """Inputs, by Pulumi's property names."""
    state: dict[str, Any]
    """Inputs, and the attributes that AWS would add."""
    dependencies: frozenset[str]
    """URNs of the resources in `depends_on` and of those that its inputs come from."""
    protect: bool
    """Whether Pulumi refuses to delete it."""
    retain_on_delete: bool
    """Whether the resource survives `pulumi destroy`."""
    custom: bool
    """Whether a provider manages the resource; False for a component."""

    @property
    def kind(self) -> str:
        """Last part of the type, such as Table."""
        return self.type.rpartition(":")[2]

    def json(self, name: str) -> Any:
        """Return an input parsed as JSON."""
        return json.loads(self.inputs[name])


@dataclass
class Plan:
    """The resources and outputs of a run, in the order of registration."""

    resources: list[Registered] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def all(self, kind: str) -> list[Registered]:
        """Return every resource of a kind, such as `Table`, or of a full type."""
        return [one for one in self.resources if kind in (one.kind, one.type)]

    def one(self, kind: str, name: str | None = None) -> Registered:
        """Return the only resource of a kind, or the one with this logical name, physical name or key.

        Raises LookupError unless exactly one matches.
        """
        found = [
            one
            for one in self.all(kind)
            if name is None or name in (one.name, one.inputs.get("name"), one.inputs.get("key"))
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} of {kind} {name or ''} among {[one.name for one in self.all(kind)]}")
        return found[0]

    def by_urn(self, urn: str) -> Registered:
        """Return the resource with this URN."""
        return next(one for one in self.resources if one.urn == urn)

    def waits_for(self, one: Registered) -> set[str]:
        """Return the URNs of all direct and indirect dependencies of a resource."""
        seen: set[str] = set()
        ahead = [*one.dependencies]
        while ahead:
            urn = ahead.pop()
            if urn not in seen:
                seen.add(urn)
                ahead += self.by_urn(urn).dependencies
        return seen


class FakeCloud(Mocks):
    """Stands in for the AWS provider: makes up the attributes that AWS assigns, for a region and its partition."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.partition, self.suffix = next(
            (known for prefix, known in _PARTITIONS.items() if region.startswith(prefix)), ("aws", "amazonaws.com")
        )

    def call(self, args: MockCallArgs) -> dict[str, Any]:  # type: ignore[override] - without the list of failures
        """Return the result of a provider function."""
        answers = {
            "aws:index/getRegion:getRegion": {"region": self.region, "name": self.region, "id": self.region},
            "aws:index/getPartition:getPartition": {"partition": self.partition, "dnsSuffix": self.suffix},
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT, "id": ACCOUNT},
        }
        return answers[args.token]

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Return a resource's id and state."""
        if not args.custom:
            return "", dict(args.inputs)
        given = args.inputs
        kind = args.typ.rpartition(":")[2]
        module = args.typ.partition("/")[0]
        name = str(given.get("name") or given.get("dashboardName") or f"{args.name}-0a1b2c3")
        region = "" if module in _GLOBAL_MODULES else self.region
        arn = f"arn:{self.partition}:{module[4:]}:{region}:{ACCOUNT}:{kind.lower()}/{name}"
        state = {"name": name, "arn": arn, **given}
        return f"{args.name}-id", {**state, **self._attributes(kind, args.name, name, arn, given)}

    def _attributes(self, kind: str, logical: str, name: str, arn: str, given: dict[str, Any]) -> dict[str, Any]:
        bucket = f"{given.get('bucketPrefix', '')}0123456789"
        dash = "-" if self.region in _DASHED_WEBSITES else "."
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
            "UserPool": {"endpoint": f"cognito-idp.{self.region}.{self.suffix}/{logical}-id"},
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


def plan(  # noqa: PLR0913 - all have defaults
    execute: Callable[[], object] = lambda: execute_file(PROGRAM),
    *,
    config: Mapping[str, Any] | None = None,
    stack: str = "dev",
    cloud: Mocks | None = None,
    preview: bool = False,
    into: Plan | None = None,
) -> Plan:
    """Run Pulumi code, by default the program, and return what it registers.

    Raises what the code raises; `into` then has the resources registered so far. In a preview, outputs of resources
    that do not exist yet are unknown.
    """
    planned = Plan() if into is None else into
    monitor = _Recorder(cloud or FakeCloud("us-east-1"), planned)
    run_program(execute, monitor, stack=stack, config=config or {}, preview=preview)
    planned.outputs = monitor.outputs
    return planned


class _Recorder(Monitor):
    """Records registrations, because Pulumi's mocks see no parents, dependencies or options."""

    def __init__(self, mocks: Mocks, planned: Plan) -> None:
        super().__init__(mocks)
        self._planned = planned

    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self._planned.resources.append(
                Registered(
                    type=request.type,
                    name=request.name,
                    urn=answer.urn,
                    parent=request.parent,
                    inputs=whole_numbers(rpc.deserialize_properties(request.object)),
                    state=self.resources[answer.urn].state,
                    dependencies=frozenset(request.dependencies),
                    protect=request.protect,
                    retain_on_delete=request.retainOnDelete,
                    custom=request.custom,
                ),
            )
        return answer
