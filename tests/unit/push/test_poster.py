"""The poster with misbehaving peers and networks, on a virtual clock."""

import itertools
from collections.abc import Iterator

import pytest

from chat.push.poster import BURST_SECONDS, Outcome, Poster
from chat.push.sigv4 import Credentials
from tests.unit.push.conftest import Postings
from tests.unit.push.fake_network import FakeNetwork
from tests.unit.push.harness import CREDENTIALS, FRAME, Posting, delivered, names
from tests.unit.push.peers import CLOSE, HANG, OK, Pause, Piece, Received, ScriptedEndpoint, status

MAX_TRIES = 6


def test_every_connection_gets_the_frame_once_in_the_order_of_the_list(network: FakeNetwork, post: Posting) -> None:
    assert post(iter(names(300))) == delivered(300)
    assert network.endpoint.ids() == names(300)
    assert {request.body for request in network.endpoint.received} == {FRAME}


def test_an_empty_list_opens_no_connection(network: FakeNetwork, post: Posting) -> None:
    assert post([]) == delivered(0)
    assert network.streams == []


def test_sockets_are_closed_by_delete_requests_with_the_patience_of_posts(
    network: FakeNetwork, postings: Postings
) -> None:
    first_answers = {"gone=": 410, "throttled=": 429, "failing=": 403}

    def answer(request: Received) -> bytes:
        return status(first_answers.pop(request.connection_id, 204))

    network.endpoint.behaviour = answer
    poster = postings(network).poster
    ids = ["there=", "gone=", "throttled=", "failing="]
    outcome = poster.close_sockets(ids, deadline=network.monotonic() + 10)
    assert outcome == Outcome(2, ["gone="], [], ["failing="])
    assert {(request.method, request.body) for request in network.endpoint.received} == {("DELETE", b"")}
    assert network.endpoint.count("throttled=") == 2


def test_close_closes_every_connection(network: FakeNetwork, postings: Postings) -> None:
    post = postings(network)
    post(names(20))
    assert network.open_streams()
    post.poster.close()
    assert network.open_streams() == []
    assert network.selectors[0].is_closed


# How ids are read


@pytest.mark.parametrize("temperature", ["cold", "warm"])
def test_the_first_post_is_on_the_wire_before_the_second_id_is_read(
    network: FakeNetwork, post: Posting, temperature: str
) -> None:
    """The sender's copy is the acknowledgement, so it does not wait for the query that lists the others."""
    if temperature == "warm":
        post(names(20))
        network.endpoint.received.clear()

    def listed() -> Iterator[str]:
        yield "sender="
        assert network.endpoint.ids() == ["sender="]
        network.sleep(0.005)  # the query
        yield from names(7)

    started = network.monotonic()
    assert post(listed()) == delivered(8)
    took = network.monotonic() - started
    # The others' posts wait for the query, but not for the answer to the sender's.
    assert 0.015 <= took < (0.016 if temperature == "warm" else 0.016 + 0.02 + 2 * network.opening_seconds)


def test_a_slow_query_before_the_first_id_does_not_time_out_the_first_post(network: FakeNetwork, post: Posting) -> None:
    def listed() -> Iterator[str]:
        network.sleep(1)
        yield "sender="
        assert network.endpoint.ids() == ["sender="]
        yield "other="

    assert post(listed()) == delivered(2)


def test_others_wait_at_most_half_a_second_for_a_blocked_first_post(network: FakeNetwork, post: Posting) -> None:
    network.addresses = ["10.0.0.1", "10.0.0.2"]
    network.silent = {"10.0.0.2"}  # tried first

    def listed() -> Iterator[str]:
        yield "first="
        assert network.monotonic() - started < 0.6
        yield "second="

    started = network.monotonic()
    assert post(listed()) == Outcome(1, [], [], ["first="])
    assert network.endpoint.received[0].at - started < 0.6
    assert 5 <= network.monotonic() - started < 5.2, "an unanswered post times out after 5 s"


