"""The stack's config: accepted values, rejected values, and error sentences."""

import json
import re
from dataclasses import fields
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
import yaml

from chat_stack.settings import Settings, parse_settings, read_settings
from local.plan import Plan, plan
from tests.stack.program import ROOT, WITH_DOMAINS

PROJECT_FILE = ROOT / "Pulumi.yaml"
SCHEMA: dict[str, Any] = {
    key: entry
    for key, entry in yaml.safe_load(PROJECT_FILE.read_text(encoding="utf-8"))["config"].items()
    if ":" not in key
}
CERTIFICATE = WITH_DOMAINS["page_certificate_arn"]
ELSEWHERE = CERTIFICATE.replace("us-east-1", "eu-west-1")
CDN = {"site_delivery": "cdn"}


def settings(**config: Any) -> Settings:
    return parse_settings(PROJECT_FILE, config, "us-east-1")


BOUNDS = {
    "throttle_rate_limit": (1, 10_000),
    "throttle_burst_limit": (1, 5_000),
    "breaker_messages_per_minute": (0, 600_000),
    "breaker_connects_per_minute": (0, 30_000),
    "message_retention_days": (0, 3650),
    "address_allowances": (1, 1_000),
    "message_burst": (1, 100),
    "messages_per_second": (1, 100),
    "posts_per_second": (10, 10_000),
    "monthly_budget_usd": (1, 10_000),
}


@pytest.mark.parametrize("key", BOUNDS)
def test_only_numbers_within_their_bounds_are_accepted(key: str) -> None:
    low, high = BOUNDS[key]
    for value in (low, high):
        assert getattr(settings(**{key: str(value)}), key) == value
    for value in (low - 1, high + 1):
        with pytest.raises(pulumi.RunError, match=f"^Config {key} must be from {low} to {high}, not {value}.$"):
            settings(**{key: str(value)})


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"message_burst": "1.5"}, "message_burst must be a whole number, not '1.5'"),
    ({"message_burst": "٣"}, "message_burst must be a whole number, not '٣'"),
    ({"message_burst": ""}, "message_burst must be a whole number, not ''"),
    ({"monitoring": "yes"}, "monitoring must be true or false, not 'yes'"),
    ({"log_retention_days": "2"}, "log_retention_days must be one of 1, 3, 5, 7, 14, "),
    ({"allowed_origins": "https://page.example"}, "allowed_origins must be a list of strings"),
    ({"allowed_origins": "[1]"}, "allowed_origins must be a list of strings"),
    ({"allowed_origins": json.dumps([f"https://{'a' * 50}.example"] * 50)}, "must have at most 1500 characters"),
    ({"blocked_addresses": ["203.0.113.0/24", "203.0.113.7/24"]}, "such as 203.0.113.0/24, not '203.0.113.7/24'"),
    ({"blocked_addresses": ["2001:db8::/129"]}, "blocked_addresses must contain addresses such as 203.0.113.7"),
    ({"blocked_addresses": ["fe80::1%eth0"]}, "blocked_addresses must contain addresses"),
    ({"blocked_addresses": ["203.0.113.7, 203.0.113.8"]}, "blocked_addresses must contain addresses"),
    ({"blocked_addresses": [f"203.0.{n}.0/24" for n in range(120)]}, "must have at most 1500 characters"),
    ({"alert_email": "you@example"}, "alert_email must be an e-mail address such as you@example.org"),
    ({"alert_email": "a@example.org,b@example.org"}, "alert_email must be an e-mail address"),
    ({"capacity": "free"}, "capacity must be on_demand or provisioned, not 'free'"),
    ({"site_delivery": "s3"}, "site_delivery must be website or cdn, not 's3'"),
    ({"endpoint_url": "ws://127.0.0.1"}, "endpoint_url must be an address such as http://127.0.0.1:4566"),
    ({"local_site_url": "localhost:80"}, "local_site_url must be an address such as http://127.0.0.1:4566"),
    ({"page_domain": "chat.example.org", "page_certificate_arn": CERTIFICATE}, "page_domain needs site_delivery cdn"),
    ({"socket_domain": "Chat.example.org"}, "socket_domain must be a domain such as chat.example.org"),
    ({"socket_domain": "ws.example.org"}, "socket_domain and socket_certificate_arn need each other"),
    ({"socket_certificate_arn": CERTIFICATE}, "socket_domain and socket_certificate_arn need each other"),
    ({**CDN, "page_domain": "a.org", "page_certificate_arn": "x"}, "must be the ARN of an ACM certificate, not 'x'"),
    ({**WITH_DOMAINS, "page_certificate_arn": ELSEWHERE}, "page_certificate_arn must be in us-east-1"),
    ({**WITH_DOMAINS, "socket_certificate_arn": ELSEWHERE}, "socket_certificate_arn must be in us-east-1"),
    ({"zone_id": "example.org"}, "zone_id must be the id of a hosted zone such as Z0123456789"),
    ({"sign_in": "on"}, "sign_in must be off, optional or required, not 'on'"),
    ({"sign_in": "false"}, "sign_in must be off, optional or required, not 'false'"),
    ({"sign_in": "optional"}, "sign_in needs site_delivery cdn, since Cognito returns people only to https pages"),
    ({"sign_in": "required", "local_site_url": "http://127.0.0.1:80"}, "sign_in needs site_delivery cdn"),
    ({"protect": "1"}, "protect is unknown; Pulumi.yaml lists the keys"),
]


