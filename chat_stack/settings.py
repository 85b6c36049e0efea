"""The stack's config, checked before any resource is created.

Pulumi.yaml declares the keys, types and defaults; this module declares the bounds.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pulumi
import yaml

_RETENTION_DAYS = (  # CloudWatch Logs API reference, PutRetentionPolicy
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180),
    *(365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_EMAIL = re.compile(r"[^@\s,;<>\"()]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_CERTIFICATE = re.compile(r"arn:aws[a-z-]*:acm:([a-z0-9-]+):\d{12}:certificate/[A-Za-z0-9-]+")
_ZONE = re.compile(r"Z[A-Z0-9]{1,31}")
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\]")

_MAX_LENGTHS = {"allowed_origins": 1_500, "blocked_addresses": 1_500}
"""Characters per list. A function's environment is limited to 4 KB (Lambda quotas); the rest takes less than 1 KB."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The stack's settings, described in Pulumi.yaml."""

    log_retention_days: int
    throttle_rate_limit: int
    throttle_burst_limit: int
    breaker_messages_per_minute: int
    breaker_connects_per_minute: int
    message_retention_days: int
    protect_messages: bool
    allowed_origins: list[str]
    blocked_addresses: list[str]
    address_allowances: int
    message_burst: int
    messages_per_second: int
    posts_per_second: int
    alert_email: str
    monthly_budget_usd: int
    capacity: Literal["on_demand", "provisioned"]
    monitoring: bool
    access_logs: bool
    site_delivery: Literal["website", "cdn"]
    page_domain: str
    page_certificate_arn: str
    socket_domain: str
    socket_certificate_arn: str
    zone_id: str
    sign_in: Literal["off", "optional", "required"]
    endpoint_url: str
    local_site_url: str


def read_settings(project_file: Path) -> Settings:
    """Return the settings of the current stack. Raises pulumi.RunError like `parse_settings`."""
    config = pulumi.Config()
    qualified = {*pulumi.runtime.config.CONFIG.get(), *pulumi.runtime.config.get_config_env()}
    keys = [key.partition(":")[2] for key in qualified if key.startswith(f"{config.name}:")]
    region = pulumi.Config("aws").get("region")
    return parse_settings(project_file, {key: config.get(key) for key in keys}, region)


def parse_settings(project_file: Path, config: Mapping[str, Any], region: str | None) -> Settings:
    """Return the settings for a config, whose values are text or of the type that Pulumi.yaml declares.

    Raises pulumi.RunError with one sentence for the first invalid value.
    """
    schema = {
        key: entry
        for key, entry in yaml.safe_load(project_file.read_text(encoding="utf-8"))["config"].items()
        if ":" not in key and "type" in entry
    }
    for key in sorted(config.keys() - schema.keys()):
        raise _config_error(key, "is unknown; Pulumi.yaml lists the keys")
    settings = Settings(
        **{
            key: entry["default"] if config.get(key) is None else _parse(key, entry["type"], config[key])
            for key, entry in schema.items()
        },
    )
    _check_bounds(settings)
    _check_choices(settings)
    _check_sign_in(settings)
    _check_addresses(settings)
    _check_domains(settings, region)
    return settings


def _parse(key: str, kind: str, given: Any) -> Any:
    text = given if isinstance(given, str) else json.dumps(given)
    if kind == "string":
        return text.strip()
    if kind == "boolean":
        if text.strip().lower() in ("true", "false"):
            return text.strip().lower() == "true"
        raise _config_error(key, f"must be true or false, not {text!r}")
    if kind == "integer":
        if re.fullmatch(r"-?[0-9]{1,9}", text.strip()):
            return int(text)
        raise _config_error(key, f"must be a whole number, not {text!r}")
    try:
        items = json.loads(text)
    except ValueError:
        items = None
    if not isinstance(items, list) or not all(isinstance(one, str) for one in items):
        raise _config_error(key, f"must be a list of strings, not {text!r}")
    return [one.strip() for one in items]


def _check_bounds(settings: Settings) -> None:
    for key, low, high in (
        ("throttle_rate_limit", 1, 10_000),
        ("throttle_burst_limit", 1, 5_000),
        ("breaker_messages_per_minute", 0, 600_000),  # the account's limit: 10,000 a second
        ("breaker_connects_per_minute", 0, 30_000),  # 500 a second
        ("message_retention_days", 0, 3650),
        ("address_allowances", 1, 1_000),
        ("message_burst", 1, 100),
        ("messages_per_second", 1, 100),
        ("posts_per_second", 10, 10_000),
        ("monthly_budget_usd", 1, 10_000),
    ):
        value = getattr(settings, key)
        if not low <= value <= high:
            raise _config_error(key, f"must be from {low} to {high}, not {value}")
    if settings.log_retention_days not in _RETENTION_DAYS:
        days = ", ".join(map(str, _RETENTION_DAYS))
        raise _config_error("log_retention_days", f"must be one of {days}, not {settings.log_retention_days}")


def _check_choices(settings: Settings) -> None:
    for key, (*others, last) in (
        ("capacity", ("on_demand", "provisioned")),
        ("site_delivery", ("website", "cdn")),
        ("sign_in", ("off", "optional", "required")),
    ):
        if getattr(settings, key) not in (*others, last):
            raise _config_error(key, f"must be {', '.join(others)} or {last}, not {getattr(settings, key)!r}")


def _check_sign_in(settings: Settings) -> None:
    if settings.sign_in != "off" and settings.site_delivery != "cdn" and not settings.endpoint_url:
        raise _config_error("sign_in", "needs site_delivery cdn, since Cognito returns people only to https pages")


def _check_addresses(settings: Settings) -> None:
    if settings.alert_email and not _EMAIL.fullmatch(settings.alert_email):
        raise _config_error(
            "alert_email", f"must be an e-mail address such as you@example.org, not {settings.alert_email!r}"
        )
    for origin in settings.allowed_origins:
        if not _is_origin(origin):
            raise _config_error("allowed_origins", f"must contain origins such as https://page.example, not {origin!r}")
    for block in settings.blocked_addresses:
        if not _is_address_block(block):
            raise _config_error(
                "blocked_addresses",
                f"must contain addresses such as 203.0.113.7 or blocks such as 203.0.113.0/24, not {block!r}",
            )
    for key, most in _MAX_LENGTHS.items():
        if len(",".join(getattr(settings, key))) > most:
            raise _config_error(key, f"must have at most {most} characters in total")
    for key in ("endpoint_url", "local_site_url"):
        if getattr(settings, key) and not _is_origin(getattr(settings, key)):
            raise _config_error(
                key, f"must be an address such as http://127.0.0.1:4566, not {getattr(settings, key)!r}"
            )


def _check_domains(settings: Settings, region: str | None) -> None:
    if settings.page_domain and settings.site_delivery != "cdn":
        raise _config_error("page_domain", "needs site_delivery cdn, since an S3 website has no certificate")
    for kind in ("page", "socket"):
        domain, arn = getattr(settings, f"{kind}_domain"), getattr(settings, f"{kind}_certificate_arn")
        if domain and not _DOMAIN.fullmatch(domain):
            raise _config_error(f"{kind}_domain", f"must be a domain such as chat.example.org, not {domain!r}")
        if bool(domain) != bool(arn):
            raise _config_error(f"{kind}_domain", f"and {kind}_certificate_arn need each other")
        if arn and not _CERTIFICATE.fullmatch(arn):
            raise _config_error(f"{kind}_certificate_arn", f"must be the ARN of an ACM certificate, not {arn!r}")
    if _region(settings.page_certificate_arn) not in (None, "us-east-1"):
        raise _config_error("page_certificate_arn", "must be in us-east-1, where CloudFront looks for certificates")
    if region is not None and _region(settings.socket_certificate_arn) not in (None, region):
        raise _config_error("socket_certificate_arn", f"must be in {region}, the region of the API")
    if settings.zone_id and not _ZONE.fullmatch(settings.zone_id):
        raise _config_error("zone_id", f"must be the id of a hosted zone such as Z0123456789, not {settings.zone_id!r}")


def _region(certificate_arn: str) -> str | None:
    match = _CERTIFICATE.fullmatch(certificate_arn)
    return match.group(1) if match else None


def _is_origin(text: str) -> bool:
    """Return whether a text is an origin as browsers send it: scheme, host, and the port unless it is the default."""
    scheme, _, place = text.partition("://")
    default_port = {"http": 80, "https": 443}.get(scheme)
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    host = place.removesuffix(f":{port}")
    return default_port is not None and port not in (0, default_port) and _HOST.fullmatch(host) is not None


def _is_address_block(text: str) -> bool:
    """Return whether a text is an IP address or a CIDR block without host bits."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return "%" not in text  # a scope, such as fe80::1%eth0, names an interface of one machine


def _config_error(key: str, why: str) -> pulumi.RunError:
    return pulumi.RunError(f"Config {key} {why}.")
