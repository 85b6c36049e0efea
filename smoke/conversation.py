"""WebSocket checks: who may connect, and a conversation in its own room, following docs/protocol.md."""

import secrets
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.exceptions import InvalidStatus

from chat_client.errors import RefusedError
from chat_client.websocket import ChatSocket, Frame
from smoke.check import Check
from smoke.errors import CheckFailedError, CheckSkippedError

FOREIGN_ORIGIN = "https://foreign.example"
TIMEOUT_SECONDS = 15.0
"""How long a stack may take to answer, including a cold start."""

_FORBIDDEN = 403
_MAX_TRIES = 10
_TRANSIENT = ("rate_limited", "busy", "internal")
_HANDSHAKE_REASONS = {
    403: "the Origin or the stage in the URL is wrong, see docs/troubleshooting.md",
    404: "nothing is deployed there: does websocket_url belong to this stack?",
    429: "the stage refuses everything: it needs both throttling values, run `pulumi up --refresh`",
    500: "the function behind $connect fails: see its log",
    502: "the function behind $connect fails: see its log",
}


@dataclass
class Conversation:
    """Two people in a room, and its stored messages in the order of `seq`."""

    ada: ChatSocket
    bob: ChatSocket
    stored: list[Frame]


class ConversationChecks:
    """The checks of the WebSocket at `websocket_url`. They share one conversation, which ends on exit.

    Where everybody must sign in, `token` returns an access token, or raises CheckSkippedError; else it is None.
    """

    def __init__(self, outputs: dict[str, Any], token: Callable[[], str] | None = None) -> None:
        self._token = token
        self._url: str = outputs["websocket_url"]
        site = urlsplit(outputs["site_url"])
        self._origin = f"{site.scheme}://{site.netloc}"
        self._room = f"smoke-{uuid.uuid4().hex[:12]}"
        self._opened = ExitStack()
        self._conversation: Conversation | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def all(self) -> Iterator[Check]:
        """Yield the checks, ordered so each has what it needs."""
        yield Check("a foreign page is refused", self.foreign_origin)
        yield Check("the stack's own page is let in", self.own_origin)
        yield Check("two clients exchange a message", self.exchange)
        yield Check("a message sent twice is stored once", self.sent_twice)
        yield Check("messages are numbered without gaps", self.sequence)
        yield Check("history can be read", self.history)
        yield Check("a reconnecting client gets the messages it missed", self.resume)
        yield Check("a guest is the same sender on every connection", self.guest)
        yield Check("a client can be in several rooms", self.several_rooms)
        yield Check("a client can leave a room", self.leave)
        yield Check("an unknown action is answered", self.unknown_action)
        yield Check("an empty message is answered", self.empty_message)
        yield Check("a flood is rate-limited", self.rate_limit)

    @property
    def conversation(self) -> Conversation:
        """The conversation that `exchange` started. Raises CheckSkippedError without one."""
        if self._conversation is None:
            raise CheckSkippedError("no message was exchanged")
        return self._conversation

    def foreign_origin(self) -> str:
        """Connect from another site's page, which must be refused."""
        try:
            with ChatSocket(self._url, origin=FOREIGN_ORIGIN, timeout_seconds=TIMEOUT_SECONDS):
                pass
        except InvalidStatus as refused:
            status = refused.response.status_code
            if status != _FORBIDDEN:
                raise CheckFailedError(f"the answer is {status} instead of 403: {_reason(status)}") from None
            return f"403 for {FOREIGN_ORIGIN}"
        raise CheckFailedError(f"{FOREIGN_ORIGIN} was let in: look at ALLOWED_ORIGINS of the function behind $connect")

    def own_origin(self) -> str:
        """Connect from the stack's own page."""
        with self._connect(origin=self._origin):
            return self._origin

    def exchange(self) -> str:
        """Send a message in one tab and receive it in another."""
        ada, bob = (self._opened.enter_context(self._enter()) for _ in range(2))
        ada.join(self._room, name="Smoke A")
        bob.join(self._room, name="Smoke B")
        conversation = Conversation(ada, bob, [])
        begun = time.monotonic()
        (own,) = self._say(conversation, [(ada, "Hello from make smoke")])
        self._conversation = conversation
        return f"after {(time.monotonic() - begun) * 1000:.0f} ms, as number {own['seq']} of room {self._room}"

    def sent_twice(self) -> str:
        """Send a messageId again, with another text: it keeps its place and its first text (guarantee 4)."""
        ada, first = self.conversation.ada, self.conversation.stored[0]
        again = _acknowledged(ada, first["messageId"], "Another text", self._room)
        if (again["seq"], again["message"]) != (first["seq"], first["message"]):
            raise CheckFailedError(
                f"it was stored again, with seq {again['seq']}: see the log of ChatAppSendMessage",
            )
        return f"still number {first['seq']}"

    def sequence(self) -> str:
        """Let two people send at the same time (guarantee 2)."""
        conversation = self.conversation
        people = (conversation.ada, conversation.bob) * 2
        self._say(conversation, [(person, f"At once, {number}") for number, person in enumerate(people)])
        seqs = [message["seq"] for message in conversation.stored]
        if seqs != list(range(1, len(seqs) + 1)):
            raise CheckFailedError(
                f"{len(seqs)} messages have the numbers {seqs}: look at the room's items in ChatRooms"
            )
        return f"{len(seqs)} messages, numbers 1 to {len(seqs)}"

    def history(self) -> str:
        """Read the conversation from the start."""
        page = self.conversation.ada.history(room=self._room, after=0, limit=100)
        expected = [_without_type(message) for message in self.conversation.stored]
        if page["messages"] != expected:
            raise CheckFailedError(f"{_numbers(page['messages'])} came instead of {_numbers(expected)}")
        return f"{len(expected)} messages, as they were sent"

    def resume(self) -> str:
        """Reconnect after one message, having missed others (guarantee 3)."""
        first, *missed = self.conversation.stored
        if not missed:
            missed = self._say(self.conversation, [(self.conversation.ada, "Missed by one")])
        with self._enter() as back:
            joined = back.join(self._room, after=first["seq"])
        if joined["messages"] != [_without_type(message) for message in missed]:
            raise CheckFailedError(f"{_numbers(joined['messages'])} came instead of {_numbers(missed)}")
        return f"exactly {len(missed)} after number {first['seq']}"

    def guest(self) -> str:
        """Join twice with one secret, over two connections, and once with another."""
        if self._token is not None:
            raise CheckSkippedError("nobody is a guest here")
        secret, other = (secrets.token_urlsafe(24) for _ in range(2))
        seen = []
        for given in (secret, secret, other):
            with self._enter() as client:
                seen.append(client.join(self._room, name="Guest", secret=given))
        senders = [joined["sender"] for joined in seen]
        if senders[0] != senders[1] or senders[0] == senders[2]:
            raise CheckFailedError(f"the secrets A, A and B give the senders {', '.join(senders)}")
        if secret in str(seen):
            raise CheckFailedError("the answer contains the secret: it must contain a digest")
        return senders[0]

    def several_rooms(self) -> str:
        """Join two rooms, and send to the one that is not current."""
        ada, second = self.conversation.ada, f"{self._room}-2"
        with self._enter() as client:
            client.join(self._room)
            client.join(second)
            message = _acknowledged(client, str(uuid.uuid4()), "From another room", self._room)
            self.conversation.stored.append(message)
            pong = client.ping()
        ada.wait_for("message", messageId=message["messageId"])
        expected = {self._room: message["seq"], second: 0}
        if (pong["room"], pong["rooms"]) != (second, expected):
            raise CheckFailedError(f"pong names {pong['rooms']} instead of {expected}")
        return ", ".join(expected)

    def leave(self) -> str:
        """Leave a room: the others are notified, and it accepts no more messages from this client."""
        ada = self.conversation.ada
        with self._enter() as client:
            connection_id = client.join(self._room)["connectionId"]
            left = client.leave(self._room)
            ada.wait_for("presence", event="leave", connectionId=connection_id)
            try:
                client.send_message("Not to be heard", to=self._room)
            except RefusedError as refused:
                code = refused.code
            else:
                code = "a stored message"
        if left["current"] is not None or code != "not_in_room":
            raise CheckFailedError(f"afterwards its room is {left['current']}, and a message to it gets {code}")
        return "left, then not_in_room"

    def unknown_action(self) -> str:
        """Send an action without a route."""
        return self._refusal("dance", {}, "Invalid request")

    def empty_message(self) -> str:
        """Send a message without text."""
        return self._refusal("sendmessage", {"message": " "}, "Message is required")

    def rate_limit(self) -> str:
        """Send too many pings, which store nothing."""
        with self._enter() as client:
            for _ in range(25):
                client.send("ping")
            answer = client.wait_for("error", code="rate_limited")
        return f"again after {answer['retryAfterMs']} ms"

    def _refusal(self, action: str, fields: dict[str, Any], sentence: str) -> str:
        with self._enter() as client:
            client.send(action, **fields)
            answer = client.wait_for("error")
        if answer["error"] != sentence:
            raise CheckFailedError(f"the answer is {answer['error']!r} instead of {sentence!r}")
        return sentence

    def _say(self, conversation: Conversation, sends: Sequence[tuple[ChatSocket, str]]) -> list[Frame]:
        """Send messages concurrently, and check that both people receive the same copy of each."""
        ids = [str(uuid.uuid4()) for _ in sends]
        for message_id, (client, text) in zip(ids, sends, strict=True):
            client.send("sendmessage", message=text, messageId=message_id, to=self._room)
        stored = []
        for message_id, (client, text) in zip(ids, sends, strict=True):
            own = _acknowledged(client, message_id, text, self._room, is_sent=True)
            other = conversation.bob if client is conversation.ada else conversation.ada
            copy = other.wait_for("message", messageId=message_id)
            if copy != own:
                raise CheckFailedError(f"the two copies differ: {own} and {copy}")
            stored.append(own)
        conversation.stored = sorted([*conversation.stored, *stored], key=lambda message: message["seq"])
        return stored

    def _enter(self) -> ChatSocket:
        """Connect, and sign in if everybody must."""
        token = self._token() if self._token is not None else None
        client = self._connect()
        if token is not None:
            try:
                client.sign_in(token)
            except BaseException:
                client.close()
                raise
        return client

    def _connect(self, origin: str | None = None) -> ChatSocket:
        try:
            return ChatSocket(self._url, origin=origin, timeout_seconds=TIMEOUT_SECONDS)
        except InvalidStatus as refused:
            status = refused.response.status_code
            whom = f" to {origin}" if origin else ""
            raise CheckFailedError(f"the handshake returned {status}{whom}: {_reason(status)}") from None


def _acknowledged(client: ChatSocket, message_id: str, text: str, room: str, *, is_sent: bool = False) -> Frame:
    """Return the sender's copy of a message, retrying when rate-limited: a stack may have low limits."""
    for attempt in range(_MAX_TRIES):
        try:
            if is_sent and not attempt:
                return client.acknowledgement(message_id)
            return client.send_message(text, to=room, message_id=message_id)
        except RefusedError as refused:
            if refused.code not in _TRANSIENT:
                raise
            time.sleep((refused.retry_after_ms or 1000) / 1000)
    raise CheckFailedError(f"it was refused {_MAX_TRIES} times: look at message_burst and messages_per_second")


def _without_type(message: Frame) -> Frame:
    return {name: value for name, value in message.items() if name != "type"}


def _numbers(messages: Sequence[Frame]) -> str:
    return f"{len(messages)} messages (numbers {[message['seq'] for message in messages]})"


def _reason(status: int) -> str:
    return _HANDSHAKE_REASONS.get(status, "see docs/troubleshooting.md")
