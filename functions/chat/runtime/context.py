"""What an operation works with: ids, clock, config, store and broadcast, made once and passed down."""

import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, MutableMapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from chat.runtime.config import Config
from chat.runtime.logging import Log

if TYPE_CHECKING:
    import ssl
    from concurrent.futures import ThreadPoolExecutor

    from chat.delivery.broadcast import Broadcast, Clock, Poster
    from chat.protocol.events import Request
    from chat.push.sigv4 import Credentials
    from chat.store.allowances import Actor, Seen
    from chat.store.append import Concurrently
    from chat.store.rate_limit import RateLimit
    from chat.store.tables import Store

MAX_POSTING_SECONDS = 25.0
"""An integration has 29 s (API Gateway quotas); the rest is for what follows the posts."""

_SPARE_SECONDS = 2.0
_MIN_POSTING_SECONDS = 0.5
_MAX_CONCURRENT = 12
_INVOCATION_CHARACTERS = 8


class SystemClock:
    """The machine's clocks."""

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
    """Runs calls at the same time, on threads that live as long as the container."""

    @cached_property
    def _pool(self) -> "ThreadPoolExecutor":
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - $default needs none

        return ThreadPoolExecutor(max_workers=_MAX_CONCURRENT)

    def __call__(self, *calls: Callable[[], Any]) -> Sequence[Any]:
        """Return what each call returned, once all have ended; raise what the first of them raised."""
        others = [self._pool.submit(call) for call in calls[1:]]
        try:
            first = calls[0]()
        finally:
            for other in others:
                other.exception()  # waits: no write may be under way once an answer has been given
        return [first, *(other.result() for other in others)]


class Services(Protocol):
    """What a container keeps between invocations, and what a test replaces."""

    @property
    def config(self) -> Config:
        """What the deployment sets."""
        ...

    @property
    def clock(self) -> "Clock":
        """The clocks."""
        ...

    @property
    def concurrently(self) -> "Concurrently":
        """Runs calls at the same time."""
        ...

    @property
    def new_id(self) -> Callable[[], str]:
        """Draws a UUID."""
        ...

    @property
    def stream(self) -> Callable[[], TextIO]:
        """Where the log goes."""
        ...

    @property
    def client(self) -> Any:
        """The DynamoDB client."""
        ...

    @property
    def seen_allowances(self) -> "MutableMapping[str, Seen]":
        """What is remembered of addresses' allowances; a hint that saves reading them."""
        ...

    @property
    def poster(self) -> "Poster":
        """What posts to connections."""
        ...


class Container:
    """The services of a Lambda container. Clients are made when they are first needed."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.clock = SystemClock()
        self.concurrently = Threads()
        self.new_id: Callable[[], str] = lambda: str(uuid.uuid4())
        self.stream: Callable[[], TextIO] = lambda: sys.stdout
        self.seen_allowances: MutableMapping[str, Seen] = {}
        self._of_thread = threading.local()

    @cached_property
    def client(self) -> Any:
        """The DynamoDB client; its threads share one pool of connections."""
        from chat.store.client import new_client  # noqa: PLC0415 - $default needs none

        return new_client(self.config.region, self.config.endpoint_url, lambda: self._tls)

    @cached_property
    def _tls(self) -> "ssl.SSLContext":
        """The system's certificate authorities: read once for both clients, which takes 20 ms of CPU."""
        import ssl  # noqa: PLC0415 - $default needs none

        return ssl.create_default_context()

    @property
    def poster(self) -> "Poster":
        """The fan-out engine: one for each thread that runs invocations, since it serves one at a time.

        Lambda has one such thread; an emulator may have many.
        """
        poster = getattr(self._of_thread, "poster", None)
        if poster is None:
            from chat.push.poster import Poster as Engine  # noqa: PLC0415 - not every function posts

            poster = Engine(
                self.config.callback_url,
                credentials=_role_credentials,
                region=self.config.region,
                posts_per_second=self.config.posts_per_second,
                tls=self._tls if self.config.callback_url.startswith("https:") else None,
            )
            self._of_thread.poster = poster
        return poster


def _role_credentials() -> "Credentials":
    """Return the present credentials of the function's role, which the runtime keeps in the environment."""
    from chat.push.sigv4 import Credentials  # noqa: PLC0415 - not every function posts

    environment = os.environ
    return Credentials(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        environment.get("AWS_SESSION_TOKEN") or None,
    )


def open_store(services: Services) -> "Store":
    """Return the store of a deployment's tables."""
    from chat.store.tables import open_tables  # noqa: PLC0415 - $default needs none

    config = services.config
    return open_tables(
        services.client,
        connections=config.connections_table,
        messages=config.messages_table,
        rooms=config.rooms_table,
        retention_seconds=config.retention_seconds,
        now_ms=services.clock.now_ms,
        concurrently=services.concurrently,
        address_allowances=config.address_allowances,
        seen_allowances=services.seen_allowances,
    )


class Context:
    """One invocation: made by the handler, passed to the operation."""

    def __init__(self, services: Services, lambda_context: object) -> None:
        self._services = services
        self.config = services.config
        self.clock = services.clock
        self.concurrently = services.concurrently
        self.new_id = services.new_id
        self.log = Log(services.stream, services.clock.now_ms, services.config.metrics_namespace)
        self.invocation_id = services.new_id()[:_INVOCATION_CHARACTERS]
        """Marks what this invocation puts; short, since every message carries it."""
        self._deadline = services.clock.monotonic() + _posting_seconds(lambda_context)

    @cached_property
    def store(self) -> "Store":
        """The tables; opened when they are first needed, since not every frame needs them."""
        return open_store(self._services)

    @cached_property
    def broadcast(self) -> "Broadcast":
        """The posts of this invocation."""
        from chat.delivery.broadcast import Broadcast  # noqa: PLC0415 - not every function posts

        return Broadcast(
            poster=lambda: self._services.poster,
            connections=self.store.connections,
            members=self.store.members,
            clock=self.clock,
            log=self.log.event,
            deadline=self._deadline,
        )

    @staticmethod
    def actor(request: "Request") -> "Actor":
        """Return who is counted for a frame: its connection, together with the others of its address."""
        from chat.store.allowances import Actor, allowance_key  # noqa: PLC0415 - $default needs none

        return Actor(allowance_key(request.source_address, request.connection_id), request.connection_id)

    @property
    def message_limit(self) -> "RateLimit":
        """The limit of `sendmessage`."""
        from chat.store import rate_limit  # noqa: PLC0415 - one function needs it

        return rate_limit.messages(self.config.message_burst, self.config.messages_per_second)


def _posting_seconds(lambda_context: object) -> float:
    """Return for how long an invocation may post."""
    remaining_ms = getattr(lambda_context, "get_remaining_time_in_millis", None)
    if remaining_ms is None:
        return MAX_POSTING_SECONDS
    return max(_MIN_POSTING_SECONDS, min(MAX_POSTING_SECONDS, remaining_ms() / 1000 - _SPARE_SECONDS))
