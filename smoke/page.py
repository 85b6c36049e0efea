"""Page checks: it loads with its headers, and its config has the WebSocket URL."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from typing import Any
from urllib.parse import urljoin

from smoke.check import Check
from smoke.errors import CheckFailedError

TIMEOUT_SECONDS = 15.0
_SECURITY_HEADERS = (
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Permissions-Policy",
)


class PageChecks:
    """The checks of the page at `site_url`."""

    def __init__(self, outputs: dict[str, Any]) -> None:
        self._site_url: str = outputs["site_url"]
        self._websocket_url: str = outputs["websocket_url"]

    def all(self) -> Iterator[Check]:
        """Yield each check."""
        yield Check("the page loads with its headers", self.page)
        yield Check("the page has its WebSocket URL", self.config)

    def page(self) -> str:
        """Load the page as a browser does."""
        headers, body = fetch(self._site_url)
        if headers.get_content_type() != "text/html":
            found = headers.get("Content-Type")
            raise CheckFailedError(f"{self._site_url} is {found} instead of HTML: look at the bucket's index.html")
        missing = [name for name in _SECURITY_HEADERS if not headers.get(name)]
        if self._site_url.startswith("https:") and missing:
            raise CheckFailedError(
                f"it lacks the headers {', '.join(missing)}: see the distribution's response headers policy",
            )
        if b"Content-Security-Policy" not in body:
            raise CheckFailedError("its HTML has no Content-Security-Policy: is it this project's index.html?")
        return f"{len(body)} bytes from {self._site_url}"

    def config(self) -> str:
        """Read the file that tells the page where to connect."""
        url = read_config(self._site_url).get("websocketUrl")
        if url is None:
            raise CheckFailedError("config.json has no websocketUrl: run `pulumi up` again")
        if url != self._websocket_url:
            raise CheckFailedError(
                f"config.json names {url}, the stack {self._websocket_url}: run `pulumi up`, then reload without cache",
            )
        return url


def read_config(site_url: str) -> dict[str, Any]:
    """Return the page's config.json. Raises CheckFailedError or OSError."""
    _, body = fetch(urljoin(site_url, "config.json"))
    try:
        config = json.loads(body)
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise CheckFailedError("config.json is not a JSON object: run `pulumi up` again")
    return config


def fetch(url: str) -> tuple[Message, bytes]:
    """Return the headers and the body of a URL. Raises CheckFailedError or OSError."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            return answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            raise CheckFailedError(f"{url} returned {refused.code}: has the upload finished?") from None
