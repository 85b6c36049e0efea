"""The chat's page: the folder frontend/ as a static site."""

from pathlib import Path

from chat_stack.settings import Settings
from components.domain import DomainArgs
from components.naming import bucket_prefix
from components.static_site import SiteDelivery, StaticSiteArgs

TOOL_FILES = ("types.d.ts", "jsconfig.json")
"""What the type checker reads in the page's folder, and browsers do not."""

FIXED_FILES = ("sw.js", "manifest.webmanifest")
"""Files that keep their URL: a service worker is known by it, and an installed page by its manifest's."""

_ALLOW_PLAIN_SOCKETS = {"connect-src 'self' wss:": "connect-src 'self' wss: ws:"}
"""Change of the page's Content-Security-Policy for an emulator, which has no certificate."""


def page_args(settings: Settings, stack: str, folder: Path) -> StaticSiteArgs:
    """Return the arguments of the chat's page."""
    domain = DomainArgs(
        name=settings.page_domain,
        certificate_arn=settings.page_certificate_arn,
        zone_id=settings.zone_id or None,
    )
    return StaticSiteArgs(
        bucket_prefix=bucket_prefix("chatapp-site", stack),
        folder=str(folder),
        delivery=SiteDelivery(settings.site_delivery),
        exclude=TOOL_FILES,
        replacements=_ALLOW_PLAIN_SOCKETS if settings.endpoint_url else {},
        versioned=True,
        fixed=FIXED_FILES,
        domain=domain if settings.page_domain else None,
        endpoint_url=settings.endpoint_url,
        url=settings.local_site_url,
    )
