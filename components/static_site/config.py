"""A site's config.json: values from the stack for the page."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.static_site.files import CONFIG_KEY

_FIVE_MINUTES = "max-age=300"
"""Cache-Control of the object: it rarely changes, and a page that cannot connect reloads it (`cache: "reload"`)."""


@dataclass(frozen=True, kw_only=True)
class SiteConfigArgs:
    """Arguments of a SiteConfig."""

    bucket_name: pulumi.Input[str]
    """Name of the site's bucket."""
    values: pulumi.Input[Mapping[str, pulumi.Input[str]]]
    """Values in config.json, by name. Anyone who can load the page can read them."""


class SiteConfig(pulumi.ComponentResource):
    """The object config.json. Separate from the site, so its values can depend on the site's URL."""

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
