"""The pool: which connection a request uses, and when another one is opened."""

from collections.abc import Iterator

import pytest

from chat.push.pool import ConnectionPool
from chat.push.request import Endpoint, PostRequests
from chat.push.sigv4 import Signer
from tests.unit.push.fake_network import FakeNetwork
from tests.unit.push.harness import CREDENTIALS, FRAME, Posting, delivered, names
from tests.unit.push.peers import HANG, OK, Pause, status

REQUESTS = PostRequests(
    Endpoint.parse("http://api.example/production"), Signer(CREDENTIALS, "us-east-1", "api.example"), FRAME
)


class Story:
    """A pool and its clock."""

    def __init__(self, network: FakeNetwork) -> None:
        self.network = network
        self.pool = ConnectionPool(network, "api.example", 80, tls=None, answer_seconds=5)

    def start(self, recipient: str, *, fresh: bool = False) -> None:
        request = REQUESTS.to(recipient, self.network.time())
        self.pool.start(recipient, request, self.network.monotonic(), fresh=fresh)

    def run(self, seconds: float) -> list[int]:
        """Advance the clock; return the statuses received."""
        statuses: list[int] = []
        until = self.network.monotonic() + seconds
        while self.network.monotonic() < until:
            for connection in self.pool.ready(until - self.network.monotonic()):
                status = connection.advance()
                if status is not None:
                    self.pool.release(connection, self.network.monotonic())
                    statuses.append(status)
        return statuses

    def states(self) -> list[str]:
        return sorted(connection.state.name for connection in self.pool.connections)

    def addresses(self) -> list[str]:
        return [stream.address for stream in self.network.streams]


@pytest.fixture
def story(network: FakeNetwork) -> Iterator[Story]:
    created = Story(network)
    yield created
    created.pool.close()
    assert network.open_streams() == []


def test_connections_are_opened_reused_and_closed(network: FakeNetwork, story: Story) -> None:
    pool = story.pool
    assert repr(pool) == "<ConnectionPool 0 busy, 0 idle>"
    story.start("a=")
    story.start("b=")
    assert story.states() == ["CONNECTING", "CONNECTING"]
    story.run(0.005)
    assert story.states() == ["ACTIVE", "ACTIVE"]
    assert story.run(0.015) == [200, 200]
    assert repr(pool) == "<ConnectionPool 0 busy, 2 idle>"

    story.start("c=")  # reuses one of the two
    assert story.states() == ["ACTIVE", "IDLE"]
    story.start("d=", fresh=True)
    assert story.states() == ["ACTIVE", "CONNECTING", "IDLE"]
    assert story.run(0.02) == [200, 200]
    assert story.states() == ["IDLE", "IDLE", "IDLE"]

    network.hang_up()
    pool.drop_stale()
    assert story.states() == []
    assert not pool.has_idle()


def test_an_idle_connection_that_the_peer_closes_is_dropped(network: FakeNetwork, story: Story) -> None:
    story.start("a=")
    story.start("b=")
    story.run(0.02)
    story.start("c=")
    network.hang_up()  # that of c= after its response
    assert story.run(0.02) == [200]
    assert story.states() == []


def test_only_expired_connections_are_dropped(network: FakeNetwork, story: Story) -> None:
    story.start("a=")
    story.start("b=")
    story.run(0.02)
    network.freeze(20)
    story.start("c=")
    story.run(0.02)
    network.freeze(20)
    story.pool.drop_stale()
    assert story.states() == ["IDLE"]


def test_a_few_connections_may_always_open_and_more_for_more_posts(network: FakeNetwork, story: Story) -> None:
    network.endpoint.behaviour = lambda _: [HANG]
    opened = {}
    for posts in (1, 1_000, 4_000):
        while story.pool.may_open(posts):
            story.start("a=")
            story.run(0.003)
        opened[posts] = len(story.pool.connections)
    assert opened == {1: 8, 1_000: 142, 4_000: 256}  # sqrt(1,000 posts * 10 ms / 0.5 ms) = 141.4


def test_idle_connections_are_used_even_if_they_would_not_be_worth_opening(network: FakeNetwork, post: Posting) -> None:
    post(names(5_000))
    network.sleep(1)
    started = network.monotonic()
    assert post(names(200)) == delivered(200)
    assert network.monotonic() - started < 2 * network.latency_seconds, "some waited for another's connection"


@pytest.mark.parametrize(
    ("latency_seconds", "answer", "opened"),
    [(0.002, OK, 40), (0.040, OK, 179), (0.040, status(200, b"", "Connection: close"), 90)],
    ids=["fast", "slow", "each with its handshake"],
)
def test_the_latency_of_reused_connections_decides_how_many_may_open(
    network: FakeNetwork, post: Posting, latency_seconds: float, answer: bytes, opened: int
) -> None:
    network.latency_seconds = latency_seconds
    network.endpoint.behaviour = lambda _: answer
    for _ in range(3):
        post(names(1_500))
        network.sleep(1)
    network.hang_up()
    network.endpoint.behaviour = lambda _: [HANG]
    before = len(network.streams)
    post(names(400), seconds=0.09)
    assert len(network.streams) - before == pytest.approx(opened, abs=3)  # sqrt(400 posts * latency / 0.5 ms)


