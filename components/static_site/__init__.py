"""A folder served as a website: as a public S3 website, or from a private bucket behind CloudFront."""

from components.static_site.config import SiteConfig, SiteConfigArgs
from components.static_site.files import CONTENT_TYPES, SiteFile, SiteFolder, site_files
from components.static_site.site import SiteDelivery, StaticSite, StaticSiteArgs

__all__ = [
    "CONTENT_TYPES",
    "SiteConfig",
    "SiteConfigArgs",
    "SiteDelivery",
    "SiteFile",
    "SiteFolder",
    "StaticSite",
    "StaticSiteArgs",
    "site_files",
]
