"""A folder served as a website: from a public S3 website, or from a private bucket behind CloudFront."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pulumi
import pulumi_aws as aws

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}
"""What is uploaded, by suffix; a folder's other files (settings of tools, notes) stay at home."""

REVALIDATE = "no-cache"
"""Every load asks whether the file is still the same (ETag): a new one is seen at once, an old one not sent again."""

_CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"  # CloudFront's managed cache policy of this name
_META_POLICY = re.compile(r"http-equiv=\"Content-Security-Policy\"\s+content=\"([^\"]+)\"")
_ONE_YEAR_SECONDS = 31_536_000


@dataclass(frozen=True, kw_only=True)
class PageDomainArgs:
    """A domain of one's own for the page."""

    domain: str
    """Such as chat.example.org."""
    certificate_arn: str
    """Its ACM certificate, in us-east-1."""
    zone_id: str | None = None
    """The Route 53 zone for its records; without it they are made elsewhere, by hand."""


@dataclass(frozen=True, kw_only=True)
class StaticSiteArgs:
    """What the site is to be."""

    bucket_prefix: str
    """What the bucket's name begins with, at most 37 characters; the provider makes it unique."""
    folder: Path
    """The folder to serve; it holds index.html."""
    config: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """What the page is told in config.json."""
    delivery: Literal["website", "cdn"] = "website"
    """`website`: a public S3 website, http. `cdn`: a private bucket behind CloudFront, https."""
    replacements: Mapping[str, str] = field(default_factory=dict)
    """What is replaced by what in the HTML."""
    domain: PageDomainArgs | None = None
    """A domain of one's own, with `cdn`."""
    endpoint_url: str = ""
    """The address of an emulator that stands in for AWS; the page is then read from the bucket there."""
    url: pulumi.Input[str] | None = None
    """Where the site is served, if neither by AWS nor by the emulator."""


