"""The local website endpoint and distribution: errors, revalidation, compression."""

import gzip
import http.client
from http.client import HTTPResponse

import pytest

from local.site import Site

OBJECTS: dict[str, tuple[dict[str, str], bytes]] = {
    "index.html": ({"Content-Type": "text/html; charset=utf-8", "ETag": '"page"'}, b"<!doctype html>" + b"x" * 2000),
    "small.css": ({"Content-Type": "text/css; charset=utf-8", "ETag": '"small"'}, b"x" * 999),
    "app.js": ({"Content-Type": "text/javascript; charset=utf-8", "ETag": '"app"'}, b"x" * 1000),
    "icon.png": ({"Content-Type": "image/png", "ETag": '"icon"'}, b"x" * 2000),
}
BROWSER = {"Accept-Encoding": "gzip, deflate, br"}


def read(key: str) -> tuple[int, dict[str, str], bytes]:
    return (200, *OBJECTS[key]) if key in OBJECTS else (403, {}, b"")


@pytest.fixture
def website() -> Site:
    site = Site(0)
    site.serve(read)
    return site


@pytest.fixture
def cdn() -> Site:
    site = Site(0)
    site.serve(read, {"X-Content-Type-Options": "nosniff"})
    return site


def ask(
    site: Site, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_the_page_is_the_index_and_the_error_document(website: Site) -> None:
    for path, status in (("/", 200), ("/index.html", 200), ("/?query", 200), ("/no/such", 404)):
        answer, body = ask(website, path)
        assert (answer.status, body) == (status, OBJECTS["index.html"][1])


def test_a_website_does_not_compress(website: Site) -> None:
    answer, body = ask(website, "/app.js", BROWSER)
    assert (answer.getheader("Content-Encoding"), answer.getheader("ETag"), body) == (None, '"app"', b"x" * 1000)


@pytest.mark.parametrize("path", ["/", "/app.js", "/no/such"])
def test_a_distribution_compresses_text(cdn: Site, path: str) -> None:
    answer, body = ask(cdn, path, BROWSER)
    assert answer.getheader("Content-Encoding") == "gzip"
    assert answer.getheader("Vary") == "Accept-Encoding"
    assert str(answer.getheader("ETag")).startswith('W/"')
    assert gzip.decompress(body) == OBJECTS["app.js" if path == "/app.js" else "index.html"][1]


@pytest.mark.parametrize("path", ["/small.css", "/icon.png"])
def test_a_distribution_does_not_compress_small_files_and_images(cdn: Site, path: str) -> None:
    answer, body = ask(cdn, path, BROWSER)
    assert answer.getheader("Content-Encoding") is None
    assert body == OBJECTS[path[1:]][1]


@pytest.mark.parametrize("accepted", ["", "br", "identity"])
def test_a_distribution_compresses_only_if_the_browser_accepts_gzip(cdn: Site, accepted: str) -> None:
    answer, body = ask(cdn, "/app.js", {"Accept-Encoding": accepted})
    assert answer.getheader("Content-Encoding") is None
    assert answer.getheader("Vary") == "Accept-Encoding"
    assert body == b"x" * 1000


@pytest.mark.parametrize("tag", ['"app"', 'W/"app"', '"other", W/"app"'])
@pytest.mark.parametrize("accepted", ["gzip", ""])
def test_a_cached_file_is_not_sent_again(cdn: Site, tag: str, accepted: str) -> None:
    answer, body = ask(cdn, "/app.js", {"If-None-Match": tag, "Accept-Encoding": accepted})
    assert (answer.status, body) == (304, b"")
    assert answer.getheader("Content-Length") is None
    assert answer.getheader("ETag")


@pytest.mark.parametrize("tag", ['"other"', "app", ""])
def test_an_outdated_file_is_sent_again(cdn: Site, tag: str) -> None:
    assert ask(cdn, "/app.js", {"If-None-Match": tag})[0].status == 200


def test_a_head_request_gets_only_the_headers(cdn: Site) -> None:
    asked, got = ask(cdn, "/app.js", BROWSER, "HEAD"), ask(cdn, "/app.js", BROWSER)
    assert asked[0].getheader("Content-Length") == got[0].getheader("Content-Length")
    assert asked[1] == b""
