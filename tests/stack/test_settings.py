"""The stack's config: what is refused, in which words, and before anything is made."""

import json
import re
from dataclasses import fields
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
import yaml
from pulumi.runtime.config import CONFIG

from components.settings import Settings, read_settings
from tests.stack.program import ACCOUNT, ROOT, WITH_DOMAINS, Run, run_program

PROJECT_FILE = ROOT / "Pulumi.yaml"
SCHEMA: dict[str, Any] = {
    key: entry for key, entry in yaml.safe_load(PROJECT_FILE.read_text())["config"].items() if ":" not in key
}
CERTIFICATE = WITH_DOMAINS["page_certificate_arn"]
CDN = {"site_delivery": "cdn"}
WRONG: list[tuple[dict[str, str], str]] = [
    *[
        ({key: value}, f"{key} must be from {low} to {high}, not {value}")
        for key, low, high in (
            ("throttle_rate_limit", 1, 10_000),
            ("throttle_burst_limit", 1, 5_000),
            ("message_retention_days", 0, 3650),
            ("message_burst", 1, 100),
            ("messages_per_second", 1, 100),
            ("posts_per_second", 10, 10_000),
            ("monthly_budget_usd", 1, 10_000),
        )
        for value in (str(low - 1), str(high + 1), "-5")
    ],
    *[
        ({key: value}, f"{key} must be a whole number, not '{value}'")
        for key, entry in SCHEMA.items()
        if entry["type"] == "integer"
        for value in ("many", "1.5", "", "1e3", "99999999999", "NaN", "٣٣٣٣٣٣٣٣٣٣")
    ],
    *[
        ({key: value}, f"{key} must be true or false, not '{value}'")
        for key, entry in SCHEMA.items()
        if entry["type"] == "boolean"
        for value in ("yes", "1", "")
    ],
    *[({"log_retention_days": days}, f"not {days}") for days in ("0", "2", "8", "3654", "-7")],
    *[
        ({"allowed_origins": value}, "allowed_origins must be a list of strings")
        for value in ("https://page.example", "[1]", '"https://page.example"', "{}", "[[]]", "", "null")
    ],
    *[
        ({"allowed_origins": json.dumps(["https://good.example", origin])}, "must hold origins such as")
        for origin in (
            "*",
            "",
            "page.example",
            "https://page.example/",
            "https://page.example/path",
            "https://*.example",
            "https://a.example,https://b.example",
            "https://a.example,b",
            "https://me@page.example",
            "https://page.example:443",
            "http://page.example:80",
            "https://page.example:99999",
            "https://page.example:",
            "https://page .example",
            "ftp://page.example",
            "null",
            "https://[::1",
        )
    ],
    (
        {"allowed_origins": json.dumps([f"https://page-{number}.example" for number in range(200)])},
        "allowed_origins must be of at most 2500 characters in all",
    ),
    *[
        ({"alert_email": value}, f"alert_email must be an e-mail address such as you@example.org, not {value!r}")
        for value in ("you", "you@", "@example.org", "you@example", "a b@example.org", "a@example.org,b@example.org")
    ],
    *[({"capacity": value}, "capacity must be on_demand or provisioned") for value in ("", "free", "On_Demand")],
    *[({"site_delivery": value}, "site_delivery must be website or cdn") for value in ("", "s3", "CDN")],
    *[
        ({key: value}, f"{key} must be an address such as http://127.0.0.1:4566")
        for key in ("endpoint_url", "local_site_url")
        for value in ("localhost:4566", "http://127.0.0.1:4566/", "http://", "ws://127.0.0.1")
    ],
    (
        {"page_domain": "chat.example.org", "page_certificate_arn": CERTIFICATE},
        "page_domain needs site_delivery cdn, since an S3 website has no certificate",
    ),
    *[
        ({**CDN, f"{kind}_domain": domain, f"{kind}_certificate_arn": CERTIFICATE}, f"{kind}_domain must be a domain")
        for kind in ("page", "socket")
        for domain in ("https://chat.example.org", "chat", "Chat.example.org", "chat_x.example.org", "a..org")
    ],
    *[
        ({**CDN, **given}, f"{kind}_domain and {kind}_certificate_arn need each other")
        for kind in ("page", "socket")
        for given in ({f"{kind}_domain": "chat.example.org"}, {f"{kind}_certificate_arn": CERTIFICATE})
    ],
    *[
        (
            {**CDN, f"{kind}_domain": "chat.example.org", f"{kind}_certificate_arn": arn},
            f"{kind}_certificate_arn must be the ARN of an ACM certificate",
        )
        for kind in ("page", "socket")
        for arn in ("certificate/0a1b", f"arn:aws:iam::{ACCOUNT}:server-certificate/x", CERTIFICATE + "/x")
    ],
    (
        {**WITH_DOMAINS, "page_certificate_arn": CERTIFICATE.replace("us-east-1", "eu-west-1")},
        "page_certificate_arn must be of us-east-1, where CloudFront looks for certificates",
    ),
    (
        {**WITH_DOMAINS, "socket_certificate_arn": CERTIFICATE.replace("us-east-1", "eu-west-1")},
        "socket_certificate_arn must be of us-east-1, the region of the API",
    ),
    *[({"zone_id": value}, "zone_id must be the id of a hosted zone") for value in ("example.org", "z123", "Z1/2")],
    *[
        ({key: "1"}, f"{key} is unknown; Pulumi.yaml lists the keys there are")
        for key in ("log_retention", "protect", "Capacity", "")
    ],
]


