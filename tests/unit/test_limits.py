"""Rate limits of connections and addresses, and the errors above them."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.protocol.errors import FrameError
from chat.protocol.frames_out import Frame
from chat.runtime.context import open_store
from chat.schema import CONNECTIONS, MESSAGES, ROOMS
from chat.store import rate_limit
from chat.store.allowances import Actor, allowance_key
from chat.store.rate_limit import RateLimit
from tests.fakes.dynamodb import Call, DynamoDB, fail_once
from tests.fakes.expressions import Item
from tests.fakes.services import Chat
from tests.unit.races import first

ID = "11111111-2222-3333-4444-5555555555ab"


@pytest.fixture
def chat() -> Chat:
    """Two people in a room with the default limits, at rest."""
    chat = Chat(message_burst=10, messages_per_second=2.0)
    chat.connect("anna", "ben")
    for connection_id in ("anna", "ben"):
        chat.join(connection_id, "garden")
    chat.clock.advance(60)
    chat.clear()
    return chat


def at_once(chat: Chat, frame: Frame, times: int) -> list[tuple[str, Any]]:
    """Send a frame several times at once; return each answer's type or code, and retry delay."""
    begun = chat.clock.monotonic()
    answers = []
    for _ in range(times):
        chat.clock.rewind(begun)
        answer = chat.ask("anna", frame)
        answers.append((answer.get("code", answer["type"]), answer.get("retryAfterMs")))
    chat.clock.rewind(begun)
    return answers


def elsewhere(chat: Chat, frame: Frame) -> None:
    """Send a frame now that another container, with an empty cache, handles."""
    begun, seen = chat.clock.monotonic(), chat.services.seen_allowances
    chat.services.seen_allowances = {}
    chat.call("anna", frame)
    chat.services.seen_allowances = seen
    chat.clock.rewind(begun)


HELLO = {"action": "sendmessage", "message": "hello", "to": "garden"}


@pytest.mark.parametrize(
    ("frame", "answer", "burst", "interval_ms"),
    [
        (HELLO, "message", 10, 500),
        ({"action": "join", "room": "garden"}, "joined", 10, 500),
        ({"action": "history"}, "history", 40, 250),
        ({"action": "ping"}, "pong", 10, 1000),
    ],
    ids=["sendmessage", "join", "history", "ping"],
)
def test_a_burst_is_answered_and_the_next_frame_gets_a_retry_delay(
    chat: Chat, frame: Frame, answer: str, burst: int, interval_ms: int
) -> None:
    answers = at_once(chat, frame, burst + 1)
    assert answers[:burst] == [(answer, None)] * burst
    code, retry_ms = answers[burst]
    assert (code, interval_ms - 10 <= retry_ms <= interval_ms) == ("rate_limited", True)
    chat.clock.advance((retry_ms - 10) / 1000)
    assert at_once(chat, frame, 1)[0][0] == "rate_limited"
    chat.clock.advance(0.01)
    assert [code for code, _ in at_once(chat, frame, 2)] == [answer, "rate_limited"]
    chat.clock.advance(60)
    assert [code for code, _ in at_once(chat, frame, burst + 1)] == [answer] * burst + ["rate_limited"]


def act(limit: RateLimit, tat: int, now: int) -> int | None:
    """Act once under a limit: return the new state, or None if it was too soon."""
    return None if limit.wait_ms(tat, now) else max(tat, now) + limit.interval_ms


@given(st.integers(1, 20), st.integers(1, 2000), st.lists(st.integers(0, 5000), max_size=60))
def test_no_time_window_exceeds_the_burst_and_the_rate(burst: int, interval: int, gaps: list[int]) -> None:
    limit = RateLimit("tat", burst, interval)
    now, tat, acted = 10**12, 0, []
    for gap in gaps:
        now += gap
        following = act(limit, tat, now)
        if following is not None:
            tat = following
            acted.append(now)
    for one, begun in enumerate(acted):
        for last, ended in enumerate(acted[one:], start=one):
            assert last - one + 1 <= burst + (ended - begun) / interval


