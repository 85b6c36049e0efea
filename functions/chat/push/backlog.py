"""One frame's posts: the recipients still to be read, queued or tried again, and what became of the others."""

import heapq
import math
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

from chat.push.retry import RetryPolicy

_LOOK_AHEAD: Final = 512
_OK: Final = range(200, 300)
_GONE: Final = 410
_THROTTLED: Final = 429
_SERVER_ERROR: Final = 500


class Backlog:
    """Decides what happens to each recipient until `deadline`, in seconds of the monotonic clock."""

    def __init__(self, connection_ids: Iterable[str], deadline: float, retry_policy: RetryPolicy) -> None:
        self.deadline = deadline
        self.queue: deque[str] = deque()
        """Recipients to be posted to now, in order."""
        self.read = 0
        """How many ids have been read."""
        self.exhausted = False
        """Whether there are no more ids to read."""
        self.read_error: Exception | None = None
        """What the iterator of ids raised."""
        self.delivered = 0
        self.gone: list[str] = []
        self.throttled: list[str] = []
        self.failed: list[str] = []
        self._ids = iter(connection_ids)
        self._retry_policy = retry_policy
        self._retries: list[tuple[float, str]] = []
        self._failures: dict[str, int] = {}
        self._first_failed_at: dict[str, float] = {}
        self._resent: set[str] = set()

    def is_low(self) -> bool:
        """Tell whether more ids should be read."""
        return not self.exhausted and len(self.queue) < _LOOK_AHEAD // 2

    def is_empty(self) -> bool:
        """Tell whether there is nothing left to send, now or later."""
        return self.exhausted and not self.queue and not self._retries

    def read_ahead(self) -> None:
        """Read the first id; after that, as many as it takes to fill the queue.

        Posts begin while the rest of a list is still being read. An error of the iterator is kept in `read_error`, so
        that the ids before it are served.
        """
        wanted = _LOOK_AHEAD - len(self.queue) if self.read else 1
        before = len(self.queue)
        try:
            self.queue.extend(islice(self._ids, wanted))
        except Exception as error:  # noqa: BLE001 - anything the caller's iterator raises; Poster.post raises it again
            self.read_error = error
        added = len(self.queue) - before
        self.read += added
        self.exhausted = added < wanted

    def queue_due(self, now: float) -> None:
        """Queue the recipients whose time to be tried again has come."""
        while self._retries and self._retries[0][0] <= now:
            self.queue.append(heapq.heappop(self._retries)[1])

    def seconds_until_retry(self, now: float) -> float:
        """Return how long it takes until the next recipient is to be tried again; infinity if there is none."""
        return self._retries[0][0] - now if self._retries else math.inf

    def needs_fresh_connection(self, recipient: str) -> bool:
        """Tell whether a kept connection has failed this recipient: the other kept ones may be as dead as that."""
        return recipient in self._resent

    def settle(self, recipient: str, status: int, now: float) -> None:
        """Act on a response's status (API Gateway Management API, PostToConnection)."""
        if status in _OK:
            self.delivered += 1
        elif status == _GONE:
            self.gone.append(recipient)
        elif status == _THROTTLED:
            self._retry(recipient, now, self.throttled)
        elif status >= _SERVER_ERROR:
            self.retry(recipient, now)
        else:
            self.failed.append(recipient)

    def after_break(self, recipient: str, now: float, *, was_stale: bool) -> None:
        """Send a post that went into a stale connection again at once; try any other again later.

        The second one goes over a fresh connection, which is never stale, so a post is sent again like this only once.
        """
        if was_stale:
            self._resent.add(recipient)
            self.queue.appendleft(recipient)
        else:
            self.retry(recipient, now)

    def retry(self, recipient: str, now: float) -> None:
        """Try again later, or count the recipient as failed."""
        self._retry(recipient, now, self.failed)

    def give_up(self, in_flight: Iterable[str]) -> None:
        """Count everything unfinished as failed, with the posts that are in flight."""
        self.failed += [*in_flight, *self.queue, *(recipient for _, recipient in self._retries)]

    def _retry(self, recipient: str, now: float, otherwise: list[str]) -> None:
        failures = self._failures[recipient] = self._failures.get(recipient, 0) + 1
        first_failed_at = self._first_failed_at.setdefault(recipient, now)
        at = self._retry_policy.next_try(failures, first_failed_at=first_failed_at, now=now, deadline=self.deadline)
        if at is None:
            otherwise.append(recipient)
        else:
            heapq.heappush(self._retries, (at, recipient))
