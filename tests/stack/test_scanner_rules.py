"""docs/scanner-rules.md matches the program for each rule."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from local.plan import Plan, Registered
from tests.stack.program import ROOT, WITH_DOMAINS, program, statements, trust

UNTOUCHED: dict[str, str] = {}
STRICTEST = {**WITH_DOMAINS, "capacity": "on_demand", "log_retention_days": "365"}
ASKED_FOR = {
    *(f"CKV_AWS_{number}" for number in (28, 45, 50, 53, 54, 55, 56, 57, 66, 86, 95, 119, 158, 173, 174)),
    *(f"CKV_AWS_{number}" for number in (259, 309, 338, 363, 364)),
    *(f"APIGateway.{number}" for number in (1, 8, 9)),
    *(f"DynamoDB.{number}" for number in (1, 2, 6)),
    *(f"Lambda.{number}" for number in (1, 2)),
    *(f"S3.{number}" for number in (1, 2, 3, 5, 8)),
    *(f"CloudFront.{number}" for number in (1, 3, 10, 12, 13)),
    *(f"Cognito.{number}" for number in (1, 3, 4, 5, 6)),
}
CURRENT_RUNTIMES = {"python3.12", "python3.13", "python3.14"}
TABLE = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in (ROOT / "docs" / "scanner-rules.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| [A-Z]\w+[._]\w+", line)
]

Check = Callable[[Plan], bool | None]
"""Returns whether a rule is met; None if it does not apply."""


def each(kind: str, holds: Callable[[dict[str, Any]], bool]) -> Check:
    def check(plan: Plan) -> bool | None:
        found = plan.all(kind)
        return all(holds(one.inputs) for one in found) if found else None

    return check


def blocks(*names: str) -> Check:
    return each("BucketPublicAccessBlock", lambda given: all(given[name] for name in names))


def allows(plan: Plan, principal: object) -> set[str]:
    """Return the actions that the bucket's policy allows to a principal."""
    found = statements(plan.one("BucketPolicy")).values()
    return {one["Action"] for one in found if one["Effect"] == "Allow" and one["Principal"] == principal}


def no_secrets(given: dict[str, Any]) -> bool:
    variables = given["environment"]["variables"]
    named = any(re.search("SECRET|TOKEN|PASSWORD|KEY(?!S_URL$)", name) for name in variables)
    return not named and not any(re.search(r"(AKIA|ASIA)[A-Z0-9]{16}", value) for value in variables.values())


def only_by_tls(plan: Plan) -> bool:
    denied = statements(plan.one("BucketPolicy")).get("OnlyByTls", {})
    bucket = plan.one("Bucket").state["arn"]
    return (
        denied.get("Effect") == "Deny"
        and (denied["Principal"], denied["Action"]) == ("*", "s3:*")
        and denied["Resource"] == [bucket, f"{bucket}/*"]
        and denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    )


def only_this_api_and_topic_call(plan: Plan) -> bool:
    roles = {trust(one) for one in plan.all("Role")}
    topics = {one.state["arn"] for one in plan.all("Topic")}
    return roles <= {"lambda.amazonaws.com", "apigateway.amazonaws.com"} and all(
        one.inputs["sourceArn"].startswith("arn:aws:execute-api")
        if one.inputs["principal"] == "apigateway.amazonaws.com"
        else one.inputs["principal"] == "sns.amazonaws.com" and one.inputs["sourceArn"] in topics
        for one in plan.all("Permission")
    )


def origin_is_own_bucket(plan: Plan) -> bool | None:
    def is_own(distribution: Registered) -> bool:
        own = plan.one("Bucket").state["bucketRegionalDomainName"]
        return all(origin["domainName"] == own for origin in distribution.inputs["origins"])

    return all(map(is_own, plan.all("Distribution"))) if plan.all("Distribution") else None


def strict_transport(given: dict[str, Any]) -> bool:
    header = given["securityHeadersConfig"]["strictTransportSecurity"]
    year = 31_536_000
    return header["accessControlMaxAgeSec"] >= year and all(
        header.get(name) is True for name in ("includeSubdomains", "override", "preload")
    )


def threat_protection(given: dict[str, Any]) -> bool:
    return given.get("userPoolAddOns", {}).get("advancedSecurityMode") == "ENFORCED"


def strong_passwords(given: dict[str, Any]) -> bool:
    policy = given["passwordPolicy"]
    kinds = ("requireLowercase", "requireUppercase", "requireNumbers", "requireSymbols")
    return (
        policy["minimumLength"] >= 8
        and policy["temporaryPasswordValidityDays"] <= 7
        and all(policy[kind] for kind in kinds)
    )


recoverable = each("Table", lambda given: given["pointInTimeRecovery"]["enabled"])
authorized = each("Route", lambda given: given.get("authorizationType", "NONE") != "NONE")
logged = each("Stage", lambda given: "accessLogSettings" in given)
current = each("Function", lambda given: given["runtime"] in CURRENT_RUNTIMES)