@given(st.integers(1, 20), st.integers(1, 2000), st.data())
def test_after_the_retry_delay_the_next_action_is_accepted(burst: int, interval: int, data: st.DataObject) -> None:
    limit = RateLimit("tat", burst, interval)
    now = 10**12
    tat = now + data.draw(st.integers(0, burst * interval))
    wait = limit.wait_ms(tat, now)
    assert act(limit, tat, now + wait) is not None
    assert wait == 0 or act(limit, tat, now + wait - 1) is None


def test_joins_and_leaves_share_a_limit(chat: Chat) -> None:
    at_once(chat, {"action": "join", "room": "garden"}, 10)
    assert chat.ask("anna", {"action": "leave", "room": "garden"})["code"] == "rate_limited"
    assert chat.ping("anna")["rooms"] == {"garden": 0}


def test_a_typing_notice_over_the_limit_is_dropped_silently(chat: Chat) -> None:
    for _ in range(6):
        chat.typing("anna")
    assert (len(chat.frames("ben", "typing")), chat.frames("anna")) == (3, [])
    chat.clock.advance(1.5)
    chat.typing("anna")
    assert len(chat.frames("ben", "typing")) == 4


def test_each_kind_of_frame_and_each_connection_has_its_own_limit(chat: Chat) -> None:
    assert at_once(chat, HELLO, 11)[-1][0] == "rate_limited"
    assert chat.ping("anna")
    assert chat.history("anna")
    assert chat.join("anna", "garden")
    assert chat.send("ben", "hello")


def test_a_refused_message_writes_nothing_and_can_be_resent(chat: Chat) -> None:
    at_once(chat, HELLO, 10)
    frame = {**HELLO, "message": "later", "messageId": ID}
    before = [chat.dynamodb.items(table) for table in (CONNECTIONS, MESSAGES, ROOMS)]
    error = chat.ask("anna", frame)
    assert (error["code"], error["messageId"]) == ("rate_limited", ID)
    assert [chat.dynamodb.items(table) for table in (CONNECTIONS, MESSAGES, ROOMS)] == before
    chat.clock.advance(0.5)
    assert chat.ask("anna", frame)["message"] == "later"


@pytest.mark.parametrize("tries", [1, 2])
def test_a_message_refused_by_the_count_leaves_no_row(chat: Chat, tries: int) -> None:
    """The sender's previous messages are in flight when it is counted; on the second try its row already exists."""
    at_once(chat, HELLO, 10 - tries)
    chat.clock.advance(0.3)
    races = iter([first(lambda: elsewhere(chat, HELLO)) for _ in range(tries)])

    def race(call: Call, send: Callable[[], Item]) -> Item:
        if (call.operation, call.table) != ("UpdateItem", ROOMS) or (strike := next(races, None)) is None:
            return send()
        return strike(call, send)

    chat.dynamodb.intercept = race
    chat.call("anna", {**HELLO, "message": "one too many", "messageId": ID})
    assert [frame["code"] for frame in chat.frames("anna", "error")] == ["rate_limited"]
    assert "one too many" not in {row["message"] for row in chat.dynamodb.items(MESSAGES)}
    assert len(chat.frames("ben", "message")) == 10


@pytest.mark.parametrize("before", [0, 5, 8])
def test_concurrent_frames_are_all_counted(chat: Chat, before: int) -> None:
    """The second reads the state before the first changes it."""
    at_once(chat, HELLO, before)
    chat.dynamodb.intercept = fail_once(first(lambda: elsewhere(chat, HELLO)), "UpdateItem", ROOMS)
    chat.call("anna", HELLO)
    assert len(chat.frames("anna", "message")) == before + 2
    left = 10 - before - 2
    assert [code for code, _ in at_once(chat, HELLO, left + 1)] == ["message"] * left + ["rate_limited"]


