"""The engine against peers and networks that misbehave, over real sockets."""

import datetime as dt
import hashlib
import itertools
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.certificate import make_certificate
from chat import fan_out
from chat.fan_out import FanOut, Outcome
from chat.pace import Pace
from tests.conftest import free_port
from tests.unit.callback_server import CLOSE, HANG, OK, CallbackServer, Piece, Received, status

FRAME = '{"type":"message","message":"grüß dich"}'.encode()
Engines = Callable[..., FanOut]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_out, "_FIRST_RETRY_SECONDS", 0.01)


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
def engines(certificate: tuple[Path, Path]) -> Iterator[Engines]:
    """Make engines that trust the server, and close them."""
    made: list[FanOut] = []

    def make(server: CallbackServer | str, **options: Any) -> FanOut:
        url = server if isinstance(server, str) else server.url
        tls = options.pop("tls", None) or ssl.create_default_context(cafile=certificate[0])
        made.append(FanOut(url, tls=tls, **options))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def post(engine: FanOut, ids: Any, seconds: float = 10.0, frame: bytes = FRAME) -> Outcome:
    return engine.post(ids, frame, deadline=time.monotonic() + seconds)


def names(count: int) -> list[str]:
    return [f"{number:05d}abc=" for number in range(count)]


def delivered(count: int) -> Outcome:
    return Outcome(count, [], [], [])


def test_every_connection_gets_the_frame_once(server: CallbackServer, engines: Engines) -> None:
    assert post(engines(server), iter(names(300))) == delivered(300)
    assert sorted(server.ids()) == names(300)
    assert {one.body for one in server.received} == {FRAME}


def test_the_first_id_of_the_list_is_posted_to_first(server: CallbackServer, engines: Engines) -> None:
    engine = engines(server)
    for _ in range(3):  # cold, then warm
        assert post(engine, [*names(1)]) == delivered(1)
    server.received.clear()
    post(engine, names(200))
    assert names(200)[0] in server.ids()[:1]


def test_posts_begin_before_the_list_is_read_to_its_end(server: CallbackServer, engines: Engines) -> None:
    def slowly_listed() -> Iterator[str]:
        yield from names(600)
        deadline = time.monotonic() + 5
        while not server.received and time.monotonic() < deadline:
            time.sleep(0.001)  # a poll, bounded by the deadline
        assert server.received, "nobody was posted to before the last page was asked for"
        yield "last="

    assert post(engines(server), slowly_listed()).delivered == 601


def test_sockets_are_kept_over_invocations(server: CallbackServer, engines: Engines) -> None:
    engine = engines(server)
    for _ in range(5):
        assert post(engine, names(4)) == delivered(4)
    assert server.links <= 4
    assert len(server.received) == 20


def test_more_recipients_get_more_sockets_but_not_one_each(server: CallbackServer, engines: Engines) -> None:
    engine = engines(server)
    post(engine, names(3))
    few = server.links
    post(engine, names(600))
    assert few <= 3 < server.links <= 200


