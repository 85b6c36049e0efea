"""Services of a Lambda container, and the context of one invocation."""

import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from chat.runtime.config import Config
from chat.runtime.logging import Log

if TYPE_CHECKING:
    import ssl
    from concurrent.futures import ThreadPoolExecutor

    from chat.delivery.broadcast import Broadcast, Clock
    from chat.identity.rs256 import RsaKey
    from chat.protocol.events import Request
    from chat.push.poster import Outcome
    from chat.push.sigv4 import Credentials
    from chat.store.allowances import Actor, Seen
    from chat.store.append import Concurrently
    from chat.store.tables import Store

MAX_POSTING_SECONDS = 25.0
"""An integration times out after 29 s (API Gateway quotas); the rest is for the work after the posts."""

_SPARE_SECONDS = 2.0
_MIN_POSTING_SECONDS = 0.5
_MAX_CONCURRENT = 12
_INVOCATION_CHARACTERS = 8


class SystemClock:
    """The system's clocks."""

    def now_ms(self) -> int:
        """Return the milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return the seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Threads:
    """Runs calls concurrently, on threads that live as long as the container."""

    @cached_property
    def _pool(self) -> "ThreadPoolExecutor":
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - $default does without

        return ThreadPoolExecutor(max_workers=_MAX_CONCURRENT)

    def __call__(self, *calls: Callable[[], Any]) -> Sequence[Any]:
        """Return the calls' results once all have ended, or raise the error of the first one that failed."""
        others = [self._pool.submit(call) for call in calls[1:]]
        try:
            first = calls[0]()
        finally:
            for other in others:
                other.exception()  # waits: no write may be in flight after the answer
        return [first, *(other.result() for other in others)]


class Engine(Protocol):
    """Sends requests to many connections; implemented by chat.push.poster."""

    def post(self, connection_ids: Iterable[str], frame: bytes, *, deadline: float) -> "Outcome":
        """Post a frame until `deadline` (seconds of the monotonic clock)."""
        ...

    def close_sockets(self, connection_ids: Iterable[str], *, deadline: float) -> "Outcome":
        """Close connections until `deadline`."""
        ...


class Services(Protocol):
    """What a container keeps between invocations; tests pass their own."""

    @property
    def config(self) -> Config:
        """The deployment's settings."""
        ...

    @property
    def clock(self) -> "Clock":
        """The clocks."""
        ...

    @property
    def concurrently(self) -> "Concurrently":
        """Runs calls concurrently."""
        ...

    @property
    def new_id(self) -> Callable[[], str]:
        """Returns a new UUID."""
        ...

    @property
    def stream(self) -> Callable[[], TextIO]:
        """Returns the stream of the log."""
        ...

    @property
    def client(self) -> Any:
        """The DynamoDB client."""
        ...

    @property
    def seen_allowances(self) -> "MutableMapping[str, Seen]":
        """Last known allowance states by address: a cache that saves a read."""
        ...

    @property
    def poster(self) -> Engine:
        """Posts frames to connections, and closes them."""
        ...

    @property
    def keys(self) -> "Callable[[str], RsaKey | None]":
        """Returns the sign-in issuer's public key of an id; None if it has none. Raises KeysUnavailableError."""
        ...


class Container:
    """The services of a Lambda container. Clients are created on first use."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.clock = SystemClock()
        self.concurrently = Threads()
        self.new_id: Callable[[], str] = lambda: str(uuid.uuid4())
        self.stream: Callable[[], TextIO] = lambda: sys.stdout
        self.seen_allowances: MutableMapping[str, Seen] = {}
        self._thread_local = threading.local()

    @cached_property
    def client(self) -> Any:
        """The DynamoDB client; threads share its connections."""
        from chat.store.client import new_client  # noqa: PLC0415 - $default does without

        return new_client(self.config.region, self.config.endpoint_url, lambda: self._tls)

    @cached_property
    def _tls(self) -> "ssl.SSLContext":
        """The system's certificate authorities, loaded once for all clients: that takes 20 ms of CPU."""
        import ssl  # noqa: PLC0415 - $default does without

        return ssl.create_default_context()

    @cached_property
    def keys(self) -> "Callable[[str], RsaKey | None]":
        """The issuer's keys, fetched when a token first needs one."""
        from chat.identity.keys import KeySet, fetch_key_set  # noqa: PLC0415 - only `signin` checks tokens

        if self.config.sign_in is None:
            return lambda _: None
        url = self.config.sign_in.keys_url
        tls = self._tls if url.startswith("https:") else None
        return KeySet(url, lambda keys_url: fetch_key_set(keys_url, tls=tls))

    @property
    def poster(self) -> Engine:
        """The fan-out engine of this thread, since an engine serves one invocation at a time.

        Lambda runs invocations on one thread; an emulator may use several.
        """
        poster = getattr(self._thread_local, "poster", None)
        if poster is None:
            from chat.push.poster import Poster  # noqa: PLC0415 - not every function posts

            poster = Poster(
                self.config.callback_url,
                credentials=_role_credentials,
                region=self.config.region,
                posts_per_second=self.config.posts_per_second,
                tls=self._tls if self.config.callback_url.startswith("https:") else None,
            )
            self._thread_local.poster = poster
        return poster


