"""The page as delivered by website and distribution: types, cache headers, config.json, access."""

import gzip
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest

from chat_client.websocket import ChatSocket
from chat_stack.page import FIXED_FILES, TOOL_FILES
from components.static_site import CONTENT_TYPES
from tests.conftest import ROOT, Stack, running_stack

PAGE = ROOT / "frontend"
VERSION = re.compile(rb'"(v-[0-9a-f]{12}/)app\.js"')
IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def cdn() -> Iterator[Stack]:
    with running_stack("--no-watch", "--config", "site_delivery=cdn") as running:
        yield running


def fetched(url: str, **headers: str) -> tuple[int, Message, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read()


def version(stack: Stack) -> str:
    """Return the folder of the page's versioned files."""
    found = VERSION.search(fetched(stack.site_url)[2])
    assert found
    return found[1].decode()


def delivers_the_page(stack: Stack) -> None:
    folder = version(stack)
    for path in sorted(PAGE.rglob("*")):
        name = path.relative_to(PAGE).as_posix()
        if path.is_dir():
            continue
        if name in TOOL_FILES:
            assert fetched(f"{stack.site_url}/{folder}{name}")[0] == 404, f"{name} is not part of the page"
            continue
        keeps_its_url = name in ("index.html", *FIXED_FILES)
        url = f"{stack.site_url}/{name}" if keeps_its_url else f"{stack.site_url}/{folder}{name}"
        status, headers, body = fetched(url)
        assert (status, headers["Content-Type"]) == (200, CONTENT_TYPES[path.suffix])
        assert headers["Cache-Control"] == ("no-cache" if keeps_its_url else IMMUTABLE)
        if path.suffix not in (".html", ".webmanifest"):
            assert body == path.read_bytes()
        assert fetched(url, **{"If-None-Match": headers["ETag"]})[0] == 304
    status, headers, body = fetched(f"{stack.site_url}/config.json")
    assert headers.get_content_type() == "application/json"
    assert headers["Cache-Control"] == "max-age=300"
    assert json.loads(body)["websocketUrl"] == stack.websocket_url
    missing, _, body = fetched(f"{stack.site_url}/no-such-page")
    assert missing == 404
    assert b"<title>" in body


def test_the_website_delivers_the_page_uncompressed(stack: Stack) -> None:
    delivers_the_page(stack)
    _, headers, _ = fetched(f"{stack.site_url}/{version(stack)}app.js", **{"Accept-Encoding": "gzip, br"})
    assert headers["Content-Encoding"] is None


def test_the_distribution_delivers_text_compressed(cdn: Stack) -> None:
    for name in ("index.html", f"{version(cdn)}app.js", f"{version(cdn)}styles.css"):
        url = f"{cdn.site_url}/{name}"
        _, headers, body = fetched(url, **{"Accept-Encoding": "gzip, br"})
        assert headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(body) == fetched(url)[2]
        assert len(body) < len(fetched(url)[2]) / 2


def test_the_distribution_delivers_the_page_with_its_headers(cdn: Stack) -> None:
    delivers_the_page(cdn)
    _, headers, body = fetched(cdn.site_url)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "camera=()" in headers["Permissions-Policy"]
    with ChatSocket(cdn.websocket_url, origin=cdn.site_url) as page:
        assert page.ping()["room"] == "lobby"
    assert b"<title>" in body


def test_the_public_can_only_read_the_websites_objects(stack: Stack) -> None:
    bucket = f"{stack.endpoint_url}/{stack.outputs['site_bucket']}"
    assert fetched(f"{bucket}/index.html")[0] == 200
    assert fetched(bucket)[0] == 403
    change = urllib.request.Request(f"{bucket}/index.html", data=b"defaced", method="PUT")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(change, timeout=10)


def test_the_distributions_bucket_is_private(cdn: Stack) -> None:
    assert fetched(f"{cdn.endpoint_url}/{cdn.outputs['site_bucket']}/index.html")[0] == 403


def test_the_outputs_name_every_resource(stack: Stack) -> None:
    resources: dict[str, Any] = stack.outputs["resources"]
    assert {"ActiveConnections", "MessageHistory", "ChatAppWebSocket", "ChatAppConnect"} <= set(resources)
    assert all(str(arn).startswith("arn:aws:") for arn in resources.values())