def test_ids_are_read_in_chunks_ahead_of_the_posts_but_not_to_the_end(network: FakeNetwork, post: Posting) -> None:
    ahead: list[int] = []

    def listed() -> Iterator[str]:
        for place, name in enumerate(names(3000)):
            ahead.append(place - len(network.endpoint.received))
            yield name

    assert post(listed()) == delivered(3000)
    assert max(ahead[:400]) >= 300, "read one by one"
    assert min(ahead[600:]) >= 100, "read only when nothing was left to post"
    assert max(ahead) <= 512 + 256, "read to the end before the posts"


def test_an_error_of_the_list_is_raised_after_those_listed_before_have_the_frame(
    network: FakeNetwork, post: Posting
) -> None:
    def failing() -> Iterator[str]:
        yield from names(30)
        raise LookupError("the second page")

    with pytest.raises(LookupError, match="second page"):
        post(failing())
    assert network.endpoint.ids() == names(30)
    assert post(names(3)) == delivered(3)


# Reused connections


def test_connections_are_reused_between_frames(network: FakeNetwork, post: Posting) -> None:
    for _ in range(5):
        assert post(names(4)) == delivered(4)
        network.sleep(20)
    assert network.endpoint.accepted <= 4
    assert len(network.endpoint.received) == 20


def test_connections_closed_between_frames_cost_no_post(network: FakeNetwork, post: Posting) -> None:
    post(names(8))
    network.hang_up()
    assert post(names(8)) == delivered(8)
    assert network.endpoint.ids() == names(8) * 2, "a post was sent twice"


def test_connections_from_before_a_freeze_are_not_used(network: FakeNetwork, post: Posting) -> None:
    """A frozen function does not notice when peers hang up: connections look open, but sends are lost."""
    post(names(3))
    network.freeze(31)
    network.lose()
    started = network.monotonic()
    assert post(names(3)) == delivered(3)
    assert network.monotonic() - started < 0.1, "they were waited for"