@pytest.mark.parametrize(
    ("config", "sentence"), WRONG, ids=lambda value: "" if isinstance(value, str) else str(value)[:60]
)
def test_a_wrong_value_is_refused_in_one_sentence_before_anything_is_made(
    config: dict[str, str], sentence: str
) -> None:
    registered = Run()
    with pytest.raises(pulumi.RunError) as refused:
        run_program(config=config, into=registered, more={"aws:region": "us-east-1"})
    said = str(refused.value)
    assert sentence in said
    assert re.fullmatch(r"Config [^\n]*\.", said)
    assert registered.resources == []


def test_each_key_has_a_wrong_value_above() -> None:
    assert {key for config, _ in WRONG for key in config} >= set(SCHEMA)


def settings_of(config: dict[str, Any]) -> Settings:
    """Read settings as the program does, without the rest of it."""
    before = CONFIG.get()
    try:
        pulumi.runtime.set_all_config({f"{pulumi.Config().name}:{key}": value for key, value in config.items()})
        return read_settings(PROJECT_FILE)
    finally:
        CONFIG.set(before)


@pytest.mark.parametrize("key", SCHEMA)
def test_pulumi_yaml_describes_each_key_and_holds_its_only_default(key: str) -> None:
    entry = SCHEMA[key]
    assert entry["type"] in ("integer", "boolean", "string", "array")
    assert len(entry["description"]) > 10
    assert getattr(settings_of({}), key) == entry["default"]


def test_pulumi_yaml_and_the_settings_have_the_same_keys() -> None:
    assert {field.name for field in fields(Settings)} == set(SCHEMA)


def test_a_setting_has_no_default_of_its_own() -> None:
    with pytest.raises(TypeError, match="missing 22 required"):
        Settings()  # type: ignore[call-arg] - that is the claim


