"""A room's messages as a client has received them, and the seq up to which there is no gap."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Frame: TypeAlias = dict[str, Any]


@dataclass
class Timeline:
    """One room's messages. Reading started above the seq `base`; up to `known` there is no gap."""

    base: int = 0
    known: int = 0
    last: int = 0
    """The room's newest known seq."""
    messages: dict[int, Frame] = field(default_factory=dict)
    """By seq."""
    conflicts: list[Frame] = field(default_factory=list)
    """Messages received for a seq that already has another one."""
    losses: int = 0
    """How often the server reported expired messages."""

    @property
    def has_gap(self) -> bool:
        """Whether messages up to `last` are missing."""
        return self.last > self.known

    def take(self, messages: Iterable[Frame]) -> None:
        """Add messages in any order; duplicates are skipped."""
        for message in messages:
            seq = message["seq"]
            if seq <= self.base:
                continue  # older than the first page
            if seq in self.messages and self.messages[seq]["messageId"] != message["messageId"]:
                self.conflicts.append(message)
            self.messages.setdefault(seq, message)
            self.last = max(self.last, seq)
        self._advance()

    def take_page(self, page: Frame, *, last: int) -> None:
        """Add a page after `known`; `last` is the value of `last` when the page was requested.

        A page has every message up to its last one, and up to `last` if it is complete.
        """
        self.losses += page["lost"]
        self.take(page["messages"])
        covered = [message["seq"] for message in page["messages"]]
        if page["complete"]:
            covered.append(last)
        self.known = max([self.known, *covered])
        self._advance()

    def _advance(self) -> None:
        while self.known + 1 in self.messages:
            self.known += 1
        self.last = max(self.last, self.known)


def begin(page: Frame, last_seq: int) -> Timeline:
    """Return a room's timeline, starting from its newest page."""
    messages = page["messages"]
    base = messages[0]["seq"] - 1 if messages else last_seq
    timeline = Timeline(base=base, known=base, last=max(base, last_seq))
    timeline.take(messages)
    return timeline
