"""The site's resources: what is uploaded and how it is served."""

import re
from pathlib import Path

import pulumi
import pytest

from components.static_site import CONTENT_TYPES
from tests.stack.program import ROOT, VARIANTS, WITH_DOMAINS, WITH_EVERYTHING, Run, program

FRONTEND = ROOT / "frontend"


def objects(run: Run) -> dict[str, dict]:
    return {one.inputs["key"]: one.inputs for one in run.all("BucketObjectv2")}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_pages_files_and_its_config_are_uploaded_and_nothing_else(variant: str) -> None:
    served = {path.name for path in FRONTEND.iterdir() if path.suffix in CONTENT_TYPES}
    assert {"index.html", "styles.css", "app.js"} <= served
    assert set(objects(program(**VARIANTS[variant]))) == served | {"config.json"}


def test_the_settings_of_tools_stay_at_home() -> None:
    assert {"types.d.ts", "jsconfig.json"}.isdisjoint(objects(program()))


def test_each_file_has_its_type_and_is_asked_for_anew_on_every_load() -> None:
    expected = {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
        ".json": "application/json",
    }
    for key, given in objects(program()).items():
        assert given["contentType"] == expected[Path(key).suffix]
        assert given["cacheControl"] == "no-cache"


def test_a_file_is_uploaded_as_it_is() -> None:
    for key, given in objects(program()).items():
        if key != "config.json":
            assert isinstance(given["source"], pulumi.FileAsset)
            assert Path(given["source"].path).read_bytes() == (FRONTEND / key).read_bytes()
            assert "content" not in given


def test_a_file_is_an_object_of_its_own_so_that_a_removed_one_goes() -> None:
    run = program()
    assert {one.name for one in run.all("BucketObjectv2")} == {f"static-site-{key}" for key in objects(run)}


def test_the_page_is_told_the_output_and_nothing_more() -> None:
    run = program()
    assert run.one("BucketObjectv2", "config.json").json("content") == {"websocketUrl": run.outputs["websocket_url"]}
    assert run.one("Api").urn in run.waits_for(run.one("BucketObjectv2", "config.json"))


def test_the_website_has_the_specified_documents() -> None:
    given = program().one("BucketWebsiteConfiguration").inputs
    assert given["indexDocument"] == {"suffix": "index.html"}
    assert given["errorDocument"] == {"key": "index.html"}


def meta_policy() -> str:
    found = re.search(
        r'http-equiv="Content-Security-Policy"\s+content="([^"]+)"', (FRONTEND / "index.html").read_text()
    )
    assert found
    return found.group(1)


def directives(policy: str) -> dict[str, list[str]]:
    return {name: values for name, *values in (one.split() for one in policy.split(";") if one.strip())}


def test_the_pages_policy_lets_in_its_own_origin_alone_and_sockets_to_any_server() -> None:
    found = directives(meta_policy())
    assert found.pop("connect-src") == ["'self'", "wss:"]
    foreign = {name: values for name, values in found.items() if not set(values) <= {"'self'", "'none'"}}
    assert set(foreign) <= {"trusted-types", "require-trusted-types-for"}
    assert found["default-src"] in (["'self'"], ["'none'"])


def test_a_meta_policy_names_nothing_that_only_a_header_can_say() -> None:
    """Browsers ignore these there."""
    assert not {"frame-ancestors", "report-uri", "sandbox"} & set(directives(meta_policy()))


def test_the_cdn_sends_the_pages_policy_as_a_header_and_adds_what_only_a_header_can_say() -> None:
    given = program(**WITH_EVERYTHING).one("ResponseHeadersPolicy").inputs
    security = given["securityHeadersConfig"]
    sent = directives(security["contentSecurityPolicy"]["contentSecurityPolicy"])
    assert sent.pop("frame-ancestors") == ["'none'"]
    assert sent == directives(meta_policy())
    assert security["strictTransportSecurity"]["accessControlMaxAgeSec"] == 31_536_000
    assert security["frameOptions"]["frameOption"] == "DENY"
    assert security["referrerPolicy"]["referrerPolicy"] == "no-referrer"
    assert security["contentTypeOptions"]["override"] is True
    assert all(one["override"] for one in security.values())
    (permissions,) = given["customHeadersConfig"]["items"]
    assert permissions["header"] == "Permissions-Policy"