RIGHT: dict[str, tuple[str, Any]] = {
    "log_retention_days": ("3653", 3653),
    "throttle_rate_limit": ("10000", 10_000),
    "throttle_burst_limit": ("5000", 5_000),
    "message_retention_days": ("0", 0),
    "protect_messages": ("true", True),
    "allowed_origins": ('["https://page.example", "http://[::1]:8000"]', ["https://page.example", "http://[::1]:8000"]),
    "message_burst": ("100", 100),
    "messages_per_second": ("1", 1),
    "posts_per_second": ("10", 10),
    "alert_email": (" first.last+chat@mail.example.co.uk ", "first.last+chat@mail.example.co.uk"),
    "monthly_budget_usd": ("10000", 10_000),
    "capacity": ("provisioned", "provisioned"),
    "monitoring": ("True", True),
    "access_logs": ("false", False),
    "site_delivery": ("cdn", "cdn"),
    "page_domain": ("chat.example.org", "chat.example.org"),
    "page_certificate_arn": (CERTIFICATE, CERTIFICATE),
    "socket_domain": ("ws.example.org", "ws.example.org"),
    "socket_certificate_arn": (CERTIFICATE, CERTIFICATE),
    "zone_id": ("Z0123456789ABCDEFGHIJ", "Z0123456789ABCDEFGHIJ"),
    "endpoint_url": ("http://127.0.0.1:4566", "http://127.0.0.1:4566"),
    "local_site_url": ("http://localhost:8000", "http://localhost:8000"),
}


def test_each_key_takes_what_the_engine_passes_a_text_or_json() -> None:
    """`pulumi up` hands config over as texts, whatever its type; JSON for what is structured."""
    given = settings_of({key: text for key, (text, _) in RIGHT.items()})
    assert {key: getattr(given, key) for key in RIGHT} == {key: value for key, (_, value) in RIGHT.items()}
    assert set(RIGHT) == set(SCHEMA)


def test_values_with_types_of_their_own_are_taken_as_well() -> None:
    """Automation programs and tests may set them so."""
    given = settings_of({"log_retention_days": 14, "protect_messages": True, "allowed_origins": ["https://a.example"]})
    assert given.log_retention_days == 14
    assert given.protect_messages is True
    assert given.allowed_origins == ["https://a.example"]


def test_config_from_the_engines_environment_is_read_and_a_secret_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = f"{pulumi.Config().name}:alert_email"
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({key: "me@example.org", "aws:region": "eu-west-1"}))
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps([key]))
    assert settings_of({}).alert_email == "me@example.org"
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({f"{key}s": "me@example.org"}))
    with pytest.raises(pulumi.RunError, match="alert_emails is unknown"):
        settings_of({})


def test_the_days_of_retention_are_those_of_the_provider() -> None:
    documented = re.search(r"Possible values are: ([\d, ]+), and 0", aws.cloudwatch.LogGroup.__init__.__doc__ or "")
    text = documented or re.search(
        r"Possible values are: ([\d, ]+), and 0", (aws.cloudwatch.log_group.LogGroupArgs.__init__.__doc__ or "")
    )
    assert text
    for days in text.group(1).split(", "):
        assert settings_of({"log_retention_days": days}).log_retention_days == int(days)


@pytest.mark.parametrize("stack", ["dev", "local"])
def test_a_stacks_file_sets_keys_that_there_are_and_a_region(stack: str) -> None:
    """Whoever has run `pulumi config set` has more in it than the repository, and must not find this red."""
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    own = {key.partition(":")[2] for key in config if key.startswith("serverless-chat:")}
    assert own <= set(SCHEMA)
    assert config["aws:region"]


def test_every_resource_is_tagged_by_default() -> None:
    tags = yaml.safe_load(PROJECT_FILE.read_text())["config"]["aws:defaultTags"]["value"]["tags"]
    assert tags == {"Project": "serverless-chat", "ManagedBy": "Pulumi"}


def test_the_emulators_stack_reaches_each_service_of_the_program_there() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
    (endpoints,) = config["aws:endpoints"]
    assert set(endpoints.values()) == {config["serverless-chat:endpoint_url"]}
    registered = run_program(config={**WITH_DOMAINS, "zone_id": ""}).resources
    services = {one.type.partition("/")[0].removeprefix("aws:") for one in registered if one.custom}
    logs = {"cloudwatchlogs"} if "cloudwatch" in services else set()
    assert services | logs | {"sts"} == set(endpoints)
    known = set(aws.config.outputs.Endpoints.__annotations__) | set(aws.ProviderEndpointArgs.__init__.__annotations__)
    assert set(endpoints) <= {name.rstrip("_") for name in known}
