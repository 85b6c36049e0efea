"""With its clock set back, a machine stores messages as before and makes no one wait for it to catch up."""

import pytest

from chat.store.rate_limit import RateLimit
from tests.fakes.invariants import broken_logs
from tests.fakes.services import Chat

LIMIT = RateLimit("tat", burst=3, interval_ms=1000)
NOW = 1_800_000_000_000


@pytest.fixture
def chat() -> Chat:
    chat = Chat(message_burst=2, messages_per_second=1)
    chat.connect("anna", "ben")
    for name in ("anna", "ben"):
        chat.join(name, "garden")
    return chat


def test_a_message_takes_the_next_place_even_if_its_timestamp_is_earlier(chat: Chat) -> None:
    first = chat.send("anna", "one")
    chat.clock.set_back(3600)
    second = chat.send("ben", "two")
    assert (first["seq"], second["seq"]) == (1, 2)
    assert first["timestamp"] > second["timestamp"]
    assert broken_logs(chat.dynamodb) == []


def test_a_repeat_is_recognised_even_if_its_timestamp_is_earlier(chat: Chat) -> None:
    first = chat.send("anna", "one", message_id="11111111-2222-4333-8444-555555555555")
    chat.clock.set_back(3600)
    again = chat.send("ben", "another body", message_id=first["messageId"])
    assert again == first
    assert broken_logs(chat.dynamodb) == []


def test_a_sender_need_not_wait_until_the_clock_catches_up(chat: Chat) -> None:
    chat.send("anna", "one")
    chat.send("anna", "two")
    chat.clock.set_back(3600)
    chat.send("anna", "three")
    chat.send("anna", "four")
    refused = chat.ask("anna", {"action": "sendmessage", "message": "five"})
    assert (refused["code"], refused["retryAfterMs"] <= 1000) == ("rate_limited", True)


def test_clock_skew_grants_no_extra_burst() -> None:
    assert LIMIT.wait_ms(NOW + LIMIT.burst * LIMIT.interval_ms + 60_000, NOW) > 0


def test_a_state_from_a_clock_since_set_back_is_void() -> None:
    assert LIMIT.wait_ms(NOW + 3_600_000, NOW) == 0
