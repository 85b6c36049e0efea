"""The chat's page: the folder frontend/ as a static site."""

from pathlib import Path

from chat_stack.settings import Settings
from chat_stack.sign_in import login_origin
from components.domain import DomainArgs
from components.naming import bucket_prefix
from components.static_site import SiteDelivery, StaticSiteArgs

TOOL_FILES = ("types.d.ts", "private-rooms.d.ts", "jsconfig.json")
"""What the type checker reads in the page's folder, and browsers do not."""

FIXED_FILES = ("sw.js", "manifest.webmanifest")
"""Files that keep their URL: a service worker is known by it, and an installed page by its manifest's."""

_CONNECTS_TO = "connect-src 'self' wss:"
"""What the page's Content-Security-Policy says about where its scripts may connect."""


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
        replacements=_replacements(settings, stack),
        versioned=True,
        fixed=FIXED_FILES,
        domain=domain if settings.page_domain else None,
        endpoint_url=settings.endpoint_url,
        url=settings.local_site_url,
    )


def _replacements(settings: Settings, stack: str) -> dict[str, str]:
    """Return the changes of the page's Content-Security-Policy: what else its scripts may connect to."""
    also = [
        *(["ws:"] if settings.endpoint_url else []),  # an emulator has no certificate
        *filter(None, [login_origin(settings, stack)]),
    ]
    return {_CONNECTS_TO: " ".join([_CONNECTS_TO, *also])} if also else {}
