"""How often a connection may act."""

import json
import uuid
from typing import Any

import history
import join
import ping
import pytest
import sendmessage
import typing_notice
from hypothesis import given
from hypothesis import strategies as st

from chat import connections, limits, messages
from chat.limits import Limit
from tests.unit.stage import Chat


def spend(limit: Limit, tat: int, now: int) -> int | None:
    """Act once: return the new state, or None where it was too soon."""
    return None if limit.wait_ms(tat, now) else max(tat, now) + limit.interval_ms


@given(st.integers(1, 20), st.integers(1, 2000), st.lists(st.integers(0, 5000), max_size=60))
def test_no_window_of_time_holds_more_than_its_burst_and_its_rate(burst: int, interval: int, gaps: list[int]) -> None:
    limit = Limit("tat", burst, interval)
    now, tat, acted = 10**12, 0, []
    for gap in gaps:
        now += gap
        after = spend(limit, tat, now)
        if after is not None:
            tat = after
            acted.append(now)
    for first in range(len(acted)):
        for last in range(first, len(acted)):
            assert last - first + 1 <= burst + (acted[last] - acted[first]) / interval


@given(st.integers(1, 20), st.integers(1, 2000), st.integers(0, 10**6))
def test_after_the_wait_that_is_told_the_next_action_is_taken(burst: int, interval: int, ahead: int) -> None:
    limit = Limit("tat", burst, interval)
    now = 10**12
    wait = limit.wait_ms(now + ahead, now)
    assert spend(limit, now + ahead, now + wait) is not None


def test_by_default_ten_messages_go_at_once_then_two_a_second() -> None:
    limit = limits.messages(10, 2)
    tat, now = 0, 10**12
    for _ in range(10):
        state = spend(limit, tat, now)
        assert state is not None
        tat = state
    assert limit.wait_ms(tat, now) == 500


class Clock:
    """The functions' clock, which stands still until it is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ms = connections.now_ms() + 60_000
        for module in (connections, messages):
            monkeypatch.setattr(module, "now_ms", lambda: self.now_ms)


@pytest.fixture
def clock(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv("MESSAGE_BURST", "10")
    monkeypatch.setenv("MESSAGES_PER_SECOND", "2")
    for connection_id in ("anna", "ben"):
        chat.connect(connection_id)
        chat.join(connection_id, "garden")
    return Clock(monkeypatch)


def say(chat: Chat) -> dict[str, Any]:
    return chat.call(sendmessage, "anna", {"message": "hello", "messageId": str(uuid.uuid4())})


def test_eleven_messages_at_once_are_ten_stored_and_one_told_when_to_try_again(chat: Chat, clock: Clock) -> None:
    answers = [say(chat) for _ in range(11)]
    assert [answer["statusCode"] for answer in answers] == [200] * 10 + [429]
    refused = json.loads(answers[-1]["body"])
    assert (refused["code"], refused["retryAfterMs"]) == ("rate_limited", 500)
    clock.now_ms += 499
    assert json.loads(say(chat)["body"])["retryAfterMs"] == 1
    clock.now_ms += 1
    assert (say(chat)["statusCode"], say(chat)["statusCode"]) == (200, 429)
    clock.now_ms += 5000
    assert [say(chat)["statusCode"] for _ in range(11)] == [200] * 10 + [429]


@pytest.mark.parametrize("before", [0, 5, 9])
def test_two_frames_at_once_are_counted_as_two(
    chat: Chat, clock: Clock, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    """The second has read the state before the first has changed it."""
    for _ in range(before):
        assert say(chat)["statusCode"] == 200
    write = messages._write
    first: list[Any] = []

    def slow(*given: Any, **named: Any) -> list[dict[str, Any]]:
        if not first:
            first.append(None)
            first[0] = say(chat)
        return write(*given, **named)

    monkeypatch.setattr(messages, "_write", slow)
    second = say(chat)
    assert first[0]["statusCode"] == 200
    assert second["statusCode"] == (429 if before == 9 else 200)
    left = 10 - before - (1 if before == 9 else 2)
    assert [say(chat)["statusCode"] for _ in range(left + 1)] == [200] * left + [429]


def test_a_refused_message_is_stored_later_under_the_same_id(chat: Chat, clock: Clock) -> None:
    for _ in range(10):
        say(chat)
    frame = {"message": "later", "messageId": str(uuid.uuid4())}
    assert json.loads(chat.call(sendmessage, "anna", frame)["body"])["messageId"] == frame["messageId"]
    clock.now_ms += 500
    assert chat.call(sendmessage, "anna", frame) == {"statusCode": 200}
    assert chat.posts.of_type("ben", "message")[-1]["message"] == "later"


def test_a_repetition_counts_as_a_message(chat: Chat, clock: Clock) -> None:
    frame = {"message": "again", "messageId": str(uuid.uuid4())}
    statuses = [chat.call(sendmessage, "anna", frame)["statusCode"] for _ in range(11)]
    assert statuses == [200] * 10 + [429]


def test_pings_have_a_limit_of_their_own(chat: Chat, clock: Clock) -> None:
    answers = [chat.call(ping, "anna", {}) for _ in range(11)]
    assert [answer["statusCode"] for answer in answers] == [200] * 10 + [429]
    assert json.loads(answers[-1]["body"])["retryAfterMs"] == 1000
    assert say(chat)["statusCode"] == 200


def test_a_typing_notice_too_many_is_dropped_without_a_word(chat: Chat, clock: Clock) -> None:
    assert [chat.call(typing_notice, "anna", {}) for _ in range(6)] == [{"statusCode": 200}] * 6
    assert len(chat.posts.of_type("ben", "typing")) == 3
    clock.now_ms += 1500
    chat.call(typing_notice, "anna", {})
    assert len(chat.posts.of_type("ben", "typing")) == 4


def test_each_connection_has_its_own_limits(chat: Chat, clock: Clock) -> None:
    for _ in range(11):
        say(chat)
    assert chat.send("ben", "hello")


def test_joins_and_pages_of_history_are_limited_too(chat: Chat, clock: Clock) -> None:
    joins = [chat.call(join, "ben", {"room": "garden"})["statusCode"] for _ in range(11)]
    assert joins == [200] * 10 + [429]
    assert [chat.call(history, "ben", {})["statusCode"] for _ in range(41)] == [200] * 40 + [429]