def test_a_repeat_counts_as_a_message(chat: Chat) -> None:
    answers = at_once(chat, {**HELLO, "messageId": ID}, 11)
    assert [code for code, _ in answers] == ["message"] * 10 + ["rate_limited"]


def test_the_limit_of_messages_is_configurable() -> None:
    chat = Chat(message_burst=2, messages_per_second=0.5)
    chat.connect("anna")
    frame = {"action": "sendmessage", "message": "hello"}
    answers = at_once(chat, frame, 3)
    assert [code for code, _ in answers] == ["message", "message", "rate_limited"]
    assert 1990 <= answers[2][1] <= 2000


def test_joining_again_does_not_reset_a_limit(chat: Chat) -> None:
    at_once(chat, HELLO, 10)
    chat.join("anna", "kitchen")
    chat.leave("anna", "kitchen")
    assert at_once(chat, HELLO, 1)[0][0] == "rate_limited"


# The connections of one address


ADDRESS = "203.0.113.7"


def make_calls_instant(chat: Chat) -> None:
    """Make DynamoDB calls take no time, so concurrent actions have the same millisecond."""
    chat.dynamodb = chat.services.client = DynamoDB(chat.clock, call_seconds=lambda: 0.0)


def sockets(chat: Chat, count: int, address: str = ADDRESS) -> list[str]:
    """Let connections of an address join a room, and let their limits recover."""
    ids = [f"{address}-{number}" for number in range(count)]
    for one in ids:
        chat.connect(one, address=address)
        chat.join(one, "garden")
    chat.clock.advance(60)
    chat.clear()
    return ids


def codes(chat: Chat, ids: Iterable[str], frame: Frame, times: int) -> list[str]:
    """Send a frame over each connection several times at once; return each answer's type or code."""
    begun = chat.clock.monotonic()
    answers = []
    for one in list(ids) * times:
        chat.clock.rewind(begun)
        answer = chat.ask(one, frame)
        answers.append(answer.get("code", answer["type"]))
    return answers


@pytest.mark.parametrize("is_remembered", [True, False])
def test_twenty_connections_of_an_address_share_five_allowances(chat: Chat, is_remembered: bool) -> None:
    make_calls_instant(chat)
    ids = sockets(chat, 20)
    answers, begun = [], chat.clock.monotonic()
    for one in ids:
        chat.clock.rewind(begun)
        if not is_remembered:
            chat.services.seen_allowances.clear()
        answers += codes(chat, [one], HELLO, 10)
    assert answers.count("message") == 50
    assert set(answers[50:]) == {"rate_limited"}


def test_one_connection_cannot_use_up_the_allowance_of_its_address(chat: Chat) -> None:
    greedy, other = sockets(chat, 2)
    assert codes(chat, [greedy], HELLO, 15).count("message") == 10
    assert codes(chat, [other], HELLO, 10).count("message") == 10


def test_another_address_has_its_own_allowance(chat: Chat) -> None:
    codes(chat, sockets(chat, 6), HELLO, 10)
    assert codes(chat, sockets(chat, 1, "203.0.113.8"), HELLO, 10) == ["message"] * 10


def test_an_ipv6_address_counts_by_its_64_prefix_and_a_mapped_ipv4_address_as_ipv4(chat: Chat) -> None:
    assert allowance_key("2001:db8::1", "a") == allowance_key("2001:0DB8:0:0:ffff::2", "b")
    assert allowance_key("2001:db8::1", "a") != allowance_key("2001:db8:0:1::1", "a")
    assert allowance_key("::ffff:203.0.113.7", "a") == allowance_key("203.0.113.7", "b")


@pytest.mark.parametrize("address", [None, "", "no address", "127.0.0.1", "::1", "1.2.3.4.5"])
def test_a_connection_without_an_address_counts_on_its_own(address: str | None) -> None:
    assert allowance_key(address, "a") != allowance_key(address, "b")


def test_the_pings_of_170_pages_behind_one_address_are_answered() -> None:
    shared = rate_limit.PINGS.times(5)
    assert 170 / 8.5 * shared.interval_ms <= 1000