class StaticSite(pulumi.ComponentResource):
    """A bucket with a folder's files, each with its type and cache header, and config.json."""

    url: pulumi.Output[str]
    """Where the page is."""
    origin: pulumi.Output[str]
    """What browsers send as the page's Origin: scheme and host."""
    bucket_name: pulumi.Output[str]
    """The bucket's name."""
    bucket_arn: pulumi.Output[str]
    """The bucket's ARN."""
    distribution_arn: pulumi.Output[str] | None
    """The CloudFront distribution's ARN, with `cdn`."""
    arns: dict[str, pulumi.Output[str]]
    """Name → ARN of the bucket (its objects' begin with it), and with `cdn` of what serves it."""

    def __init__(self, name: str, args: StaticSiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-chat:index:StaticSite", name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._bucket = self._create_bucket()
        self.arns = {f"{name}-bucket": self._bucket.arn}
        self._upload_folder()
        self._upload_config()
        self.distribution_arn = None
        served_at = self._serve_by_cdn() if args.delivery == "cdn" else self._serve_as_website()
        self.url, self.origin = self._addresses(served_at)
        self.bucket_name, self.bucket_arn = self._bucket.bucket, self._bucket.arn
        self.register_outputs({"url": self.url, "bucket_name": self.bucket_name})

    def _addresses(self, served_at: pulumi.Output[str]) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Return the page's address and its origin."""
        args = self._args
        if args.url is not None:
            url = pulumi.Output.from_input(args.url)
            return url, url
        if args.endpoint_url:
            url = pulumi.Output.format("{}/{}/index.html", args.endpoint_url, self._bucket.bucket)
            return url, pulumi.Output.from_input(args.endpoint_url)
        return served_at, served_at

    def _create_bucket(self) -> aws.s3.Bucket:
        bucket = aws.s3.Bucket(
            f"{self._name}-bucket",
            bucket_prefix=self._args.bucket_prefix,
            force_destroy=True,  # it holds nothing but what the program uploaded
            opts=self._child,
        )
        aws.s3.BucketOwnershipControls(
            f"{self._name}-ownership",
            bucket=bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._child,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-encryption",
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=(
                        aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                            sse_algorithm="AES256",
                        )
                    ),
                ),
            ],
            opts=self._child,
        )
        return bucket

    def _upload_folder(self) -> None:
        folder = self._args.folder
        if not (folder / "index.html").is_file():
            raise pulumi.RunError(f"There is no index.html in {folder}.")
        for path in sorted(folder.rglob("*")):
            key = path.relative_to(folder).as_posix()
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if not path.is_file() or path.suffix not in CONTENT_TYPES or hidden or key == "config.json":
                continue
            html = path.suffix == ".html" and bool(self._args.replacements)
            aws.s3.BucketObjectv2(
                f"{self._name}-{key}",
                bucket=self._bucket.bucket,
                key=key,
                content=self._replaced(path) if html else None,
                source=None if html else pulumi.FileAsset(str(path)),
                content_type=CONTENT_TYPES[path.suffix],
                cache_control=REVALIDATE,
                opts=self._child,
            )

    def _replaced(self, path: Path) -> str:
        text = path.read_text()
        for old, new in self._args.replacements.items():
            if path.name == "index.html" and old not in text:
                raise pulumi.RunError(f"{path.name} does not hold {old!r}, which is to be replaced.")
            text = text.replace(old, new)
        return text

    def _upload_config(self) -> None:
        aws.s3.BucketObjectv2(
            f"{self._name}-config.json",
            bucket=self._bucket.bucket,
            key="config.json",
            content=pulumi.Output.json_dumps(dict(self._args.config)),
            content_type="application/json",
            cache_control=REVALIDATE,
            opts=self._child,
        )

    def _block_public_access(self, *, blocked: bool) -> aws.s3.BucketPublicAccessBlock:
        return aws.s3.BucketPublicAccessBlock(
            f"{self._name}-public-access",
            bucket=self._bucket.bucket,
            block_public_acls=True,
            ignore_public_acls=True,
            block_public_policy=blocked,
            restrict_public_buckets=blocked,
            opts=self._child,
        )

    def _serve_as_website(self) -> pulumi.Output[str]:
        access = self._block_public_access(blocked=False)
        website = aws.s3.BucketWebsiteConfiguration(
            f"{self._name}-website",
            bucket=self._bucket.bucket,
            index_document=aws.s3.BucketWebsiteConfigurationIndexDocumentArgs(suffix="index.html"),
            error_document=aws.s3.BucketWebsiteConfigurationErrorDocumentArgs(key="index.html"),
            opts=self._child,
        )
        aws.s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=self._bucket.bucket,
            policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "ReadObjects",
                            "Effect": "Allow",
                            "Principal": "*",
                            "Action": "s3:GetObject",
                            "Resource": pulumi.Output.format("{}/*", self._bucket.arn),
                        },
                    ],
                },
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[access]),
        )
        return pulumi.Output.format("http://{}", website.website_endpoint)

    def _serve_by_cdn(self) -> pulumi.Output[str]:
        access = self._block_public_access(blocked=True)
        distribution = self._create_distribution()
        self.distribution_arn = distribution.arn
        self.arns[f"{self._name}-distribution"] = distribution.arn
        aws.s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=self._bucket.bucket,
            policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "ReadObjectsByThisDistribution",
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudfront.amazonaws.com"},
                            "Action": "s3:GetObject",
                            "Resource": pulumi.Output.format("{}/*", self._bucket.arn),
                            "Condition": {"StringEquals": {"AWS:SourceArn": distribution.arn}},
                        },
                        {
                            "Sid": "OnlyByTls",
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": [self._bucket.arn, pulumi.Output.format("{}/*", self._bucket.arn)],
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        },
                    ],
                },
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[access]),
        )
        domain = self._args.domain
        if domain is None:
            return pulumi.Output.format("https://{}", distribution.domain_name)
        if domain.zone_id:
            self._create_records(domain, distribution)
        return pulumi.Output.from_input(f"https://{domain.domain}")

    def _create_distribution(self) -> aws.cloudfront.Distribution:
        args = self._args
        access_control = aws.cloudfront.OriginAccessControl(
            f"{self._name}-access-control",
            origin_access_control_origin_type="s3",
            signing_behavior="always",
            signing_protocol="sigv4",
            opts=self._child,
        )
        headers = self._create_headers_policy()
        self.arns[f"{self._name}-access-control"] = access_control.arn
        self.arns[f"{self._name}-headers"] = headers.arn
        if args.domain is None:
            certificate = aws.cloudfront.DistributionViewerCertificateArgs(cloudfront_default_certificate=True)
        else:
            certificate = aws.cloudfront.DistributionViewerCertificateArgs(
                acm_certificate_arn=args.domain.certificate_arn,
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
            aliases=None if args.domain is None else [args.domain.domain],
            origins=[
                aws.cloudfront.DistributionOriginArgs(
                    origin_id="bucket",
                    domain_name=self._bucket.bucket_regional_domain_name,
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
            custom_error_responses=[  # a missing key is a 403 to who may not list the bucket
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

    def _create_headers_policy(self) -> aws.cloudfront.ResponseHeadersPolicy:
        config = aws.cloudfront
        match = _META_POLICY.search(self._replaced(self._args.folder / "index.html"))
        page_policy = match.group(1) if match else "default-src 'self'"
        return aws.cloudfront.ResponseHeadersPolicy(
            f"{self._name}-headers",
            security_headers_config=config.ResponseHeadersPolicySecurityHeadersConfigArgs(
                content_security_policy=config.ResponseHeadersPolicySecurityHeadersConfigContentSecurityPolicyArgs(
                    content_security_policy=f"{page_policy}; frame-ancestors 'none'",
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
                    config.ResponseHeadersPolicyCustomHeadersConfigItemArgs(
                        header="Permissions-Policy",
                        value="camera=(), geolocation=(), microphone=(), payment=()",
                        override=True,
                    ),
                ],
            ),
            opts=self._child,
        )

    def _create_records(self, domain: PageDomainArgs, distribution: aws.cloudfront.Distribution) -> None:
        for kind in ("A", "AAAA"):
            aws.route53.Record(
                f"{self._name}-record-{kind.lower()}",
                zone_id=domain.zone_id or "",
                name=domain.domain,
                type=kind,
                aliases=[
                    aws.route53.RecordAliasArgs(
                        name=distribution.domain_name,
                        zone_id=distribution.hosted_zone_id,
                        evaluate_target_health=False,
                    ),
                ],
                opts=self._child,
            )
