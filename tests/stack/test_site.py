"""The page's resources: what is uploaded and how it is served."""

import json
import re
from pathlib import Path
from typing import Any

import pulumi
import pytest

from chat_stack.page import FIXED_FILES, TOOL_FILES
from local.plan import Plan
from tests.stack.program import ROOT, VARIANTS, WITH_DOMAINS, WITH_EVERYTHING, program

FRONTEND = ROOT / "frontend"
VERSION = re.compile(r"^v-[0-9a-f]{12}/")
LOCAL = {"endpoint_url": "http://127.0.0.1:4566", "local_site_url": "http://localhost:4600"}


def objects(plan: Plan) -> dict[str, dict[str, Any]]:
    return {one.inputs["key"]: one.inputs for one in plan.all("BucketObjectv2")}


def served(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return path in frontend/ → object; those of the versioned folder are found by their path in it."""
    found = {VERSION.sub("", key): given for key, given in objects(plan).items()}
    assert len(found) == len(objects(plan)), "no file is stored twice"
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_pages_files_and_its_config_are_uploaded_and_nothing_else(variant: str) -> None:
    expected = {path.relative_to(FRONTEND).as_posix() for path in FRONTEND.rglob("*") if path.is_file()}
    expected -= {*TOOL_FILES}
    assert {"index.html", "styles.css", "app.js", "client/client.js"} <= expected
    assert set(served(program(**VARIANTS[variant]))) == expected | {"config.json"}


def test_each_file_has_its_type() -> None:
    expected = {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
        ".png": "image/png",
        ".json": "application/json",
        ".webmanifest": "application/manifest+json",
    }
    for key, given in objects(program()).items():
        assert given["contentType"] == expected[Path(key).suffix]


def test_only_files_with_a_fixed_url_are_requested_again() -> None:
    by_caching: dict[str, set[str]] = {}
    for key, given in objects(program()).items():
        by_caching.setdefault(given["cacheControl"], set()).add(key)
    assert by_caching.pop("no-cache") == {"index.html", *FIXED_FILES}
    assert by_caching.pop("max-age=300") == {"config.json"}
    assert by_caching.pop("public, max-age=31536000, immutable") == {
        key for key in objects(program()) if VERSION.match(key)
    }
    assert by_caching == {}


def test_all_versioned_files_are_in_one_folder() -> None:
    """Modules import each other relatively, and a page must not get some of another version."""
    assert len({found[0] for key in objects(program()) if (found := VERSION.match(key))}) == 1


def test_a_file_is_uploaded_as_it_is_unless_it_links_versioned_files() -> None:
    changed = set()
    for name, given in served(program()).items():
        if "content" in given:
            changed.add(name)
        else:
            assert isinstance(given["source"], pulumi.FileAsset)
            assert Path(given["source"].path) == FRONTEND / name
    assert changed == {"index.html", "manifest.webmanifest", "config.json"}


@pytest.mark.parametrize("local", [{}, LOCAL], ids=["on AWS", "local"])
def test_each_relative_link_of_the_page_and_its_manifest_names_an_object(local: dict[str, str]) -> None:
    stored = objects(program(**local))
    links = re.findall(r'\s(?:href|src)="([^"#/][^"]*)"', stored["index.html"]["content"])
    links += [one["src"] for one in json.loads(stored["manifest.webmanifest"]["content"])["icons"]]
    assert {"manifest.webmanifest"} < set(links)
    assert [link for link in links if link not in stored] == []


def test_the_page_is_stored_after_its_files() -> None:
    """Otherwise a visitor could get a new page whose files are not there yet."""
    plan = program()
    before = plan.waits_for(plan.one("BucketObjectv2", "index.html"))
    others = {one.urn for one in plan.all("BucketObjectv2") if one.inputs["key"] not in ("index.html", "config.json")}
    assert others <= before


def test_each_file_is_an_object_so_that_a_deleted_one_is_deleted() -> None:
    plan = program()
    uploaded = {one.name for one in plan.all("BucketObjectv2")} - {"site-config-object"}
    assert uploaded == {f"static-site-files-{key}" for key in objects(plan) if key != "config.json"}


def test_the_pages_config_is_the_websocket_url_alone() -> None:
    plan = program()
    assert plan.one("BucketObjectv2", "config.json").json("content") == {"websocketUrl": plan.outputs["websocket_url"]}
    assert plan.one("Api").urn in plan.waits_for(plan.one("BucketObjectv2", "config.json"))


def test_only_the_pages_config_waits_for_the_api() -> None:
    """The functions need the page's origin: a page that waited for the API would wait for itself."""
    plan = program()
    api = plan.one("Api").urn
    assert [
        one.name for one in plan.resources if one.name.startswith("static-site") and api in plan.waits_for(one)
    ] == []


def test_the_website_has_the_specified_documents() -> None:
    given = program().one("BucketWebsiteConfiguration").inputs
    assert given["indexDocument"] == {"suffix": "index.html"}
    assert given["errorDocument"] == {"key": "index.html"}


def meta_policy() -> str:
    found = re.search(
        r'http-equiv="Content-Security-Policy"\s+content="([^"]+)"',
        (FRONTEND / "index.html").read_text(encoding="utf-8"),
    )
    assert found
    return found.group(1)


def directives(policy: str) -> dict[str, list[str]]:
    return {name: values for name, *values in (one.split() for one in policy.split(";") if one.strip())}


def test_the_pages_policy_allows_its_own_origin_and_sockets_to_any_server() -> None:
    found = directives(meta_policy())
    assert found.pop("connect-src") == ["'self'", "wss:"]
    foreign = {name: values for name, values in found.items() if not set(values) <= {"'self'", "'none'"}}
    assert set(foreign) <= {"trusted-types", "require-trusted-types-for"}
    assert found["default-src"] in (["'self'"], ["'none'"])


def test_a_meta_policy_has_no_directive_that_only_works_in_a_header() -> None:
    """Browsers ignore them there."""
    assert not {"frame-ancestors", "report-uri", "sandbox"} & set(directives(meta_policy()))


def test_the_cdn_sends_the_pages_policy_as_a_header_and_forbids_framing() -> None:
    plan = program(**WITH_EVERYTHING)
    given = plan.one("ResponseHeadersPolicy").inputs
    security = given["securityHeadersConfig"]
    sent = directives(security["contentSecurityPolicy"]["contentSecurityPolicy"])
    assert sent.pop("frame-ancestors") == ["'none'"]
    assert sent.pop("connect-src") == ["'self'", "wss:", plan.outputs["login_url"]]
    expected = directives(meta_policy())
    assert expected.pop("connect-src") == ["'self'", "wss:"]
    assert sent == expected
    assert security["strictTransportSecurity"]["accessControlMaxAgeSec"] == 31_536_000
    assert security["frameOptions"]["frameOption"] == "DENY"
    assert security["referrerPolicy"]["referrerPolicy"] == "no-referrer"
    assert security["contentTypeOptions"]["override"] is True
    assert all(one["override"] for one in security.values())
    custom = {one["header"]: one["value"] for one in given["customHeadersConfig"]["items"]}
    assert set(custom) == {"Cross-Origin-Opener-Policy", "Permissions-Policy"}
    assert custom["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_cdn_serves_https_compressed_over_http_2_and_3_from_the_private_bucket() -> None:
    plan = program(**WITH_EVERYTHING)
    given = plan.one("Distribution").inputs
    behaviour = given["defaultCacheBehavior"]
    assert given["httpVersion"] == "http2and3"
    assert given["isIpv6Enabled"] is True
    assert given["defaultRootObject"] == "index.html"
    assert behaviour["viewerProtocolPolicy"] == "redirect-to-https"
    assert behaviour["compress"] is True
    # CachingOptimized: compresses by gzip and Brotli, and keeps what has `no-cache` for a second at most.
    assert behaviour["cachePolicyId"] == "658327ea-f89d-4fab-a63d-7e88639e58f6"
    assert behaviour["allowedMethods"] == ["GET", "HEAD"]
    assert behaviour["responseHeadersPolicyId"] == "static-site-cdn-headers-id"
    (origin,) = given["origins"]
    assert origin["domainName"] == plan.one("Bucket").state["bucketRegionalDomainName"]
    assert origin["originAccessControlId"] == "static-site-cdn-access-control-id"
    assert plan.one("OriginAccessControl").inputs == {
        "originAccessControlOriginType": "s3",
        "signingBehavior": "always",
        "signingProtocol": "sigv4",
    }
    assert given["viewerCertificate"] == {"cloudfrontDefaultCertificate": True}


def test_the_allowed_origin_follows_the_delivery() -> None:
    for config, origin in (
        (WITH_EVERYTHING, "https://d111111abcdef8.cloudfront.net"),
        (WITH_DOMAINS, "https://chat.example.org"),
    ):
        plan = program(**config)
        assert plan.outputs["site_url"] == origin
        assert plan.one("Function", "ChatAppConnect").inputs["environment"]["variables"]["ALLOWED_ORIGINS"] == origin


def test_a_custom_domain_requires_tls_1_2() -> None:
    given = program(**WITH_DOMAINS).one("Distribution").inputs
    assert given["aliases"] == ["chat.example.org"]
    assert given["viewerCertificate"] == {
        "acmCertificateArn": WITH_DOMAINS["page_certificate_arn"],
        "sslSupportMethod": "sni-only",
        "minimumProtocolVersion": "TLSv1.2_2021",
    }


def test_only_the_local_run_lets_the_page_use_an_unencrypted_socket() -> None:
    local = program(stack="local", **LOCAL)
    page = objects(local)["index.html"]["content"]
    assert "connect-src 'self' wss: ws:" in page
    assert local.outputs["site_url"] == "http://localhost:4600"
    assert local.outputs["websocket_url"].startswith("ws://127.0.0.1:4566/")
    assert " ws:" not in meta_policy()


def test_the_header_of_a_local_cdn_allows_the_same_sockets_as_its_page() -> None:
    local = program(stack="local", endpoint_url="http://127.0.0.1:4566", site_delivery="cdn")
    security = local.one("ResponseHeadersPolicy").inputs["securityHeadersConfig"]
    sent = directives(security["contentSecurityPolicy"]["contentSecurityPolicy"])
    assert sent["connect-src"] == ["'self'", "wss:", "ws:"]


def test_with_an_emulator_and_no_local_site_the_page_is_read_from_the_bucket() -> None:
    plan = program(stack="local", endpoint_url="http://127.0.0.1:4566")
    assert plan.outputs["site_url"] == "http://127.0.0.1:4566/chatapp-site-local-0123456789/index.html"
    origins = plan.one("Function", "ChatAppConnect-local").inputs["environment"]["variables"]["ALLOWED_ORIGINS"]
    assert origins == "http://127.0.0.1:4566"