def test_an_address_may_open_60_connections_at_once_and_then_one_per_10_s(chat: Chat) -> None:
    begun = chat.clock.monotonic()
    statuses = []
    for number in range(62):
        chat.clock.rewind(begun)
        statuses.append(chat.gateway.connect(f"new-{number}", address=ADDRESS))
    assert statuses == [200] * 60 + [429] * 2
    assert not chat.dynamodb.item(CONNECTIONS, connectionId="new-60")
    assert [event["code"] for event in chat.services.events("refused")] == ["rate_limited"] * 2
    assert chat.gateway.connect("elsewhere", address="203.0.113.8") == 200
    chat.clock.advance(10)
    assert [chat.gateway.connect(f"later-{number}", address=ADDRESS) for number in range(2)] == [200, 429]


def test_no_address_is_stored_or_logged(chat: Chat) -> None:
    codes(chat, sockets(chat, 2), HELLO, 12)
    for number in range(62):
        chat.gateway.connect(f"new-{number}", address=ADDRESS)
    stored = [chat.dynamodb.items(table) for table in (CONNECTIONS, MESSAGES, ROOMS)]
    without_ids = repr([stored, chat.services.log.getvalue()]).replace(f"{ADDRESS}-", "")
    assert ADDRESS not in without_ids


def test_a_message_is_charged_for_its_size_and_may_use_up_more_than_is_left(chat: Chat) -> None:
    large = {**HELLO, "message": "x" * 4000}
    assert codes(chat, ["anna"], large, 4) == ["message"] * 3 + ["rate_limited"], "4 units each, of 10"
    retry_ms = chat.ask("anna", large)["retryAfterMs"]
    assert 1400 <= retry_ms <= 1500, "12 units are 6 s, of which 4.5 may be ahead"
    chat.clock.advance(retry_ms / 1000)
    assert codes(chat, ["anna"], HELLO, 1) == ["message"]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 400), st.booleans()), max_size=80))
def test_counts_are_exact_whatever_states_a_container_has_cached(acts: list[tuple[int, int, bool]]) -> None:
    """Five connections of one address compared with plain states: one each, and a shared one."""
    chat = Chat(message_burst=3, messages_per_second=2.0, address_allowances=2)
    make_calls_instant(chat)
    store, now = open_store(chat.services), chat.clock.now_ms
    limit = rate_limit.messages(3, 2.0)
    shared = limit.times(2)
    own, all_own = dict.fromkeys(range(5), 0), 0
    for who, gap, forgets in acts:
        chat.clock.advance(gap / 1000)
        if forgets:
            chat.services.seen_allowances.clear()
        actor = Actor(allowance_key(ADDRESS, str(who)), str(who))
        begun = chat.clock.monotonic()
        expected = not limit.wait_ms(own[who], now()) and not shared.wait_ms(all_own, now())
        if expected:
            own[who] = max(own[who], now()) + limit.interval_ms
            all_own = max(all_own, now()) + shared.interval_ms
        try:
            store.allowances.count(actor, limit)
        except FrameError:
            assert not expected
        else:
            assert expected
        chat.clock.rewind(begun)


def test_a_state_renewed_by_another_container_is_not_removed_as_lapsed(chat: Chat) -> None:
    make_calls_instant(chat)
    allowances, limit = open_store(chat.services).allowances, RateLimit("messageTat", burst=2, interval_ms=500)
    one, other = (Actor(allowance_key(ADDRESS, name), name) for name in ("one", "other"))
    allowances.count(one, limit)
    chat.clock.advance(0.6)
    chat.services.seen_allowances, remembered = {}, chat.services.seen_allowances
    elsewhere = open_store(chat.services).allowances
    elsewhere.count(one, limit)
    elsewhere.count(one, limit)
    assert remembered, "its cached state lies in the past by now"
    allowances.count(other, limit)
    chat.services.seen_allowances = {}
    with pytest.raises(FrameError):
        open_store(chat.services).allowances.count(one, limit)