def test_few_connections_are_opened_at_once(network: FakeNetwork, post: Posting) -> None:
    """The open ones are served between the handshakes."""
    network.opening_seconds = 0.2
    assert post(names(5_000)) == delivered(5_000)
    assert network.peak_opening == 32


def test_there_are_never_more_connections_than_file_descriptors(network: FakeNetwork, post: Posting) -> None:
    network.endpoint.behaviour = lambda _: [HANG]
    post(names(3_000), seconds=4)
    assert network.peak_open == 800


def test_more_recipients_get_more_connections_but_not_one_each(network: FakeNetwork, post: Posting) -> None:
    post(names(3))
    few = network.endpoint.accepted
    assert post(names(600)) == delivered(600)
    assert few <= 3 < network.endpoint.accepted <= 200


def test_no_connection_is_added_when_all_are_late(network: FakeNetwork, post: Posting) -> None:
    """The network or CPU is slow then, and handshakes would make it slower."""
    network.endpoint.behaviour = lambda _: [Pause(0.3), OK]
    assert post(names(200)) == delivered(200)
    assert network.peak_open < 70  # sqrt(200 posts * 10 ms / 0.5 ms) = 63, and the measured latency grows a little


def test_stalled_connections_are_replaced_and_unanswered_ones_closed(network: FakeNetwork, story: Story) -> None:
    network.endpoint.behaviour = lambda _: [HANG]
    recipients = names(8)
    for recipient in recipients:
        story.start(recipient)
    story.run(0.45)
    assert story.pool.sweep(network.monotonic()) == []
    assert not story.pool.may_open(1)
    story.run(0.1)
    assert story.pool.sweep(network.monotonic()) == []
    assert story.pool.may_open(1), "stalled connections count"
    story.run(5)
    assert story.pool.sweep(network.monotonic()) == recipients
    assert story.pool.connections == []


def test_a_peer_that_others_overtake_is_slow(network: FakeNetwork, story: Story) -> None:
    network.endpoint.behaviour = lambda request: [HANG] if request.connection_id in names(8) else OK
    for _ in range(30):  # long before
        story.start("fine=")
        story.run(0.013)
    for recipient in names(8):
        story.start(recipient)
    for answers in range(1, 22):
        story.start("fine=")
        story.run(0.013)
        story.pool.sweep(network.monotonic())
        assert story.pool.may_open(1) == (answers > 2 * 8), f"after {answers} answers"


@pytest.mark.parametrize(
    ("latency_seconds", "answers", "patience"), [(0.04, 1_500, 0.16), (0.3, 3_500, 0.4)], ids=["slow", "very slow"]
)
def test_on_a_slow_network_a_peer_counts_as_slow_later_but_within_half_a_second(
    network: FakeNetwork, story: Story, latency_seconds: float, answers: int, patience: float
) -> None:
    network.endpoint.behaviour = lambda request: [HANG] if request.connection_id in names(20) else OK
    network.latency_seconds = latency_seconds
    for _ in range(answers):  # until that is the measured latency
        story.start("fine=")
        story.run(latency_seconds + 0.003)
    network.latency_seconds = 0.001
    for recipient in names(20):
        story.start(recipient)
    for _ in range(50):  # enough to overtake them; they reduce the measured latency by a seventh
        story.start("fine=")
        story.run(0.002)
    story.run(patience * 0.86 - 0.13)
    story.pool.sweep(network.monotonic())
    assert not story.pool.may_open(1)
    story.run(0.1)
    story.pool.sweep(network.monotonic())
    assert story.pool.may_open(1)


def test_a_stalled_connection_counts_again_once_answered(network: FakeNetwork, story: Story) -> None:
    network.endpoint.behaviour = lambda _: [Pause(1), OK]
    for recipient in names(8):
        story.start(recipient)
    story.run(0.6)
    story.pool.sweep(network.monotonic())
    assert story.pool.may_open(1)
    story.run(1)
    for recipient in names(8):
        story.start(recipient)
    assert not story.pool.may_open(1)


def test_addresses_are_used_in_turn_and_resolved_again_after_half_a_minute(network: FakeNetwork, story: Story) -> None:
    network.addresses = ["10.0.0.1", "10.0.0.2"]
    for _ in range(4):
        story.start("a=", fresh=True)
    assert sorted(story.addresses()) == ["10.0.0.1"] * 2 + ["10.0.0.2"] * 2
    assert network.resolved == 1
    network.addresses = ["10.0.0.3"]
    network.freeze(31)
    story.start("a=", fresh=True)
    assert (network.resolved, story.addresses()[-1]) == (2, "10.0.0.3")


def test_a_dead_address_delays_posts_but_loses_none(network: FakeNetwork, post: Posting) -> None:
    network.addresses = ["10.0.0.1", "10.0.0.2"]
    network.refusing = {"10.0.0.2"}
    assert post(names(100)) == delivered(100)


def test_abandoned_connections_are_closed(story: Story) -> None:
    story.start("a=")
    story.run(0.02)
    story.start("b=")
    story.start("c=")
    assert sorted(story.pool.abandon_busy()) == ["b=", "c="]
    assert not story.pool.has_busy()
    assert story.pool.connections == []