@pytest.mark.parametrize(
    "answer",
    [
        [status(200, b"", "Connection: close"), CLOSE],
        [b"HTTP/1.1 200 OK\r\n\r\nuntil the end", CLOSE],
        [b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"],
        [OK + b"HTTP/1.1 500 unasked\r\n\r\n"],
    ],
    ids=["connection: close", "body until the end", "http/1.0", "extra bytes"],
)
def test_a_connection_that_cannot_be_reused_is_closed(network: FakeNetwork, post: Posting, answer: list[Piece]) -> None:
    network.endpoint.behaviour = lambda _: answer
    for _ in range(2):
        assert post(names(3)) == delivered(3)
    assert [request.nth for request in network.endpoint.received] == [0] * 6
    assert network.open_streams() == []


def test_responses_in_pieces_leave_the_connection_in_step(network: FakeNetwork, post: Posting) -> None:
    network.endpoint.behaviour = lambda _: [status(200, b"hello")[:30], Pause(0.01), status(200, b"hello")[30:]]
    for _ in range(3):
        assert post(names(2)) == delivered(2)
    assert network.endpoint.accepted <= 2


def test_a_large_frame_is_sent_in_as_many_parts_as_the_network_takes(network: FakeNetwork, post: Posting) -> None:
    network.send_limit = 5000
    frame = b"0123456789abcdef" * 2048
    assert post(names(40), frame=frame) == delivered(40)
    assert {request.body for request in network.endpoint.received} == {frame}


# Posts that break


@pytest.mark.parametrize("error", [None, BrokenPipeError()], ids=["on receiving", "on sending"])
def test_a_post_into_a_stale_connection_is_resent_at_once_over_a_fresh_one(
    network: FakeNetwork, post: Posting, error: OSError | None
) -> None:
    """The peer's idle time-out strikes while the request is in flight."""
    post(names(8))
    network.endpoint.received.clear()
    if error:
        network.lose(error)
    else:
        network.endpoint.behaviour = lambda request: OK if request.nth == 0 else [CLOSE]
    started = network.monotonic()
    assert post(names(1)) == delivered(1)
    assert [request.nth for request in network.endpoint.received][-1] == 0, "the other idle ones may be stale too"
    assert len(network.endpoint.received) <= 2
    assert network.monotonic() - started < 0.025, "it was not sent at once"


def test_a_connection_that_breaks_during_a_response_counts_as_a_failed_attempt(
    network: FakeNetwork, post: Posting
) -> None:
    """The peer has seen the request, so the connection is not stale: retry later, not at once."""
    post(names(1))
    network.endpoint.behaviour = lambda request: OK if request.nth == 0 else [OK[:20], CLOSE]
    started = network.monotonic()
    assert post(names(1)) == delivered(1)
    assert network.monotonic() - started > 0.025


def test_posts_that_break_on_fresh_connections_fail_after_a_few_tries(network: FakeNetwork, post: Posting) -> None:
    network.endpoint.behaviour = lambda request: OK if request.connection_id == "fine=" else [CLOSE]
    assert post(["broken=", "fine="]) == Outcome(1, [], [], ["broken="])
    resent = 1  # first tried over the connection that "fine=" used
    assert network.endpoint.count("broken=") == MAX_TRIES + resent


# Statuses


@pytest.mark.parametrize(("code", "place"), [(410, "gone"), (403, "failed"), (413, "failed"), (400, "failed")])
def test_a_permanent_error_is_not_retried(network: FakeNetwork, post: Posting, code: int, place: str) -> None:
    network.endpoint = ScriptedEndpoint.answering(odd=code)
    outcome = post(["odd=", *names(3)])
    assert getattr(outcome, place) == ["odd="]
    assert outcome.delivered == 3
    assert network.endpoint.count("odd=") == 1


def test_throttled_and_failed_posts_are_retried_a_few_times_with_backoff_and_jitter(
    network: FakeNetwork, post: Posting
) -> None:
    codes = {"throttled": 429, "failed": 500, "unavailable": 503}
    network.endpoint = ScriptedEndpoint.answering(**codes)
    outcome = post([f"{name}=" for name in codes] + names(3))
    assert (outcome.delivered, outcome.throttled) == (3, ["throttled="])
    assert sorted(outcome.failed) == ["failed=", "unavailable="]
    jitter: list[float] = []
    for name in codes:
        tries = [request.at for request in network.endpoint.received if request.connection_id == f"{name}="]
        assert len(tries) == MAX_TRIES
        for nth, (earlier, later) in enumerate(itertools.pairwise(tries)):
            delay = later - earlier - network.latency_seconds
            jitter.append(delay / (0.05 * 2**nth))
            assert 0.5 <= jitter[-1] <= 1.02
    assert max(jitter) - min(jitter) > 0.3, "no jitter"
    assert len(set(jitter)) == 15, "retried at fixed times"


@pytest.mark.parametrize("code", [429, 500])
def test_a_post_that_succeeds_on_the_second_try_is_delivered(network: FakeNetwork, post: Posting, code: int) -> None:
    network.endpoint.behaviour = lambda one: status(code) if network.endpoint.count(one.connection_id) == 1 else OK
    assert post(names(20)) == delivered(20)
    assert sorted(network.endpoint.ids()) == sorted(names(20) * 2)


# Guarantee 5: a peer that is gone, slow or throttled neither delays nor breaks the others


def test_a_slow_peer_does_not_delay_the_others(network: FakeNetwork, post: Posting) -> None:
    network.endpoint.behaviour = lambda one: [Pause(2), OK] if one.connection_id == "slow=" else OK
    started = network.monotonic()
    assert post(["slow=", *names(300)]) == delivered(301)
    assert max(request.at for request in network.endpoint.received) - started < 0.5


def test_many_slow_peers_cannot_use_up_the_connections(network: FakeNetwork, post: Posting) -> None:
    """There are more of them than connections for the work, so each stalled one is replaced."""
    slow = [f"slow{number}=" for number in range(100)]
    network.endpoint.behaviour = lambda one: [Pause(4), OK] if one.connection_id in slow else OK
    started = network.monotonic()
    assert post([*slow, *names(100)]) == delivered(200)
    assert max(request.at for request in network.endpoint.received) - started < 4


def test_a_peer_that_never_answers_times_out(network: FakeNetwork, postings: Postings) -> None:
    network.endpoint.behaviour = lambda one: [HANG] if one.connection_id == "mute=" else OK
    started = network.monotonic()
    assert postings(network, answer_seconds=0.3)(["mute=", *names(20)]) == Outcome(20, [], [], ["mute="])
    assert 0.3 <= network.monotonic() - started < 0.4


def test_throttled_peers_are_retried_after_the_first_try_of_the_others(
    network: FakeNetwork, postings: Postings
) -> None:
    """Its tries use tokens that the others need."""
    network.endpoint = ScriptedEndpoint.answering(odd=429)
    outcome = postings(network, posts_per_second=1000)(["odd=", *names(2_000)])
    assert (outcome.delivered, outcome.throttled) == (2_000, ["odd="])
    odd = [place for place, connection_id in enumerate(network.endpoint.ids()) if connection_id == "odd="]
    assert len(odd) == MAX_TRIES
    assert odd[1] > 2_000


def test_gone_throttled_and_malformed_peers_do_not_affect_the_others(network: FakeNetwork, post: Posting) -> None:
    answers: dict[str, list[Piece]] = {
        "gone=": [status(410)],
        "throttled=": [status(429)],
        "broken=": [b"no http at all\r\n\r\n"],
        "endless=": [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000],
    }
    network.endpoint.behaviour = lambda request: answers.get(request.connection_id, [OK])
    outcome = post([*answers, *names(50)])
    assert (outcome.delivered, outcome.gone, outcome.throttled) == (50, ["gone="], ["throttled="])
    assert sorted(outcome.failed) == ["broken=", "endless="]


# No network, or no time


@pytest.mark.parametrize("how", ["refused", "unknown host"])
def test_a_failure_to_connect_is_an_outcome_and_not_an_error(network: FakeNetwork, post: Posting, how: str) -> None:
    if how == "refused":
        network.refusing = {"10.0.0.1"}
    else:
        network.addresses = []
    started = network.monotonic()
    for count, seconds in ((3, 30), (300, 2)):  # first the tries run out, then the time
        outcome = post(names(count), seconds=seconds)
        assert (outcome.delivered, sorted(outcome.failed)) == (0, names(count))
    assert network.monotonic() - started <= 4 + 2.1
    assert network.open_streams() == []


def test_at_the_deadline_posting_stops_and_returns_the_outcome_so_far(network: FakeNetwork, post: Posting) -> None:
    read: list[str] = []

    def listed() -> Iterator[str]:
        for name in names(5000):
            read.append(name)
            yield name

    network.endpoint.behaviour = lambda _: [HANG]
    started = network.monotonic()
    outcome = post(listed(), seconds=0.3)
    assert network.monotonic() - started == pytest.approx(0.3, abs=0.01)
    assert (outcome.delivered, outcome.cut_short) == (0, True)
    assert sorted(outcome.failed) == read
    assert network.open_streams() == []
    network.endpoint.behaviour = lambda _: OK
    assert post(names(3)) == delivered(3)


def test_nothing_is_sent_once_a_query_has_passed_the_deadline(network: FakeNetwork, post: Posting) -> None:
    def listed() -> Iterator[str]:
        yield "sender="
        network.sleep(20)
        yield from names(3)

    post(names(8))  # opens connections
    network.endpoint.received.clear()
    outcome = post(listed())
    assert network.endpoint.ids() == ["sender="]
    assert set(names(3)) <= set(outcome.failed)


# The ceiling


def test_posts_stay_below_the_ceiling_and_its_burst(network: FakeNetwork, postings: Postings) -> None:
    per_second = 200
    assert postings(network, posts_per_second=per_second)(names(220)) == delivered(220)
    at = [request.at for request in network.endpoint.received]
    burst = per_second * BURST_SECONDS
    for first, last in itertools.combinations(range(0, 220, 10), 2):
        handshakes = network.opening_seconds  # only a connection's first request waits for one
        assert last - first <= burst + per_second * (at[last] - at[first] + handshakes) + 1
    assert at[-1] - at[0] == pytest.approx((220 - burst) / per_second, rel=0.05), "slower than the ceiling"
    assert max(later - earlier for earlier, later in itertools.pairwise(at)) < 1.1 / per_second, "in bursts"


def test_a_low_ceiling_does_not_end_a_frame_early(network: FakeNetwork, postings: Postings) -> None:
    """Between two tokens nothing is in flight, although posts are left."""
    assert postings(network, posts_per_second=10)(names(8)) == delivered(8)


def test_ten_thousand_readers_receive_a_frame_in_0_8_s_under_the_default_ceiling(
    network: FakeNetwork, post: Posting
) -> None:
    started = network.monotonic()
    assert post(names(10_000)) == delivered(10_000)
    assert 0.75 <= network.monotonic() - started < 0.8


def test_retries_count_against_the_ceiling(network: FakeNetwork, postings: Postings) -> None:
    network.endpoint.behaviour = lambda one: status(429) if network.endpoint.count(one.connection_id) == 1 else OK
    started = network.monotonic()
    assert postings(network, posts_per_second=100)(names(50)) == delivered(50)
    assert network.monotonic() - started >= (100 - 100 * BURST_SECONDS) / 100 * 0.95


# Requests


@pytest.mark.parametrize("connection_id", ["L0SM9cOFvHcCIhw=", "a/b?c#d e", "ümläut%41", "x~y_z-1.2"])
def test_a_connection_id_arrives_unchanged(network: FakeNetwork, post: Posting, connection_id: str) -> None:
    assert post([connection_id]) == delivered(1)
    assert network.endpoint.ids() == [connection_id]


def test_changed_credentials_sign_the_next_frame(network: FakeNetwork, postings: Postings) -> None:
    given = [Credentials("first", "secret"), Credentials("second", "secret", "token2"), Credentials("third", "secret")]
    asked = iter(given)
    post = postings(network, credentials=lambda: next(asked), region="eu-west-1")
    for credentials in given:
        post(names(1))
        fields = network.endpoint.received[-1].fields
        assert f"Credential={credentials.access_key}/" in fields["authorization"]
        assert "/eu-west-1/execute-api/aws4_request" in fields["authorization"]
        assert fields.get("x-amz-security-token") == credentials.token


class CountedCredentials(Credentials):
    """Counts how often the secret key is read: once per derived key."""

    reads = 0

    def __getattribute__(self, name: str) -> object:
        if name == "secret_key":
            CountedCredentials.reads += 1
        return object.__getattribute__(self, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CountedCredentials)

    __hash__ = None


def test_the_signing_key_is_derived_once_a_day(network: FakeNetwork, postings: Postings) -> None:
    post = postings(network, credentials=lambda: CountedCredentials("key", "secret"))
    for body in (b"1", b"2"):
        post(names(20), frame=body)
        network.sleep(5)
    assert CountedCredentials.reads == 1
    network.freeze(86_400)
    post(names(20))
    assert CountedCredentials.reads == 2


@pytest.mark.parametrize("url", ["ftp://host/x", "host/production", "https:///production"])
def test_a_callback_url_that_is_not_http_is_rejected(network: FakeNetwork, url: str) -> None:
    with pytest.raises(ValueError, match="callback URL"):
        Poster(url, credentials=lambda: CREDENTIALS, region="us-east-1", network=network)
