"""A folder served as a website: as a public S3 website, or from a private bucket behind CloudFront."""

from components.static_site.bucket import CONTENT_TYPES
from components.static_site.config import SiteConfig, SiteConfigArgs
from components.static_site.site import SiteDelivery, StaticSite, StaticSiteArgs

__all__ = ["CONTENT_TYPES", "SiteConfig", "SiteConfigArgs", "SiteDelivery", "StaticSite", "StaticSiteArgs"]