def _role_credentials() -> "Credentials":
    """Return the current credentials of the function's role, which Lambda sets in the environment."""
    from chat.push.sigv4 import Credentials  # noqa: PLC0415 - not every function posts

    environment = os.environ
    return Credentials(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        environment.get("AWS_SESSION_TOKEN") or None,
    )


def open_store(services: Services) -> "Store":
    """Return the store for the deployment's tables."""
    from chat.store.tables import open_tables  # noqa: PLC0415 - $default does without

    config = services.config
    return open_tables(
        services.client,
        connections=config.connections_table,
        messages=config.messages_table,
        rooms=config.rooms_table,
        retention_seconds=config.retention_seconds,
        now_ms=services.clock.now_ms,
        sleep=services.clock.sleep,
        concurrently=services.concurrently,
        address_allowances=config.address_allowances,
        seen_allowances=services.seen_allowances,
    )


class Context:
    """One invocation: the handler creates it and passes it to the operation."""

    def __init__(self, services: Services, lambda_context: object) -> None:
        self._services = services
        self.config = services.config
        self.clock = services.clock
        self.concurrently = services.concurrently
        self.new_id = services.new_id
        self.log = Log(services.stream, services.clock.now_ms, services.config.metrics_namespace)
        self.invocation_id = services.new_id()[:_INVOCATION_CHARACTERS]
        """Marks the items that this invocation puts; short, because every message stores it."""
        self._deadline = services.clock.monotonic() + _posting_seconds(lambda_context)

    @cached_property
    def store(self) -> "Store":
        """The tables, opened on first use: not every frame needs them."""
        return open_store(self._services)

    @cached_property
    def broadcast(self) -> "Broadcast":
        """The posts of this invocation."""
        from chat.delivery.audience import Audiences  # noqa: PLC0415 - not every function posts
        from chat.delivery.broadcast import Broadcast  # noqa: PLC0415 - not every function posts

        return Broadcast(
            poster=lambda: self._services.poster,
            connections=self.store.connections,
            members=self.store.members,
            audiences=Audiences(self.store, self.clock),
            clock=self.clock,
            log=self.log.event,
            deadline=self._deadline,
        )

    @property
    def keys(self) -> "Callable[[str], RsaKey | None]":
        """The sign-in issuer's public keys by id."""
        return self._services.keys

    def close_sockets(self, connection_ids: Sequence[str]) -> None:
        """Close connections; those that cannot be closed are logged, and close when API Gateway ends them."""
        outcome = self._services.poster.close_sockets(connection_ids, deadline=self._deadline)
        failed = len(outcome.throttled) + len(outcome.failed)
        self.log.event("closed", closed=outcome.delivered, gone=len(outcome.gone), failed=failed)

    @staticmethod
    def actor(request: "Request") -> "Actor":
        """Return whose rate limits a frame counts against: its connection's and its address's."""
        from chat.store.allowances import Actor, allowance_key  # noqa: PLC0415 - $default does without

        return Actor(allowance_key(request.source_address, request.connection_id), request.connection_id)


def _posting_seconds(lambda_context: object) -> float:
    """Return how long an invocation may post, in seconds."""
    remaining_ms = getattr(lambda_context, "get_remaining_time_in_millis", None)
    if remaining_ms is None:
        return MAX_POSTING_SECONDS
    return max(_MIN_POSTING_SECONDS, min(MAX_POSTING_SECONDS, remaining_ms() / 1000 - _SPARE_SECONDS))
