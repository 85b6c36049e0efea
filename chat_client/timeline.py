"""What a client knows of a room's messages: which it has, and up to where it has them without a gap."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Frame: TypeAlias = dict[str, Any]


@dataclass
class Timeline:
    """One room's messages. `base` is the seq above which it was first read; `known` the last one without a gap."""

    base: int = 0
    known: int = 0
    last: int = 0
    """The newest seq that the room is known to have."""
    messages: dict[int, Frame] = field(default_factory=dict)
    """By seq."""
    conflicts: list[Frame] = field(default_factory=list)
    """Messages that came for a seq at which there is another one."""
    losses: int = 0
    """How often the server said that something has expired."""

    @property
    def has_gap(self) -> bool:
        """Whether messages up to `last` are missing."""
        return self.last > self.known

    def take(self, messages: Iterable[Frame]) -> None:
        """Add messages, in any order; those it has are passed over."""
        for message in messages:
            seq = message["seq"]
            if seq <= self.base:
                continue  # older than what the room was first read from
            if seq in self.messages and self.messages[seq]["messageId"] != message["messageId"]:
                self.conflicts.append(message)
            self.messages.setdefault(seq, message)
            self.last = max(self.last, seq)
        self._advance()

    def take_page(self, page: Frame, *, last: int) -> None:
        """Add a page of what is after `known`; `last` is what `last` was when it was asked for.

        The server has told everything up to the page's last message, and up to `last` if the page is complete.
        """
        self.losses += page["lost"]
        self.take(page["messages"])
        told = [message["seq"] for message in page["messages"]]
        if page["complete"]:
            told.append(last)
        self.known = max([self.known, *told])
        self._advance()

    def _advance(self) -> None:
        while self.known + 1 in self.messages:
            self.known += 1
        self.last = max(self.last, self.known)


def begin(page: Frame, last_seq: int) -> Timeline:
    """Return a room's timeline from the newest page of it."""
    messages = page["messages"]
    base = messages[0]["seq"] - 1 if messages else last_seq
    timeline = Timeline(base=base, known=base, last=max(base, last_seq))
    timeline.take(messages)
    return timeline
