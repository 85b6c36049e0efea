"""A static site: a folder's files in a bucket, and what serves them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pulumi

from components.domain import DomainArgs
from components.static_site.bucket import SiteBucket, SiteBucketArgs
from components.static_site.cdn import Cdn, CdnArgs
from components.static_site.files import SiteFolder, replaced, site_files
from components.static_site.website import S3Website, S3WebsiteArgs

_META_POLICY = re.compile(r"http-equiv=\"Content-Security-Policy\"\s+content=\"([^\"]+)\"")


class SiteDelivery(StrEnum):
    """How a site is served."""

    WEBSITE = "website"
    """A public S3 website, http."""
    CDN = "cdn"
    """A private bucket behind CloudFront, https."""


@dataclass(frozen=True, kw_only=True)
class StaticSiteArgs:
    """Arguments of a StaticSite."""

    bucket_prefix: str
    """Prefix of the bucket's name, at most 37 characters; the provider makes the name unique."""
    folder: str
    """Folder to serve; it holds index.html."""
    delivery: SiteDelivery = SiteDelivery.WEBSITE
    """`website`: a public S3 website, http. `cdn`: a private bucket behind CloudFront, https."""
    exclude: Sequence[str] = ()
    """Patterns of files to leave out, such as `*.ts` or `drafts/*`, matched against the path below the folder."""
    content_types: Mapping[str, str] = field(default_factory=dict)
    """Suffix → content type, for files that the site would not know."""
    replacements: Mapping[str, str] = field(default_factory=dict)
    """Text → what replaces it in HTML files. Each must occur in index.html."""
    versioned: bool = False
    """Whether browsers may keep files without asking again. All files but HTML and `fixed` are then stored in a folder
    named by a hash of their contents, and the `href` and `src` attributes of HTML files (and `src` of `.webmanifest`)
    lead there; HTML and `fixed` are revalidated on every load. Scripts must find other files relative to themselves
    (`import.meta.url`), not to the page. Otherwise each file keeps its path and is revalidated on every load."""
    fixed: Sequence[str] = ()
    """With `versioned`: patterns of files that keep their path, such as `sw.js`, `*.webmanifest` or `robots.txt`. Each
    must match a file."""
    domain: DomainArgs | None = None
    """Custom domain, with `cdn`."""
    endpoint_url: str = ""
    """URL of an emulator that stands in for AWS; the page is then read from the bucket there."""
    url: str = ""
    """URL of the site, if it is served neither by AWS nor by the emulator."""


class StaticSite(pulumi.ComponentResource):
    """A bucket with a folder's files, served by S3 or CloudFront."""

    url: pulumi.Output[str]
    """URL of the page."""
    origin: pulumi.Output[str]
    """Origin header that browsers send from the page."""
    bucket_name: pulumi.Output[str]
    """Name of the bucket."""
    arns: dict[str, pulumi.Output[str]]
    """Name → ARN of the bucket, and with `cdn` of what serves it."""

    def __init__(self, name: str, args: StaticSiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-websocket:index:StaticSite", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        files = SiteBucket(
            f"{name}-files",
            SiteBucketArgs(
                bucket_prefix=args.bucket_prefix,
                files=site_files(site_folder(args)),
            ),
            child,
        )
        self.bucket_name = files.bucket_name
        self.arns = {f"{name}-bucket": files.bucket_arn}
        if args.delivery is SiteDelivery.CDN:
            cdn = Cdn(
                f"{name}-cdn",
                CdnArgs(
                    bucket_name=files.bucket_name,
                    bucket_arn=files.bucket_arn,
                    bucket_domain_name=files.regional_domain_name,
                    content_security_policy=_header_policy(args),
                    domain=args.domain,
                ),
                child,
            )
            served_at = cdn.url
            self.arns |= cdn.arns
        else:
            website = S3Website(
                f"{name}-website", S3WebsiteArgs(bucket_name=files.bucket_name, bucket_arn=files.bucket_arn), child
            )
            served_at = website.url
        self.url = self.origin = served_at
        if args.url:
            self.url = self.origin = pulumi.Output.from_input(args.url)
        elif args.endpoint_url:
            self.url = pulumi.Output.format("{}/{}/index.html", args.endpoint_url, files.bucket_name)
            self.origin = pulumi.Output.from_input(args.endpoint_url)
        self.register_outputs({"url": self.url, "bucket_name": self.bucket_name})


def site_folder(args: StaticSiteArgs) -> SiteFolder:
    """Return the folder of a site, with how its files are stored."""
    return SiteFolder(
        path=Path(args.folder),
        exclude=args.exclude,
        content_types=args.content_types,
        replacements=args.replacements,
        versioned=args.versioned,
        fixed=args.fixed,
    )


def _header_policy(args: StaticSiteArgs) -> str:
    """Return the page's own Content-Security-Policy, with what only a header can say."""
    page = _META_POLICY.search(replaced(Path(args.folder, "index.html"), args.replacements))
    policy = page.group(1) if page else "default-src 'self'"
    return f"{policy}; frame-ancestors 'none'"