def test_the_cdn_serves_https_compressed_over_http_2_and_3_from_the_private_bucket() -> None:
    run = program(**WITH_EVERYTHING)
    given = run.one("Distribution").inputs
    behaviour = given["defaultCacheBehavior"]
    assert given["httpVersion"] == "http2and3"
    assert given["isIpv6Enabled"] is True
    assert given["defaultRootObject"] == "index.html"
    assert behaviour["viewerProtocolPolicy"] == "redirect-to-https"
    assert behaviour["compress"] is True
    assert behaviour["allowedMethods"] == ["GET", "HEAD"]
    assert behaviour["responseHeadersPolicyId"] == "static-site-headers-id"
    (origin,) = given["origins"]
    assert origin["domainName"] == run.one("Bucket").state["bucketRegionalDomainName"]
    assert origin["originAccessControlId"] == "static-site-access-control-id"
    assert run.one("OriginAccessControl").inputs == {
        "originAccessControlOriginType": "s3",
        "signingBehavior": "always",
        "signingProtocol": "sigv4",
    }
    assert given["viewerCertificate"] == {"cloudfrontDefaultCertificate": True}


def test_the_origin_check_follows_the_delivery() -> None:
    for config, origin in (
        (WITH_EVERYTHING, "https://d111111abcdef8.cloudfront.net"),
        (WITH_DOMAINS, "https://chat.example.org"),
    ):
        run = program(**config)
        assert run.outputs["site_url"] == origin
        assert run.one("Function", "ChatAppConnect").inputs["environment"]["variables"]["ALLOWED_ORIGINS"] == origin


def test_a_domain_of_ones_own_needs_modern_tls() -> None:
    given = program(**WITH_DOMAINS).one("Distribution").inputs
    assert given["aliases"] == ["chat.example.org"]
    assert given["viewerCertificate"] == {
        "acmCertificateArn": WITH_DOMAINS["page_certificate_arn"],
        "sslSupportMethod": "sni-only",
        "minimumProtocolVersion": "TLSv1.2_2021",
    }


def test_only_the_local_run_lets_the_page_use_an_unencrypted_socket() -> None:
    local = program(stack="local", endpoint_url="http://127.0.0.1:4566", local_site_url="http://localhost:4600")
    page = objects(local)["index.html"]["content"]
    assert "connect-src 'self' wss: ws:" in page
    assert local.outputs["site_url"] == "http://localhost:4600"
    assert local.outputs["websocket_url"].startswith("ws://127.0.0.1:4566/")
    assert " ws:" not in meta_policy()


def test_the_header_of_a_local_cdn_lets_the_same_sockets_in_as_its_page() -> None:
    local = program(stack="local", endpoint_url="http://127.0.0.1:4566", site_delivery="cdn")
    security = local.one("ResponseHeadersPolicy").inputs["securityHeadersConfig"]
    sent = directives(security["contentSecurityPolicy"]["contentSecurityPolicy"])
    assert sent["connect-src"] == ["'self'", "wss:", "ws:"]


def test_with_an_emulator_but_no_local_site_the_page_is_read_from_the_bucket() -> None:
    run = program(stack="local", endpoint_url="http://127.0.0.1:4566")
    assert run.outputs["site_url"] == "http://127.0.0.1:4566/chatapp-site-local-0123456789/index.html"
    origins = run.one("Function", "ChatAppConnect-local").inputs["environment"]["variables"]["ALLOWED_ORIGINS"]
    assert origins == "http://127.0.0.1:4566"
