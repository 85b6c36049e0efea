"""The page as a browser gets it, by both deliveries: types, cache headers, config.json, and who may read what."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest

from chat_client.websocket import ChatSocket
from tests.conftest import ROOT, Stack, running_stack

PAGE = ROOT / "frontend"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


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


def delivers_the_page(stack: Stack) -> None:
    for path in sorted(PAGE.iterdir()):
        status, headers, body = fetched(f"{stack.site_url}/{path.name}")
        if path.suffix not in TYPES:
            assert body != path.read_bytes(), f"{path.name} is not part of the page"
            continue
        assert (status, headers.get_content_type()) == (200, TYPES[path.suffix])
        assert headers["Cache-Control"] == "no-cache"
        if path.suffix != ".html":
            assert body == path.read_bytes()
        again, _, _ = fetched(f"{stack.site_url}/{path.name}", **{"If-None-Match": headers["ETag"]})
        assert again == 304
    status, headers, body = fetched(f"{stack.site_url}/config.json")
    assert headers.get_content_type() == "application/json"
    assert json.loads(body)["websocketUrl"] == stack.websocket_url
    missing, _, body = fetched(f"{stack.site_url}/no-such-page")
    assert missing == 404
    assert b"<title>" in body


def test_the_website_delivers_the_page(stack: Stack) -> None:
    delivers_the_page(stack)


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


def test_the_public_may_read_the_websites_objects_and_no_more(stack: Stack) -> None:
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
