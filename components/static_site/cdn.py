"""CloudFront in front of a private bucket: HTTPS, security headers, and a custom domain."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.domain import DomainArgs, alias_record

_CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"  # CloudFront's managed cache policy of this name
_ONE_YEAR_SECONDS = 31_536_000
_CUSTOM_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",  # a page that opens this one gets no reference to its window
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


@dataclass(frozen=True, kw_only=True)
class CdnArgs:
    """Arguments of a Cdn."""

    bucket_name: pulumi.Input[str]
    """Name of the bucket to serve."""
    bucket_arn: pulumi.Input[str]
    """ARN of the bucket."""
    bucket_domain_name: pulumi.Input[str]
    """Host name of the bucket's REST endpoint."""
    content_security_policy: str
    """Value of the Content-Security-Policy header."""
    domain: DomainArgs | None = None
    """Custom domain, with a certificate in us-east-1."""


class Cdn(pulumi.ComponentResource):
    """A CloudFront distribution with exclusive access to the bucket."""

    url: pulumi.Output[str]
    """URL of the distribution, or of its domain, https://…."""
    arns: dict[str, pulumi.Output[str]]
    """ARNs of the distribution, its origin access control and its headers policy by name."""

    def __init__(self, name: str, args: CdnArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-websocket:index:Cdn", name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        access_control = aws.cloudfront.OriginAccessControl(
            f"{name}-access-control",
            origin_access_control_origin_type="s3",
            signing_behavior="always",
            signing_protocol="sigv4",
            opts=self._child,
        )
        headers = self._create_headers_policy()
        distribution = self._create_distribution(access_control, headers)
        self._allow_reading(distribution)
        self.arns = {
            f"{name}-access-control": access_control.arn,
            f"{name}-headers": headers.arn,
            f"{name}-distribution": distribution.arn,
        }
        if args.domain is None:
            self.url = pulumi.Output.format("https://{}", distribution.domain_name)
        else:
            self.url = pulumi.Output.from_input(f"https://{args.domain.name}")
            self._create_records(args.domain, distribution)
        self.register_outputs({"url": self.url})

    def _create_headers_policy(self) -> aws.cloudfront.ResponseHeadersPolicy:
        config = aws.cloudfront
        return aws.cloudfront.ResponseHeadersPolicy(
            f"{self._name}-headers",
            security_headers_config=config.ResponseHeadersPolicySecurityHeadersConfigArgs(
                content_security_policy=config.ResponseHeadersPolicySecurityHeadersConfigContentSecurityPolicyArgs(
                    content_security_policy=self._args.content_security_policy,
                    override=True,
                ),
                strict_transport_security=config.ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurityArgs(
                    access_control_max_age_sec=_ONE_YEAR_SECONDS,
                    include_subdomains=True,
                    override=True,
                ),
                content_type_options=config.ResponseHeadersPolicySecurityHeadersConfigContentTypeOptionsArgs(
                    override=True
                ),
                frame_options=config.ResponseHeadersPolicySecurityHeadersConfigFrameOptionsArgs(
                    frame_option="DENY",
                    override=True,
                ),
                referrer_policy=config.ResponseHeadersPolicySecurityHeadersConfigReferrerPolicyArgs(
                    referrer_policy="no-referrer",
                    override=True,
                ),
            ),
            custom_headers_config=config.ResponseHeadersPolicyCustomHeadersConfigArgs(
                items=[
                    config.ResponseHeadersPolicyCustomHeadersConfigItemArgs(header=header, value=value, override=True)
                    for header, value in _CUSTOM_HEADERS.items()
                ],
            ),
            opts=self._child,
        )

    def _create_distribution(
        self, access_control: aws.cloudfront.OriginAccessControl, headers: aws.cloudfront.ResponseHeadersPolicy
    ) -> aws.cloudfront.Distribution:
        domain = self._args.domain
        if domain is None:
            certificate = aws.cloudfront.DistributionViewerCertificateArgs(cloudfront_default_certificate=True)
        else:
            certificate = aws.cloudfront.DistributionViewerCertificateArgs(
                acm_certificate_arn=domain.certificate_arn,
                ssl_support_method="sni-only",
                minimum_protocol_version="TLSv1.2_2021",
            )
        return aws.cloudfront.Distribution(
            f"{self._name}-distribution",
            enabled=True,
            http_version="http2and3",
            is_ipv6_enabled=True,
            default_root_object="index.html",
            price_class="PriceClass_100",
            aliases=None if domain is None else [domain.name],
            origins=[
                aws.cloudfront.DistributionOriginArgs(
                    origin_id="bucket",
                    domain_name=self._args.bucket_domain_name,
                    origin_access_control_id=access_control.id,
                ),
            ],
            default_cache_behavior=aws.cloudfront.DistributionDefaultCacheBehaviorArgs(
                target_origin_id="bucket",
                viewer_protocol_policy="redirect-to-https",
                allowed_methods=["GET", "HEAD"],
                cached_methods=["GET", "HEAD"],
                compress=True,
                cache_policy_id=_CACHING_OPTIMIZED,
                response_headers_policy_id=headers.id,
            ),
            custom_error_responses=[  # S3 returns 403 for a missing key, because CloudFront may not list the bucket
                aws.cloudfront.DistributionCustomErrorResponseArgs(
                    error_code=403,
                    response_code=404,
                    response_page_path="/index.html",
                ),
            ],
            restrictions=aws.cloudfront.DistributionRestrictionsArgs(
                geo_restriction=aws.cloudfront.DistributionRestrictionsGeoRestrictionArgs(restriction_type="none"),
            ),
            viewer_certificate=certificate,
            opts=self._child,
        )

    def _allow_reading(self, distribution: aws.cloudfront.Distribution) -> None:
        args = self._args
        public_access = aws.s3.BucketPublicAccessBlock(
            f"{self._name}-public-access",
            bucket=args.bucket_name,
            block_public_acls=True,
            ignore_public_acls=True,
            block_public_policy=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        objects = pulumi.Output.format("{}/*", args.bucket_arn)
        aws.s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=args.bucket_name,
            policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "ReadObjectsByThisDistribution",
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudfront.amazonaws.com"},
                            "Action": "s3:GetObject",
                            "Resource": objects,
                            "Condition": {"StringEquals": {"AWS:SourceArn": distribution.arn}},
                        },
                        {
                            "Sid": "OnlyByTls",
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": [args.bucket_arn, objects],
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        },
                    ],
                },
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[public_access]),
        )

    def _create_records(self, domain: DomainArgs, distribution: aws.cloudfront.Distribution) -> None:
        for kind in ("A", "AAAA"):
            alias_record(
                f"{self._name}-record-{kind.lower()}",
                domain,
                kind=kind,
                target=distribution.domain_name,
                target_zone_id=distribution.hosted_zone_id,
                opts=self._child,
            )
