"""The stack's config, checked before anything is made. It knows no resource.

Pulumi.yaml holds the schema and the only defaults; this module holds the bounds.
"""

import json
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pulumi
import yaml

# CloudWatch Logs, PutRetentionPolicy
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180),
    *(365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_EMAIL = re.compile(r"[^@\s,;<>\"()]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_CERTIFICATE = re.compile(r"arn:aws[a-z-]*:acm:([a-z0-9-]+):\d{12}:certificate/[A-Za-z0-9-]+")
_ZONE = re.compile(r"Z[A-Z0-9]{1,31}")
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\]")

# A function's environment holds 4 KB in all (Lambda quotas); the rest of it is below 1 KB.
_MAX_ORIGINS_LENGTH = 2_500


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack is to be; Pulumi.yaml describes each field."""

    log_retention_days: int
    throttle_rate_limit: int
    throttle_burst_limit: int
    message_retention_days: int
    protect_messages: bool
    allowed_origins: list[str]
    message_burst: int
    messages_per_second: int
    posts_per_second: int
    alert_email: str
    monthly_budget_usd: int
    capacity: str
    monitoring: bool
    access_logs: bool
    site_delivery: str
    page_domain: str
    page_certificate_arn: str
    socket_domain: str
    socket_certificate_arn: str
    zone_id: str
    endpoint_url: str
    local_site_url: str


def read_settings(project_file: Path) -> Settings:
    """Return the stack's settings. Raises pulumi.RunError, one sentence, at the first value that is wrong."""
    schema = {
        key: entry
        for key, entry in yaml.safe_load(project_file.read_text())["config"].items()
        if ":" not in key and "type" in entry
    }
    config = pulumi.Config()
    _refuse_unknown(config.name, set(schema))
    settings = Settings(**{field.name: _value(config, field.name, schema[field.name]) for field in fields(Settings)})
    _check_bounds(settings)
    _check_delivery(settings)
    return settings


def _refuse_unknown(namespace: str, known: set[str]) -> None:
    keys = {*pulumi.runtime.config.CONFIG.get(), *pulumi.runtime.config.get_config_env()}
    given = {key.partition(":")[2] for key in keys if key.startswith(f"{namespace}:")}
    for key in sorted(given - known):
        raise _refused(key, "is unknown; Pulumi.yaml lists the keys there are")


def _value(config: pulumi.Config, key: str, schema: dict[str, Any]) -> Any:
    given = config.get(key)
    if given is None:
        return schema["default"]
    text = given if isinstance(given, str) else json.dumps(given)
    kind = schema["type"]
    if kind == "string":
        return text.strip()
    if kind == "boolean":
        if text.strip().lower() in ("true", "false"):
            return text.strip().lower() == "true"
        raise _refused(key, f"must be true or false, not {text!r}")
    if kind == "integer":
        if re.fullmatch(r"-?\d{1,9}", text.strip()):
            return int(text)
        raise _refused(key, f"must be a whole number, not {text!r}")
    try:
        items = json.loads(text)
    except ValueError:
        items = None
    if not isinstance(items, list) or not all(isinstance(one, str) for one in items):
        raise _refused(key, f"must be a list of strings, not {text!r}")
    return [one.strip() for one in items]


def _check_bounds(settings: Settings) -> None:
    for key, low, high in (
        ("throttle_rate_limit", 1, 10_000),
        ("throttle_burst_limit", 1, 5_000),
        ("message_retention_days", 0, 3650),
        ("message_burst", 1, 100),
        ("messages_per_second", 1, 100),
        ("posts_per_second", 10, 10_000),
        ("monthly_budget_usd", 1, 10_000),
    ):
        value = getattr(settings, key)
        if not low <= value <= high:
            raise _refused(key, f"must be from {low} to {high}, not {value}")
    if settings.log_retention_days not in _RETENTION_DAYS:
        days = ", ".join(map(str, _RETENTION_DAYS))
        raise _refused("log_retention_days", f"must be one of {days}, not {settings.log_retention_days}")
    _check_forms(settings)


def _check_forms(settings: Settings) -> None:
    for key, choices in (("capacity", ("on_demand", "provisioned")), ("site_delivery", ("website", "cdn"))):
        if getattr(settings, key) not in choices:
            raise _refused(key, f"must be {' or '.join(choices)}, not {getattr(settings, key)!r}")
    if settings.alert_email and not _EMAIL.fullmatch(settings.alert_email):
        raise _refused(
            "alert_email", f"must be an e-mail address such as you@example.org, not {settings.alert_email!r}"
        )
    for origin in settings.allowed_origins:
        if not _is_origin(origin):
            raise _refused("allowed_origins", f"must hold origins such as https://page.example, not {origin!r}")
    if len(",".join(settings.allowed_origins)) > _MAX_ORIGINS_LENGTH:
        raise _refused("allowed_origins", f"must be of at most {_MAX_ORIGINS_LENGTH} characters in all")
    for key in ("endpoint_url", "local_site_url"):
        if getattr(settings, key) and not _is_origin(getattr(settings, key)):
            raise _refused(key, f"must be an address such as http://127.0.0.1:4566, not {getattr(settings, key)!r}")


def _check_delivery(settings: Settings) -> None:
    if settings.page_domain and settings.site_delivery != "cdn":
        raise _refused("page_domain", "needs site_delivery cdn, since an S3 website has no certificate")
    for kind in ("page", "socket"):
        domain, arn = getattr(settings, f"{kind}_domain"), getattr(settings, f"{kind}_certificate_arn")
        if domain and not _DOMAIN.fullmatch(domain):
            raise _refused(f"{kind}_domain", f"must be a domain such as chat.example.org, not {domain!r}")
        if bool(domain) != bool(arn):
            raise _refused(f"{kind}_domain", f"and {kind}_certificate_arn need each other")
        if arn and not _CERTIFICATE.fullmatch(arn):
            raise _refused(f"{kind}_certificate_arn", f"must be the ARN of an ACM certificate, not {arn!r}")
    if _region(settings.page_certificate_arn) not in (None, "us-east-1"):
        raise _refused("page_certificate_arn", "must be of us-east-1, where CloudFront looks for certificates")
    here = pulumi.Config("aws").get("region")
    if here is not None and _region(settings.socket_certificate_arn) not in (None, here):
        raise _refused("socket_certificate_arn", f"must be of {here}, the region of the API")
    if settings.zone_id and not _ZONE.fullmatch(settings.zone_id):
        raise _refused("zone_id", f"must be the id of a hosted zone such as Z0123456789, not {settings.zone_id!r}")


def _region(certificate_arn: str) -> str | None:
    match = _CERTIFICATE.fullmatch(certificate_arn)
    return match.group(1) if match else None


def _is_origin(text: str) -> bool:
    """Tell whether a text is what a browser sends as an Origin: scheme, host and a port that is not the usual one."""
    scheme, _, place = text.partition("://")
    usual = {"http": 80, "https": 443}.get(scheme)
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    host = place.removesuffix(f":{port}")
    return usual is not None and port not in (0, usual) and _HOST.fullmatch(host) is not None


def _refused(key: str, why: str) -> pulumi.RunError:
    return pulumi.RunError(f"Config {key} {why}.")
