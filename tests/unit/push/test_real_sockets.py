"""The poster over real sockets and real TLS, which the fake network simulates."""

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.certificate import make_certificate
from tests.unit.push.callback_server import CallbackServer
from tests.unit.push.conftest import Postings
from tests.unit.push.harness import FRAME, Posting, delivered, names
from tests.unit.push.peers import CLOSE, HANG, OK, Piece, status


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server_tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture(params=["plain", "tls"])
def server(request: pytest.FixtureRequest, server_tls: ssl.SSLContext) -> Iterator[CallbackServer]:
    with CallbackServer(tls=server_tls if request.param == "tls" else None) as running:
        yield running


@pytest.fixture
def post(server: CallbackServer, postings: Postings, certificate: tuple[Path, Path]) -> Posting:
    return postings(url=server.url, tls=ssl.create_default_context(cafile=certificate[0]))


def test_every_connection_gets_the_frame_once_over_reused_connections(server: CallbackServer, post: Posting) -> None:
    assert post(names(300)) == delivered(300)
    accepted = server.accepted
    assert accepted < 150
    for _ in range(3):
        assert post(names(4)) == delivered(4)
    assert sorted(server.ids()) == sorted([*names(300), *names(4) * 3])
    assert {request.body for request in server.received} == {FRAME}
    assert server.accepted == accepted


def test_the_first_post_arrives_while_the_list_is_still_being_read(server: CallbackServer, post: Posting) -> None:
    def listed() -> Iterator[str]:
        yield "sender="
        deadline = time.monotonic() + 5
        while not server.received and time.monotonic() < deadline:
            time.sleep(0.001)  # a poll, bounded by the deadline
        assert server.ids() == ["sender="]
        yield from names(20)

    for _ in range(2):  # cold, then over a reused connection
        server.received.clear()
        assert post(listed()) == delivered(21)


def test_a_large_frame_arrives_whole(server: CallbackServer, post: Posting) -> None:
    frame = b"0123456789abcdef" * 2048
    assert post(names(40), frame=frame) == delivered(40)
    assert {request.body for request in server.received} == {frame}


def test_a_long_response_in_pieces_leaves_the_connection_in_step(server: CallbackServer, post: Posting) -> None:
    long = status(200, b"x" * 100_000)
    server.behaviour = lambda _: [long[:10], long[10:50_000], long[50_000:]]
    for _ in range(3):
        assert post(names(2)) == delivered(2)
    assert server.accepted <= 2


def test_connections_closed_between_two_frames_cost_no_post(server: CallbackServer, post: Posting) -> None:
    post(names(8))
    server.hang_up()
    assert post(names(8)) == delivered(8)
    assert server.ids().count(names(1)[0]) == 2


def test_a_post_into_a_connection_that_is_closing_is_resent_once(server: CallbackServer, post: Posting) -> None:
    server.behaviour = lambda request: OK if request.nth == 0 else [CLOSE]
    post(names(8))
    server.received.clear()
    assert post(names(1)) == delivered(1)
    assert [request.nth for request in server.received] == [1, 0]


def test_gone_throttled_silent_and_broken_peers_do_not_affect_the_others(
    server: CallbackServer, postings: Postings, certificate: tuple[Path, Path]
) -> None:
    answers: dict[str, list[Piece]] = {
        "gone=": [status(410)],
        "broken=": [b"no http at all\r\n\r\n"],
        "mute=": [HANG],
        "denied=": [status(403)],
        "throttled=": [status(429)],
    }
    server.behaviour = lambda request: answers.get(request.connection_id, [OK])
    post = postings(url=server.url, tls=ssl.create_default_context(cafile=certificate[0]), answer_seconds=1)
    outcome = post([*answers, *names(50)], seconds=5)
    assert (outcome.delivered, outcome.gone, outcome.throttled) == (50, ["gone="], ["throttled="])
    assert sorted(outcome.failed) == ["broken=", "denied=", "mute="]


def test_a_refused_connection_is_an_outcome(postings: Postings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    outcome = postings(url=f"http://127.0.0.1:{port}/production")(names(3), seconds=1)
    assert (outcome.delivered, sorted(outcome.failed)) == (0, names(3))


@pytest.mark.parametrize("flaw", ["unknown authority", "another host's name"])
def test_a_server_without_a_trusted_certificate_receives_nothing(
    server_tls: ssl.SSLContext, postings: Postings, certificate: tuple[Path, Path], flaw: str
) -> None:
    with CallbackServer(tls=server_tls) as server:
        if flaw == "unknown authority":
            post = postings(url=server.url)
        else:
            trusting = ssl.create_default_context(cafile=certificate[0])
            post = postings(url=server.url.replace("127.0.0.1", "localhost"), tls=trusting)
        outcome = post(names(2), seconds=1)
        assert (outcome.delivered, sorted(outcome.failed)) == (0, names(2))
        assert server.received == []
