"""What is checked of a stack, one after the other. A check returns what it saw, or raises with what to do."""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Self
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from websockets.exceptions import InvalidStatus, WebSocketException

from smoke.account import Account, Wrong
from smoke.client import SECONDS, Client, Silent

FOREIGN = "https://foreign.example"
_SECURITY_HEADERS = (
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Permissions-Policy",
)
_REFUSED = 403


class Failed(Exception):  # noqa: N818 - what happened
    """The check failed; the text says why, and what to do."""


class LeftOut(Exception):  # noqa: N818 - what happened
    """There was nothing to check; the text says why."""


Check = Callable[[], str]


class Checks:
    """The checks of one stack. They share one conversation, which ends when this is closed."""

    def __init__(self, outputs: dict[str, Any], account: Account | None) -> None:
        self._outputs = outputs
        self._account = account
        self._url: str = outputs["websocket_url"]
        self._site: str = outputs["site_url"]
        self._room = f"smoke-{uuid.uuid4().hex[:12]}"
        self._said: list[dict[str, Any]] = []
        self._open = ExitStack()
        self._ada: Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def all(self) -> Iterator[tuple[str, Check]]:
        """Yield each check with its name, in an order in which each finds what it needs."""
        yield "the page loads, with its headers", self.page
        yield "the page knows its socket", self.page_config
        yield "a foreign page is refused", self.foreign_origin
        yield "the own page is let in", self.own_origin
        yield "two clients exchange a message", self.exchange
        yield "a message sent twice is stored once", self.sent_twice
        yield "history is read", self.history
        yield "who comes back gets what was missed", self.resume
        yield "a wrong frame is answered", self.wrong_frame
        yield "an empty message is answered", self.empty_message
        yield "a flood is told to slow down", self.rate_limit
        if self._account is not None:
            yield "the tables hold the rows", self.rows
            yield from self._of_account(self._account)

    def _of_account(self, account: Account) -> Iterator[tuple[str, Check]]:
        for name, check in (
            ("the functions are as specified", account.functions),
            ("their log groups expire", account.log_groups),
            ("the stage takes frames", account.stage),
            ("each route can answer", account.routes),
            ("the budgets stand", account.budgets),
        ):
            yield name, _told(check)

    def page(self) -> str:
        """Load the page as a browser does."""
        headers, body = self._fetch(self._site)
        if "text/html" not in headers.get("Content-Type", ""):
            raise Failed(f"{self._site} is no HTML but {headers.get('Content-Type')}: look at the bucket's index.html")
        missing = [name for name in _SECURITY_HEADERS if not headers.get(name)]
        if self._site.startswith("https:") and missing:
            raise Failed(f"it comes without {', '.join(missing)}: look at the distribution's response headers policy")
        if b"Content-Security-Policy" not in body:
            raise Failed("its HTML names no Content-Security-Policy: is it this project's index.html?")
        return f"{len(body)} bytes from {self._site}"

    def page_config(self) -> str:
        """Read what tells the page where to connect."""
        _, body = self._fetch(f"{self._origin}{_folder(self._site)}config.json")
        try:
            url = json.loads(body)["websocketUrl"]
        except (ValueError, KeyError, TypeError):
            raise Failed("config.json names no websocketUrl: run `pulumi up` again") from None
        if url != self._url:
            raise Failed(f"config.json names {url}, the stack {self._url}: run `pulumi up`, then reload without cache")
        return url

    def foreign_origin(self) -> str:
        """Come from somebody else's page, which must not use a visitor's browser."""
        try:
            with Client(self._url, origin=FOREIGN):
                raise Failed(f"{FOREIGN} was let in: look at ALLOWED_ORIGINS of the function behind $connect")
        except InvalidStatus as refused:
            status = refused.response.status_code
            if status != _REFUSED:
                raise Failed(f"it is answered by {status} instead of 403: {_reason(status)}") from None
        return f"403 for {FOREIGN}"

    def own_origin(self) -> str:
        """Come from the stack's own page."""
        with self._client(origin=self._origin):
            return self._origin

    def exchange(self) -> str:
        """Say something in one tab and hear it in another."""
        ada = self._open.enter_context(self._client())
        ada.joins(self._room, name="Smoke A")
        bob = self._open.enter_context(self._client())
        bob.joins(self._room, name="Smoke B")
        begun = time.monotonic()
        message_id = str(uuid.uuid4())
        ada.say("sendmessage", message="Hello from make smoke", messageId=message_id)
        own = ada.hears("message", messageId=message_id)
        other = bob.hears("message", messageId=message_id)
        if own != other:
            raise Failed(f"the two copies differ: {own} and {other}")
        self._ada, self._said = ada, [own]
        return f"after {(time.monotonic() - begun) * 1000:.0f} ms, as number {own['seq']} of room {self._room}"

    def sent_twice(self) -> str:
        """Send one messageId twice (guarantee 4)."""
        ada, first = self._conversation()
        ada.say("sendmessage", message="Hello again", messageId=first["messageId"])
        again = ada.hears("message", messageId=first["messageId"])
        if again["seq"] != first["seq"] or again["message"] != first["message"]:
            raise Failed(f"it was stored anew, as number {again['seq']}: look at the log of the function that sends")
        return f"still number {first['seq']}"

    def history(self) -> str:
        """Ask for a page of what was said."""
        ada, first = self._conversation()
        ada.say("history", limit=10)
        page = ada.hears("history", room=self._room)
        if [one["messageId"] for one in page["messages"]] != [first["messageId"]]:
            raise Failed(f"it holds {len(page['messages'])} messages instead of the one that was said")
        return "1 message"

    def resume(self) -> str:
        """Come back after one message, having missed another (guarantee 3)."""
        ada, first = self._conversation()
        missed = str(uuid.uuid4())
        ada.say("sendmessage", message="Missed by B", messageId=missed)
        ada.hears("message", messageId=missed)
        with self._client() as back:
            joined = back.joins(self._room, after=first["seq"])
        if [one["messageId"] for one in joined["messages"]] != [missed]:
            raise Failed(f"{len(joined['messages'])} messages came instead of the one that was missed")
        return f"exactly 1 message after number {first['seq']}"

    def wrong_frame(self) -> str:
        """Send what no route knows."""
        return self._refusal("dance", {}, "Invalid request")

    def empty_message(self) -> str:
        """Send a message without text."""
        return self._refusal("sendmessage", {"message": " "}, "Message is required")

    def _refusal(self, action: str, fields: dict[str, Any], sentence: str) -> str:
        with self._client() as client:
            client.say(action, **fields)
            answer = client.hears("error")
        if answer.get("error") != sentence:
            raise Failed(f"the answer is {answer.get('error')!r} instead of {sentence!r}")
        return sentence

    def rate_limit(self) -> str:
        """Send too many pings, which leave no message behind."""
        with self._client() as client:
            for _ in range(25):
                client.say("ping")
            answer = client.hears("error", code="rate_limited")
        return f"again after {answer['retryAfterMs']} ms"

    def rows(self) -> str:
        """Look for what the conversation has left in the two tables."""
        ada, first = self._conversation()
        if self._account is None:
            raise LeftOut("no account was asked")
        for table, key in (
            (self._outputs["messages_table"], {name: first[name] for name in ("messageId", "timestamp")}),
            (self._outputs["connections_table"], {"connectionId": ada.connection_id}),
        ):
            if not self._account.has_row(table, key):
                raise Failed(f"{table} lacks the row of this conversation: does websocket_url belong to this stack?")
        return f"{self._outputs['messages_table']} and {self._outputs['connections_table']}"

    def _conversation(self) -> tuple[Client, dict[str, Any]]:
        if self._ada is None:
            raise LeftOut("no message was exchanged")
        return self._ada, self._said[0]

    @property
    def _origin(self) -> str:
        url = urlsplit(self._site)
        return f"{url.scheme}://{url.netloc}"

    def _client(self, origin: str | None = None) -> Client:
        try:
            return Client(self._url, origin)
        except InvalidStatus as refused:
            status = refused.response.status_code
            who = f" to {origin}" if origin else ""
            raise Failed(f"the handshake is answered by {status}{who}: {_reason(status)}") from None

    @staticmethod
    def _fetch(url: str) -> tuple[Any, bytes]:
        try:
            with urllib.request.urlopen(url, timeout=SECONDS) as answer:
                return answer.headers, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                raise Failed(f"{url} is answered by {refused.code}: has the upload come to its end?") from None


def _told(check: Callable[[], str | None]) -> Check:
    def told() -> str:
        seen = check()
        if seen is None:
            raise LeftOut("none was made: it takes the config alert_email")
        return seen

    return told


def _folder(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[0] + "/"


def _reason(status: int) -> str:
    return {
        403: "the Origin or the stage in the address is wrong, see docs/troubleshooting.md",
        404: "nothing is deployed there: is websocket_url of this stack?",
        429: "the stage refuses all: it needs both throttling values, run `pulumi refresh`",
        500: "the function behind $connect fails: see its log",
        502: "the function behind $connect fails: see its log",
    }.get(status, "see docs/troubleshooting.md")


def outcome(check: Check) -> tuple[str, str]:
    """Run a check; return `ok`, `FAIL` or `-`, and what there is to say."""
    try:
        return "ok", check()
    except LeftOut as left_out:
        return "-", f"left out: {left_out}"
    except (Failed, Silent, Wrong) as failed:
        return "FAIL", str(failed)
    except (BotoCoreError, ClientError) as error:
        return "FAIL", f"AWS does not tell: {error}"
    except (OSError, WebSocketException) as error:
        return "FAIL", f"not reached: {error or type(error).__name__}. Is the stack up, and this address right?"
