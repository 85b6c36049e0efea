"""The config.json of a site: what the page learns of the stack it belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.static_site.files import CONFIG_KEY

_FIVE_MINUTES = "max-age=300"
"""Cache-Control of the object: it changes seldom, and a page that cannot connect reads it again (`cache: "reload"`)."""


@dataclass(frozen=True, kw_only=True)
class SiteConfigArgs:
    """Arguments of a SiteConfig."""

    bucket_name: pulumi.Input[str]
    """Name of the site's bucket."""
    values: pulumi.Input[Mapping[str, pulumi.Input[str]]]
    """What config.json holds, by name. Everybody who loads the page can read it."""


class SiteConfig(pulumi.ComponentResource):
    """The object config.json. It is apart from the site so that it can hold values that depend on the site's URL."""

    key: pulumi.Output[str]
    """Key of the object."""

    def __init__(self, name: str, args: SiteConfigArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-websocket:index:SiteConfig", name, None, opts)
        config = aws.s3.BucketObjectv2(
            f"{name}-object",
            bucket=args.bucket_name,
            key=CONFIG_KEY,
            content=pulumi.Output.json_dumps(args.values),
            content_type="application/json",
            cache_control=_FIVE_MINUTES,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.key = config.key
        self.register_outputs({"key": self.key})