@pytest.mark.parametrize(
    "response",
    [
        [b"HTTP/1.1 200 OK\r\nContent-", b"Length: 5\r\n", b"\r\nhel", b"lo"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhel", b"lo\r\n1", b"\r\n!\r\n0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n", b"\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\n", OK],
        [b"HTTP/1.1 204 No Content\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x" * 60000, b"x" * 40000],
    ],
    ids=["split", "chunked", "trailer", "interim", "no content", "long"],
)
def test_a_response_in_any_pieces_leaves_the_socket_in_step(
    server: CallbackServer, engines: Engines, response: list[bytes]
) -> None:
    server.behaviour = lambda _: response
    engine = engines(server)
    for _ in range(3):
        assert post(engine, names(2)) == delivered(2)
    assert server.links <= 2


def test_each_single_byte_may_come_alone(server: CallbackServer, engines: Engines) -> None:
    server.behaviour = lambda _: [bytes([byte]) for byte in status(200, b"ok")]
    assert post(engines(server), names(3)) == delivered(3)


@pytest.mark.parametrize(
    ("response", "closes"),
    [
        (status(200, b"", "Connection: close"), True),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (OK + b"HTTP/1.1 500 nobody asked\r\n\r\n", False),
    ],
    ids=["connection: close", "body until the end", "http/1.0", "more than was asked for"],
)
def test_a_socket_that_cannot_be_used_again_is_not(
    server: CallbackServer, engines: Engines, response: bytes, closes: bool
) -> None:
    server.behaviour = lambda _: [response, CLOSE] if closes else [response]
    engine = engines(server)
    for _ in range(2):
        assert post(engine, names(3)) == delivered(3)
    assert [one.nth for one in server.received] == [0] * 6


def test_a_large_frame_goes_out_in_as_many_parts_as_the_network_takes(server: CallbackServer, engines: Engines) -> None:
    frame = b"x" * 32 * 1024
    assert post(engines(server), names(40), frame=frame) == delivered(40)
    assert {hashlib.sha256(one.body).digest() for one in server.received} == {hashlib.sha256(frame).digest()}


def test_sockets_closed_between_two_uses_cost_no_post(server: CallbackServer, engines: Engines) -> None:
    engine = engines(server)
    post(engine, names(8))
    before = server.links
    server.hang_up()
    assert post(engine, names(8)) == delivered(8)
    assert server.links > before


def test_a_post_into_a_socket_closed_meanwhile_is_sent_once_more_over_a_fresh_one(
    server: CallbackServer, engines: Engines
) -> None:
    """The other side's idle limit strikes just as the request is on its way."""
    engine = engines(server)
    server.behaviour = lambda request: OK if request.nth == 0 else [CLOSE]
    post(engine, names(8))
    server.received.clear()
    assert post(engine, names(1)) == delivered(1)
    assert [one.nth for one in server.received] == [1, 0], "the other kept sockets may be as dead as the first"


def test_what_breaks_on_a_fresh_socket_too_is_tried_a_few_times_and_then_failed(
    server: CallbackServer, engines: Engines
) -> None:
    server.behaviour = lambda request: OK if request.connection_id == "fine=" else [CLOSE]
    outcome = post(engines(server), ["broken=", "fine="])
    assert outcome == Outcome(1, [], [], ["broken="])
    assert 2 <= server.ids().count("broken=") <= fan_out._MAX_TRIES + 1


def test_sockets_from_before_a_freeze_are_not_trusted(
    server: CallbackServer, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen function hears no goodbye: the socket looks open, and whatever goes into it is lost."""
    engine = engines(server)
    post(engine, names(3))
    before, lost = server.links, server.links
    server.behaviour = lambda request: OK if request.link >= lost else [HANG]
    real = time.time
    monkeypatch.setattr(fan_out.time, "time", lambda: real() + fan_out.IDLE_SECONDS + 1)
    assert post(engine, names(3)) == delivered(3)
    assert server.links > before


@pytest.mark.parametrize(("code", "place"), [(410, "gone"), (403, "failed"), (413, "failed"), (400, "failed")])
def test_an_answer_that_no_second_try_changes_is_final(
    server: CallbackServer, engines: Engines, code: int, place: str
) -> None:
    server.behaviour = lambda request: status(code, b"{}") if request.connection_id == "odd=" else OK
    outcome = post(engines(server), ["odd=", *names(3)])
    assert getattr(outcome, place) == ["odd="]
    assert outcome.delivered == 3
    assert server.ids().count("odd=") == 1


def test_a_throttled_or_failed_post_is_tried_again_a_bounded_number_of_times(
    server: CallbackServer, engines: Engines
) -> None:
    codes = {"throttled=": 429, "failed=": 500, "unavailable=": 503}
    server.behaviour = lambda request: status(codes.get(request.connection_id, 200))
    started = time.monotonic()
    outcome = post(engines(server), [*codes, *names(3)])
    assert (outcome.delivered, outcome.throttled) == (3, ["throttled="])
    assert sorted(outcome.failed) == ["failed=", "unavailable="]
    assert time.monotonic() - started < fan_out.RETRY_BUDGET_SECONDS
    for connection_id in codes:
        tries = [one.at for one in server.received if one.connection_id == connection_id]
        gaps = [later - earlier for earlier, later in itertools.pairwise(tries)]
        assert len(tries) == fan_out._MAX_TRIES
        assert all(gap >= fan_out._FIRST_RETRY_SECONDS * 2**nth / 2 for nth, gap in enumerate(gaps))


@pytest.mark.parametrize("code", [429, 500])
def test_a_post_that_succeeds_at_the_second_try_is_delivered(
    server: CallbackServer, engines: Engines, code: int
) -> None:
    def once(request: Received) -> bytes:
        return status(code) if server.ids().count(request.connection_id) == 1 else OK

    server.behaviour = once
    assert post(engines(server), names(20)) == delivered(20)


def test_guarantee_5_a_slow_peer_holds_up_one_socket_only(server: CallbackServer, engines: Engines) -> None:
    """The others are served while it is waited for: its answer comes once all of them have theirs."""
    others = threading.Event()

    def slow(request: Received) -> Iterator[Piece]:
        if request.connection_id == "slow=":
            assert others.wait(5), "somebody waits for the slow one"
        elif len(server.received) == 301:
            others.set()
        yield OK

    server.behaviour = slow
    assert post(engines(server), ["slow=", *names(300)]) == delivered(301)


def test_guarantee_5_many_slow_peers_cannot_use_up_all_sockets(server: CallbackServer, engines: Engines) -> None:
    """More of them than the sockets that the work would get: each one that is stuck is made up for."""
    slow = [f"slow{number}=" for number in range(100)]
    others = threading.Event()

    def behave(request: Received) -> Iterator[Piece]:
        if request.connection_id.startswith("slow"):
            assert others.wait(8), "somebody waits for the slow ones"
        elif sum(not one.startswith("slow") for one in server.ids()) == 100:
            others.set()
        yield OK

    server.behaviour = behave
    assert post(engines(server), [*slow, *names(100)]) == delivered(200)


def test_guarantee_5_a_peer_that_never_answers_is_given_up_and_the_others_have_theirs(
    server: CallbackServer, engines: Engines
) -> None:
    server.behaviour = lambda request: [HANG] if request.connection_id == "mute=" else OK
    started = time.monotonic()
    assert post(engines(server, answer_seconds=0.3), ["mute=", *names(20)]) == Outcome(20, [], [], ["mute="])
    assert 0.3 <= time.monotonic() - started < 3


def test_guarantee_5_a_throttled_peer_is_tried_again_after_everybody_has_had_a_first_try(
    server: CallbackServer, engines: Engines
) -> None:
    """Its tries count against the ceiling, which is the others' too."""
    server.behaviour = lambda request: status(429) if request.connection_id == "odd=" else OK
    outcome = post(engines(server, posts_per_second=1000), ["odd=", *names(900)])
    assert (outcome.delivered, outcome.throttled) == (900, ["odd="])
    odd = [place for place, connection_id in enumerate(server.ids()) if connection_id == "odd="]
    assert len(odd) == fan_out._MAX_TRIES
    assert odd[1] >= 800, "while others still wait for their first"


def test_guarantee_5_gone_throttled_and_broken_peers_break_nobody(server: CallbackServer, engines: Engines) -> None:
    answers: dict[str, list[Piece]] = {
        "gone=": [status(410)],
        "throttled=": [status(429)],
        "broken=": [b"no http at all\r\n\r\n"],
        "huge=": [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000],
        "lying=": [b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"],
        "chunky=": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    }
    server.behaviour = lambda request: answers.get(request.connection_id, [OK])
    outcome = post(engines(server), [*answers, *names(50)])
    assert outcome.delivered == 50
    assert (outcome.gone, outcome.throttled) == (["gone="], ["throttled="])
    assert sorted(outcome.failed) == ["broken=", "chunky=", "huge=", "lying="]


def test_a_refused_connection_is_reported_and_not_raised(engines: Engines) -> None:
    started = time.monotonic()
    outcome = post(engines(f"http://127.0.0.1:{free_port()}/production"), names(3))
    assert (outcome.delivered, sorted(outcome.failed)) == (0, names(3))
    assert time.monotonic() - started < fan_out.RETRY_BUDGET_SECONDS


def test_an_unknown_host_costs_no_more_than_the_deadline(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        time.sleep(0.02)  # what a resolver takes
        raise fan_out.socket.gaierror

    monkeypatch.setattr(fan_out.socket, "getaddrinfo", unknown)
    started = time.monotonic()
    outcome = post(engines("https://no.example/production"), names(300), seconds=0.2)
    assert (outcome.delivered, sorted(outcome.failed)) == (0, names(300))
    assert time.monotonic() - started < 2


def test_a_server_that_cannot_prove_who_it_is_gets_nothing(server_tls: ssl.SSLContext, engines: Engines) -> None:
    with CallbackServer(tls=server_tls) as server:
        outcome = post(engines(server, tls=ssl.create_default_context()), names(2))
        assert outcome == Outcome(0, [], [], outcome.failed)
        assert sorted(outcome.failed) == names(2)
        assert server.received == []


def test_the_certificate_must_name_the_host(server_tls: ssl.SSLContext, engines: Engines) -> None:
    with CallbackServer(tls=server_tls) as server:
        outcome = post(engines(server.url.replace("127.0.0.1", "localhost")), names(1), seconds=1)
        assert outcome.failed == names(1)
        assert server.received == []


def test_at_the_deadline_everything_stops_and_what_was_known_is_told(server: CallbackServer, engines: Engines) -> None:
    read = []

    def listed() -> Iterator[str]:
        for name in names(5000):
            read.append(name)
            yield name

    server.behaviour = lambda _: [HANG]
    started = time.monotonic()
    outcome = post(engines(server), listed(), seconds=0.3)
    assert 0.3 <= time.monotonic() - started < 3
    assert (outcome.delivered, outcome.cut_short) == (0, True)
    assert sorted(outcome.failed) == read
    server.behaviour = lambda _: OK
    assert post(engines(server), names(3)) == delivered(3)


def test_no_second_sees_more_posts_than_the_ceiling_and_its_burst(
    server: CallbackServer, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they leave: when they arrive is also the handshakes' doing."""
    per_second = 200
    at: list[float] = []
    begin = fan_out.Link.begin

    def noted(*arguments: Any) -> None:
        at.append(time.monotonic())
        begin(*arguments)

    monkeypatch.setattr(fan_out.Link, "begin", noted)
    started = time.monotonic()
    assert post(engines(server, posts_per_second=per_second), names(220)) == delivered(220)
    assert len(at) == 220
    burst = per_second * fan_out.BURST_SECONDS
    assert at[-1] - started >= (220 - burst - 5) / per_second * 0.95
    for first in range(0, 220, 10):
        seconds = at[-1] - at[first]
        assert 220 - first <= burst + per_second * seconds + per_second * 0.1


def test_a_try_again_keeps_to_the_ceiling_too(server: CallbackServer, engines: Engines) -> None:
    server.behaviour = lambda request: status(429) if server.ids().count(request.connection_id) == 1 else OK
    engine = engines(server, posts_per_second=100)
    started = time.monotonic()
    assert post(engine, names(50)) == delivered(50)
    assert time.monotonic() - started >= (100 - 100 * fan_out.BURST_SECONDS) / 100 * 0.95


@pytest.mark.parametrize("connection_id", ["L0SM9cOFvHcCIhw=", "a/b?c#d e", "ümläut%41", "x~y_z-1.2"])
def test_ids_are_encoded_and_arrive_as_they_are(server: CallbackServer, engines: Engines, connection_id: str) -> None:
    assert post(engines(server), [connection_id]) == delivered(1)
    assert server.ids() == [connection_id]
    assert server.received[0].path.startswith("/production/@connections/")
    assert server.received[0].path.count("/") == 3


def test_changed_credentials_sign_the_next_invocation(
    server: CallbackServer, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engines(server)
    for key, token in (("first", None), ("second", "token2"), ("third", None)):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        if token:
            monkeypatch.setenv("AWS_SESSION_TOKEN", token)
        else:
            monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        post(engine, names(1))
        fields = server.received[-1].fields
        assert f"Credential={key}/" in fields["authorization"]
        assert fields.get("x-amz-security-token") == token
        today = dt.datetime.now(dt.UTC).strftime("%Y%m%d")
        assert f"/{today}/us-east-1/execute-api/aws4_request" in fields["authorization"]


def test_what_the_list_raises_is_raised_once_all_listed_before_have_the_frame(
    server: CallbackServer, engines: Engines
) -> None:
    def failing() -> Iterator[str]:
        yield from names(30)
        raise LookupError("the second page")

    engine = engines(server)
    with pytest.raises(LookupError, match="second page"):
        post(engine, failing())
    assert sorted(server.ids()) == names(30)
    assert post(engine, names(3)) == delivered(3)


def test_nobody_to_post_to_costs_no_socket(server: CallbackServer, engines: Engines) -> None:
    assert post(engines(server), []) == delivered(0)
    assert server.links == 0


@pytest.mark.parametrize("url", ["ftp://host/x", "host/production", "https:///production"])
def test_a_callback_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="CALLBACK_URL"):
        FanOut(url)


def test_a_pace_lets_its_burst_go_at_once_and_then_its_rate() -> None:
    pace = Pace(100, 5)
    assert [pace.take(1000.0) for _ in range(6)] == [True] * 5 + [False]
    assert pace.wait() == pytest.approx(0.01)
    assert not pace.take(1000.009)
    assert pace.take(1000.011)
    assert [pace.take(2000.0) for _ in range(6)] == [True] * 5 + [False]


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    pace = Pace(100, 2)
    assert [pace.take(1000.0), pace.take(1000.0), pace.take(900.0)] == [True, True, False]
