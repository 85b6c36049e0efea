"""The state of one frame's posts: recipients unread, queued, waiting for a retry, or done."""

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
    """Decides what happens to each recipient, until `deadline` (seconds of the monotonic clock)."""

    def __init__(self, connection_ids: Iterable[str], deadline: float, retry_policy: RetryPolicy) -> None:
        self.deadline = deadline
        self.queue: deque[str] = deque()
        """Recipients to post to now, in order."""
        self.read = 0
        """Number of ids read."""
        self.exhausted = False
        """Whether all ids have been read."""
        self.read_error: Exception | None = None
        """The error that the ids' iterator raised."""
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
        """Return whether more ids should be read."""
        return not self.exhausted and len(self.queue) < _LOOK_AHEAD // 2

    def is_empty(self) -> bool:
        """Return whether nothing is left to send, now or later."""
        return self.exhausted and not self.queue and not self._retries

    def read_ahead(self) -> None:
        """Read the first id; on later calls, as many as fill the queue.

        Posts begin while the rest of a list is still being read. An error of the iterator is kept in `read_error`, so
        the ids before it are still served.
        """
        wanted = _LOOK_AHEAD - len(self.queue) if self.read else 1
        before = len(self.queue)
        try:
            self.queue.extend(islice(self._ids, wanted))
        except Exception as error:  # noqa: BLE001 - any error of the iterator; Poster.post raises it again
            self.read_error = error
        added = len(self.queue) - before
        self.read += added
        self.exhausted = added < wanted

    def queue_due(self, now: float) -> None:
        """Queue the recipients whose retry is due."""
        while self._retries and self._retries[0][0] <= now:
            self.queue.append(heapq.heappop(self._retries)[1])

    def seconds_until_retry(self, now: float) -> float:
        """Return the seconds until the next retry; infinity if there is none."""
        return self._retries[0][0] - now if self._retries else math.inf

    def needs_fresh_connection(self, recipient: str) -> bool:
        """Return whether a pooled connection was stale for this recipient: the other idle ones may be stale too."""
        return recipient in self._resent

    def settle(self, recipient: str, status: int, now: float) -> None:
        """Handle a response's status (API Gateway Management API, PostToConnection)."""
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
        """Resend a post at once if its connection was stale; otherwise retry it later.

        The resend uses a fresh connection, which is never stale, so each post is resent at most once.
        """
        if was_stale:
            self._resent.add(recipient)
            self.queue.appendleft(recipient)
        else:
            self.retry(recipient, now)

    def retry(self, recipient: str, now: float) -> None:
        """Retry later, or count the recipient as failed."""
        self._retry(recipient, now, self.failed)

    def give_up(self, in_flight: Iterable[str]) -> None:
        """Count everything unfinished as failed, including the posts in flight."""
        self.failed += [*in_flight, *self.queue, *(recipient for _, recipient in self._retries)]

    def _retry(self, recipient: str, now: float, otherwise: list[str]) -> None:
        failures = self._failures[recipient] = self._failures.get(recipient, 0) + 1
        first_failed_at = self._first_failed_at.setdefault(recipient, now)
        at = self._retry_policy.next_try(failures, first_failed_at=first_failed_at, now=now, deadline=self.deadline)
        if at is None:
            otherwise.append(recipient)
        else:
            heapq.heappush(self._retries, (at, recipient))
