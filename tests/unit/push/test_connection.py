"""A connection's states and selector registrations."""

from selectors import EVENT_READ, EVENT_WRITE

import pytest

from chat.push.connection import IDLE_SECONDS, Connection, State
from chat.push.errors import ConnectionBrokenError
from chat.push.request import Endpoint, PostRequests
from chat.push.sigv4 import Signer
from tests.unit.push.fake_network import FakeNetwork, FakeSelector
from tests.unit.push.harness import CREDENTIALS, FRAME
from tests.unit.push.peers import CLOSE, OK, Piece

REQUEST = PostRequests(
    Endpoint.parse("http://api.example/production"), Signer(CREDENTIALS, "us-east-1", "api.example"), FRAME
).to("id=", 1_700_000_000)


@pytest.fixture
def selector(network: FakeNetwork) -> FakeSelector:
    return network.selector()


@pytest.fixture
def connection(network: FakeNetwork, selector: FakeSelector) -> Connection:
    return Connection(network, selector, network.connect((2, ("10.0.0.1", 80)), "api.example", None))


def start(network: FakeNetwork, connection: Connection, answered: int = 0) -> None:
    connection.start("id=", REQUEST, network.monotonic(), answered)


def advance(selector: FakeSelector) -> int | None:
    """Wait until the only connection can continue, and advance it."""
    [(key, _)] = selector.select(10)
    return key.data.advance()


def finish(network: FakeNetwork, selector: FakeSelector, connection: Connection) -> None:
    """Send a request and wait for its end."""
    start(network, connection)
    while not (connection.is_idle() or connection.is_closed()):
        advance(selector)


def watched(selector: FakeSelector) -> list[int]:
    return [key.events for key in selector.watched.values()]


def test_a_connection_from_its_first_request_to_its_end(
    network: FakeNetwork, selector: FakeSelector, connection: Connection
) -> None:
    start(network, connection)
    assert (connection.state, watched(selector)) == (State.CONNECTING, [EVENT_WRITE])
    assert connection.is_connecting()
    assert not connection.is_sent()
    assert network.endpoint.received == []

    assert advance(selector) is None  # it opens and sends at once
    assert (connection.state, watched(selector)) == (State.ACTIVE, [EVENT_READ])
    assert connection.is_sent()
    assert network.endpoint.ids() == ["id="]

    assert advance(selector) == 200
    assert repr(connection) == "<Connection IDLE, 1 responses>"
    assert connection.is_idle()
    assert watched(selector) == [EVENT_READ], "it would not notice that the peer closes it"

    start(network, connection)
    assert connection.state is State.ACTIVE
    assert len(network.endpoint.received) == 2, "a reused connection sends at once"

    connection.close()
    connection.close()
    assert connection.is_closed()
    assert (network.open_streams(), watched(selector)) == ([], [])


def test_a_reused_connection_is_not_registered_again(
    network: FakeNetwork, selector: FakeSelector, connection: Connection
) -> None:
    """Each change costs a system call."""
    finish(network, selector, connection)
    before = selector.changes
    for _ in range(10):
        start(network, connection)
        assert advance(selector) == 200
    assert selector.changes == before == 2


def test_a_partly_sent_request_waits_until_it_can_write(
    network: FakeNetwork, selector: FakeSelector, connection: Connection
) -> None:
    network.send_limit = 100
    start(network, connection)
    while not network.endpoint.received:
        assert (watched(selector), connection.is_sent()) == ([EVENT_WRITE], False)
        assert advance(selector) is None
    assert (watched(selector), connection.is_sent()) == ([EVENT_READ], True)
    assert advance(selector) == 200


def test_an_immediate_response_leaves_it_waiting_to_read(
    network: FakeNetwork, selector: FakeSelector, connection: Connection
) -> None:
    """If it waited to write, it would be ready at once and be mistaken for one that the peer has closed."""
    network.latency_seconds = 0
    for network.send_limit in (None, 100):
        finish(network, selector, connection)
        assert (connection.is_idle(), watched(selector)) == (True, [EVENT_READ])


def test_it_expires_after_half_a_minute_of_the_wall_clock(
    network: FakeNetwork, selector: FakeSelector, connection: Connection
) -> None:
    start(network, connection)
    network.freeze(IDLE_SECONDS + 1)
    assert not connection.has_expired(network.time()), "it is not idle"
    while not connection.is_idle():
        advance(selector)
    idle_since = network.time()
    assert not connection.has_expired(idle_since + IDLE_SECONDS - 1)
    assert connection.has_expired(idle_since + IDLE_SECONDS + 1)
    assert connection.has_expired(idle_since - IDLE_SECONDS - 1), "the clock was set back, so its age is unknown"


def test_it_is_stalled_when_others_overtake_it_or_after_a_long_wait(
    network: FakeNetwork, selector: FakeSelector, connection: Connection
) -> None:
    start(network, connection)
    started = network.monotonic()
    assert not connection.is_stalled(started + 9, 0.1, overtaken=True), "it is not even open"
    advance(selector)
    assert not connection.is_stalled(started + 0.09, 0.1, overtaken=True)
    assert connection.is_stalled(started + 0.11, 0.1, overtaken=True)
    assert not connection.is_stalled(started + 0.11, 0.1, overtaken=False), "all are late: the CPU is busy"
    assert connection.is_stalled(started + 0.51, 0.1, overtaken=False)


@pytest.mark.parametrize(
    ("nth", "answer", "was_stale"),
    [(0, [CLOSE], False), (1, [CLOSE], True), (1, [OK[:10], CLOSE], False), (1, [b"no http\r\n\r\n"], False)],
    ids=["new", "reused", "reused, within a response", "reused, malformed"],
)
def test_a_break_closes_it_and_reports_whether_it_was_stale(
    network: FakeNetwork, connection: Connection, *, nth: int, answer: list[Piece], was_stale: bool
) -> None:
    network.endpoint.behaviour = lambda request: answer if request.nth == nth else OK
    for _ in range(nth):
        finish(network, network.selectors[0], connection)
    with pytest.raises(ConnectionBrokenError) as broken:
        finish(network, network.selectors[0], connection)
    assert broken.value.was_stale is was_stale
    assert connection.is_closed()
    assert (network.open_streams(), watched(network.selectors[0])) == ([], [])


def test_a_refused_connection_is_broken_and_not_stale(
    network: FakeNetwork, selector: FakeSelector, connection: Connection
) -> None:
    network.refusing = {"10.0.0.1"}
    with pytest.raises(ConnectionBrokenError) as broken:
        finish(network, selector, connection)
    assert not broken.value.was_stale
