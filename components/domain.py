"""A custom domain and the alias records that point it at an AWS endpoint."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class DomainArgs:
    """A custom domain."""

    name: str
    """Fully qualified domain name, such as chat.example.org."""
    certificate_arn: pulumi.Input[str]
    """ARN of the ACM certificate: in us-east-1 for CloudFront, in the API's region for API Gateway."""
    zone_id: pulumi.Input[str] | None = None
    """Route 53 hosted zone for the records. Without one, create the records yourself."""


def alias_record(  # noqa: PLR0913 - a record needs them all
    name: str,
    domain: DomainArgs,
    *,
    kind: str,
    target: pulumi.Input[str],
    target_zone_id: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Create an alias record (kind A or AAAA) in the domain's hosted zone, if it has one."""
    if domain.zone_id is None:
        return
    aws.route53.Record(
        name,
        zone_id=domain.zone_id,
        name=domain.name,
        type=kind,
        aliases=[
            aws.route53.RecordAliasArgs(name=target, zone_id=target_zone_id, evaluate_target_health=False),
        ],
        opts=opts,
    )