@pytest.mark.parametrize(("config", "words"), REFUSED, ids=[words[:40] for _, words in REFUSED])
def test_an_invalid_value_is_rejected_in_one_sentence(config: dict[str, Any], words: str) -> None:
    with pytest.raises(pulumi.RunError, match=r"^Config [^\n]*\.$") as refused:
        settings(**config)
    assert words in str(refused.value)


def test_each_key_has_an_invalid_value_above() -> None:
    assert {*BOUNDS, *(key for config, _ in REFUSED for key in config)} >= set(SCHEMA) - {
        "protect_messages",  # a boolean like `monitoring`
        "access_logs",
    }


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "page.example",
        "https://page.example/",
        "https://*.example",
        "https://a.example,https://b.example",
        "https://me@page.example",
        "https://page.example:443",
        "http://page.example:80",
        "https://page.example:99999",
        "https://page.example:",
        "ftp://page.example",
        "null",
        "https://[::1",
    ],
)
def test_origins_that_no_browser_sends_are_rejected(origin: str) -> None:
    with pytest.raises(pulumi.RunError, match="^Config allowed_origins must contain origins such as"):
        settings(allowed_origins=["https://good.example", origin])


def test_an_invalid_value_is_rejected_before_anything_is_created() -> None:
    registered = Plan()
    with pytest.raises(pulumi.RunError, match="^Config capacity must be"):
        plan(config={"capacity": "free"}, into=registered)
    assert registered.resources == []


def test_the_socket_certificate_is_in_the_stacks_region() -> None:
    with pytest.raises(pulumi.RunError, match="socket_certificate_arn must be in eu-north-1"):
        plan(config={**WITH_DOMAINS, "aws:region": "eu-north-1"})


@pytest.mark.parametrize("key", SCHEMA)
def test_pulumi_yaml_describes_each_key_and_has_its_only_default(key: str) -> None:
    entry = SCHEMA[key]
    assert entry["type"] in ("integer", "boolean", "string", "array")
    assert len(entry["description"]) > 10
    assert getattr(settings(), key) == entry["default"]


def test_pulumi_yaml_and_the_settings_have_the_same_keys() -> None:
    assert [field.name for field in fields(Settings)] == list(SCHEMA)


def test_values_are_accepted_as_text_and_as_their_type() -> None:
    """`pulumi up` passes config as text, with JSON for lists; automation programs may pass typed values."""
    as_text = settings(
        log_retention_days="14",
        protect_messages="True",
        allowed_origins='["https://a.example", "http://[::1]:8000"]',
        alert_email=" first.last+chat@mail.example.co.uk ",
    )
    as_values = settings(
        log_retention_days=14,
        protect_messages=True,
        allowed_origins=["https://a.example", "http://[::1]:8000"],
        alert_email="first.last+chat@mail.example.co.uk",
    )
    assert as_text == as_values
    assert (as_text.log_retention_days, as_text.protect_messages) == (14, True)


def test_config_from_the_cli_is_read_including_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    key = f"{pulumi.Config().name}:alert_email"
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({key: "me@example.org", "aws:region": "eu-west-1"}))
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps([key]))
    assert read_settings(PROJECT_FILE).alert_email == "me@example.org"
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({f"{key}s": "me@example.org"}))
    with pytest.raises(pulumi.RunError, match="alert_emails is unknown"):
        read_settings(PROJECT_FILE)


def test_the_retention_days_match_the_providers() -> None:
    documented = re.search(
        r"Possible values are: ([\d, ]+), and 0", aws.cloudwatch.log_group.LogGroupArgs.__init__.__doc__ or ""
    )
    assert documented
    for days in documented.group(1).split(", "):
        assert settings(log_retention_days=days).log_retention_days == int(days)


def test_the_stacks_file_sets_existing_keys_and_a_region() -> None:
    """It may set more keys than the repository's file, because `pulumi config set` writes to it."""
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8"))["config"]
    own = {key.partition(":")[2] for key in config if key.startswith("serverless-chat:")}
    assert own <= set(SCHEMA)
    assert config["aws:region"]


def test_every_resource_is_tagged_by_default() -> None:
    tags = yaml.safe_load(PROJECT_FILE.read_text(encoding="utf-8"))["config"]["aws:defaultTags"]["value"]["tags"]
    assert tags == {"Project": "serverless-chat", "ManagedBy": "Pulumi"}