CHECKS: dict[str, Check] = {
    "CKV_AWS_28": recoverable,
    "CKV_AWS_45": each("Function", no_secrets),
    "CKV_AWS_50": each("Function", lambda given: given.get("tracingConfig", {}).get("mode") == "Active"),
    "CKV_AWS_53": blocks("blockPublicAcls"),
    "CKV_AWS_54": blocks("blockPublicPolicy"),
    "CKV_AWS_55": blocks("ignorePublicAcls"),
    "CKV_AWS_56": blocks("restrictPublicBuckets"),
    "CKV_AWS_57": lambda plan: not plan.all("BucketAcl") and allows(plan, "*") <= {"s3:GetObject"},
    "CKV_AWS_66": each("LogGroup", lambda given: given["retentionInDays"] > 0),
    "CKV_AWS_86": each("Distribution", lambda given: "loggingConfig" in given),
    "CKV_AWS_95": logged,
    "CKV_AWS_119": each("Table", lambda given: "kmsKeyArn" in given.get("serverSideEncryption", {})),
    "CKV_AWS_158": each("LogGroup", lambda given: "kmsKeyId" in given),
    "CKV_AWS_173": each("Function", lambda given: "kmsKeyArn" in given),
    "CKV_AWS_174": each(
        "Distribution", lambda given: given["viewerCertificate"].get("minimumProtocolVersion", "").startswith("TLSv1.2")
    ),
    "CKV_AWS_259": each("ResponseHeadersPolicy", strict_transport),
    "CKV_AWS_309": authorized,
    "CKV_AWS_338": each("LogGroup", lambda given: given["retentionInDays"] >= 365),
    "CKV_AWS_363": current,
    "CKV_AWS_364": each("Permission", lambda given: "sourceArn" in given),
    "APIGateway.1": each("Stage", lambda given: "loggingLevel" in given["defaultRouteSettings"]),
    "APIGateway.8": authorized,
    "APIGateway.9": logged,
    "DynamoDB.1": each("Table", lambda given: given["billingMode"] == "PAY_PER_REQUEST"),
    "DynamoDB.2": recoverable,
    "DynamoDB.6": each("Table", lambda given: given["deletionProtectionEnabled"]),
    "Lambda.1": only_this_api_and_topic_call,
    "Lambda.2": current,
    "S3.1": lambda plan: bool(plan.all("AccountPublicAccessBlock")),
    "S3.2": lambda plan: not allows(plan, "*"),
    "S3.3": lambda plan: not plan.all("BucketAcl") and allows(plan, "*") <= {"s3:GetObject"},
    "S3.5": only_by_tls,
    "S3.8": blocks("blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets"),
    "CloudFront.1": each("Distribution", lambda given: given["defaultRootObject"] == "index.html"),
    "CloudFront.3": each(
        "Distribution", lambda given: given["defaultCacheBehavior"]["viewerProtocolPolicy"] == "redirect-to-https"
    ),
    "CloudFront.10": each(
        "Distribution", lambda given: not any("customOriginConfig" in origin for origin in given["origins"])
    ),
    "CloudFront.12": origin_is_own_bucket,
    "CloudFront.13": each(
        "Distribution", lambda given: all("originAccessControlId" in origin for origin in given["origins"])
    ),
    "Cognito.1": each("UserPool", threat_protection),
    "Cognito.3": each("UserPool", strong_passwords),
    "Cognito.4": each("UserPool", threat_protection),
    "Cognito.5": each(
        "UserPool",
        lambda given: (
            given["mfaConfiguration"] != "OFF" or {"PASSWORD"} != {*given["signInPolicy"]["allowedFirstAuthFactors"]}
        ),
    ),
    "Cognito.6": each("UserPool", lambda given: given["deletionProtection"] == "ACTIVE"),
}


def test_each_rule_is_in_the_table_once_and_has_a_check() -> None:
    rules = [row[0] for row in TABLE]
    assert len(rules) == len(set(rules))
    assert set(rules) == ASKED_FOR == set(CHECKS)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_the_table_matches_whether_the_program_meets_each_rule(row: list[str]) -> None:
    rule, _, *verdicts, reason = row
    said = {True: "met", False: "exception", None: "–"}
    found = [said[CHECKS[rule](program(**config))] for config in (UNTOUCHED, STRICTEST)]
    assert verdicts == found
    assert "exception" not in verdicts or len(reason) > 10


def test_the_strictest_config_matches_the_document() -> None:
    text = (ROOT / "docs" / "scanner-rules.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"pulumi config set (\w+) (\w+)", text))
    assert documented == {key: STRICTEST[key] for key in documented}
    assert {"site_delivery", "sign_in", "protect_messages", "access_logs", "log_retention_days"} == set(documented)
