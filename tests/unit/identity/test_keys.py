"""The key set: what is fetched and when, with a clock of the test's, and fetching from a server on this machine."""

import json
import ssl
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.identity.keys import (
    MAX_KEY_SET_BYTES,
    REFRESH_SECONDS,
    RETRY_SECONDS,
    KeySet,
    KeysUnavailableError,
    fetch_key_set,
)
from chat.identity.rs256 import RsaKey
from local.certificate import make_certificate
from tests.unit.identity.issuer import KEY_ID, base64url, jwk, key_set, private_key, public_key

URL = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI/.well-known/jwks.json"
NEW_KEY_ID = "new"


class Source:
    """Stands for the network and the clock; counts fetches."""

    def __init__(self) -> None:
        self.answer: bytes | Exception = key_set(jwk(private_key()))
        self.fetches = 0
        self.time = 1_790_000_000.0
        self.keys = KeySet(URL, self.fetch, lambda: self.time)

    def fetch(self, url: str) -> bytes:
        assert url == URL
        self.fetches += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def retry_after_ms(self, key_id: str = KEY_ID) -> int:
        with pytest.raises(KeysUnavailableError) as caught:
            self.keys(key_id)
        return caught.value.retry_after_ms


@pytest.fixture
def source() -> Source:
    return Source()


def test_a_known_key_is_fetched_once_for_ever(source: Source) -> None:
    for _ in range(100):
        assert source.keys(KEY_ID) == public_key(private_key())
        source.time += 86400
    assert source.fetches == 1


def test_nothing_is_fetched_before_a_key_is_asked_for(source: Source) -> None:
    assert source.fetches == 0


def test_a_flood_of_key_ids_fetches_once_in_five_minutes(source: Source) -> None:
    source.keys(KEY_ID)
    start = source.time
    for number in range(10_000):
        source.time = start + number * 0.1  # 1,000 s
        assert source.keys(f"made-up-{number}") is None
    assert source.fetches == 1 + 1000 // REFRESH_SECONDS


def test_a_flood_before_the_first_sign_in_does_not_keep_it_out(source: Source) -> None:
    for number in range(1000):
        assert source.keys(f"made-up-{number}") is None
    assert source.keys(KEY_ID) is not None
    assert source.fetches == 1


def test_a_new_key_is_found_within_five_minutes(source: Source) -> None:
    source.keys(KEY_ID)
    source.answer = key_set(jwk(private_key()), jwk(private_key(3072), NEW_KEY_ID))
    source.time += REFRESH_SECONDS - 0.5
    assert source.keys(NEW_KEY_ID) is None
    source.time += 0.5
    assert source.keys(NEW_KEY_ID) == public_key(private_key(3072))
    assert source.keys(KEY_ID) == public_key(private_key())
    assert source.fetches == 2


def test_a_withdrawn_key_goes_with_the_next_fetch(source: Source) -> None:
    source.keys(KEY_ID)
    source.answer = key_set(jwk(private_key(3072), NEW_KEY_ID))
    source.time += REFRESH_SECONDS
    assert source.keys(NEW_KEY_ID) is not None
    assert source.keys(KEY_ID) is None


def test_a_clock_set_back_does_not_stop_fetching(source: Source) -> None:
    source.keys(KEY_ID)
    source.answer = key_set(jwk(private_key(), NEW_KEY_ID))
    source.time -= 86400
    assert source.keys(NEW_KEY_ID) is not None


@pytest.mark.parametrize("error", [OSError(), TimeoutError(), ConnectionRefusedError()], ids=repr)
def test_a_failed_fetch_is_tried_again_after_seconds_not_minutes(source: Source, error: Exception) -> None:
    good, source.answer = source.answer, error
    assert source.retry_after_ms() == RETRY_SECONDS * 1000
    source.answer = good
    source.time += RETRY_SECONDS - 0.75
    assert source.retry_after_ms() == 750
    assert source.fetches == 1
    source.time += 0.75
    assert source.keys(KEY_ID) is not None
    assert source.fetches == 2


def test_a_flood_while_fetching_fails_is_no_flood_of_fetches(source: Source) -> None:
    source.answer = OSError()
    start = source.time
    for number in range(1000):
        source.time = start + number * 0.1  # 100 s
        assert 0 < source.retry_after_ms(f"made-up-{number}") <= RETRY_SECONDS * 1000
    assert source.fetches == 100 // RETRY_SECONDS


def test_known_keys_stay_usable_while_fetching_fails(source: Source) -> None:
    source.keys(KEY_ID)
    source.answer = OSError()
    source.time += REFRESH_SECONDS
    source.retry_after_ms(NEW_KEY_ID)
    assert source.keys(KEY_ID) is not None
    source.time += RETRY_SECONDS
    source.answer = key_set(jwk(private_key()))
    assert source.keys(NEW_KEY_ID) is None
    source.time += REFRESH_SECONDS - 1
    assert source.keys(NEW_KEY_ID) is None
    assert source.fetches == 3


def test_a_failure_is_logged_by_its_kind_alone(source: Source) -> None:
    source.answer = TimeoutError("text that nobody should read")
    with pytest.raises(KeysUnavailableError) as caught:
        source.keys(KEY_ID)
    assert caught.value.reason == "TimeoutError"
    assert str(caught.value) == "the issuer's keys are unavailable"


NO_KEYS = {
    "nothing": b"",
    "a page": b"<html>",
    "a list": b"[]",
    "no list": b"{}",
    "a number": b'{"keys":1}',
    "an object": b'{"keys":{"kid":"k"}}',
    "empty": b'{"keys":[]}',
    "no objects": b'{"keys":[1,null,"k",[]]}',
    "nested": b'{"keys":' + b"[" * 60_000,
    "another encoding": key_set(jwk(private_key())).decode().encode("utf-16"),
    "elliptic curve": key_set(jwk(private_key(), kty="EC")),
    "symmetric": key_set({"kty": "oct", "kid": KEY_ID, "k": "AAAA", "alg": "RS256"}),
    "for encryption": key_set(jwk(private_key(), use="enc")),
    "another algorithm": key_set(jwk(private_key(), alg="RS512")),
    "no id": key_set(jwk(private_key(), kid=None)),
    "a number as id": key_set(jwk(private_key(), kid=1)),
    "no modulus": key_set(jwk(private_key(), n=None)),
    "a number as modulus": key_set(jwk(private_key(), n=public_key(private_key()).modulus)),
    "padded modulus": key_set(jwk(private_key(), n=jwk(private_key())["n"] + "==")),
    "even modulus": key_set(jwk(private_key(), n=base64url(b"\x80" + bytes(255)))),
    "exponent 1": key_set(jwk(private_key(), e="AQ")),
    "no exponent": key_set(jwk(private_key(), e="")),
    "short key": key_set(jwk(private_key(1024))),
}


@pytest.mark.parametrize("kind", NO_KEYS)
def test_an_answer_without_a_usable_key_is_a_failure(source: Source, kind: str) -> None:
    """It must not replace the keys that are known."""
    source.keys(KEY_ID)
    source.answer = NO_KEYS[kind]
    source.time += REFRESH_SECONDS
    assert source.retry_after_ms("another") == RETRY_SECONDS * 1000
    assert source.keys(KEY_ID) is not None


def test_keys_of_other_kinds_beside_it_do_not_matter(source: Source) -> None:
    answers = [json.loads(answer) for answer in NO_KEYS.values() if answer.startswith(b'{"keys": [{')]
    others = [key | {"kid": "other"} for answer in answers for key in answer["keys"] if key.get("kid") == KEY_ID]
    assert len(others) >= 10
    source.answer = key_set(*others, jwk(private_key()), jwk(private_key(), kid=None))
    assert source.keys(KEY_ID) == public_key(private_key())
    assert source.keys("other") is None


def test_what_a_key_is_for_need_not_be_said(source: Source) -> None:
    source.answer = key_set(jwk(private_key(), alg=None, use=None))
    assert source.keys(KEY_ID) is not None


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.text(st.sampled_from('{}[]":,keysnid1\\u'), max_size=60).map(str.encode))
def test_any_answer_gives_keys_or_a_failure(answer: bytes) -> None:
    source = Source()
    source.answer = answer
    with pytest.raises(KeysUnavailableError):
        source.keys(KEY_ID)


def test_threads_that_ask_at_once_share_one_fetch() -> None:
    asked, go_on = threading.Barrier(8, timeout=5), threading.Event()
    fetches: list[str] = []

    def fetch(url: str) -> bytes:
        fetches.append(url)
        assert go_on.wait(5)
        return key_set(jwk(private_key()))

    keys = KeySet(URL, fetch, lambda: 1_790_000_000.0)

    def ask() -> RsaKey | None:
        asked.wait()
        return keys(KEY_ID)

    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(ask) for _ in range(7)]
        asked.wait()
        go_on.set()
        assert {answer.result(5) for answer in answers} == {public_key(private_key())}
    assert fetches == [URL]


def test_a_known_key_does_not_wait_for_another_threads_fetch(source: Source) -> None:
    fetching, go_on = threading.Event(), threading.Event()

    def fetch(url: str) -> bytes:
        if fetching_again:
            fetching.set()
            assert go_on.wait(5)
        return key_set(jwk(private_key()))

    fetching_again = False
    keys = KeySet(URL, fetch, lambda: source.time)
    keys(KEY_ID)
    fetching_again = True
    source.time += REFRESH_SECONDS
    with ThreadPoolExecutor(1) as threads:
        unknown = threads.submit(keys, "unknown")
        assert fetching.wait(5)
        assert keys(KEY_ID) is not None
        assert not unknown.done()
        go_on.set()
        assert unknown.result(5) is None


# Fetching

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def served(answer: Answer, tls: ssl.SSLContext | None = None) -> Generator[str]:
    """Serve an answer to each GET on this machine; yield the server's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            scheme = "https" if tls else "http"
            yield f"{scheme}://127.0.0.1:{server.server_port}/pool/.well-known/jwks.json"
        finally:
            server.shutdown()
            thread.join()


def reply(status: int, body: bytes, **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def test_keys_are_fetched_over_http() -> None:
    with served(reply(200, key_set(jwk(private_key())))) as url:
        assert KeySet(url)(KEY_ID) == public_key(private_key())


def test_only_a_server_with_a_trusted_certificate_is_believed(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(*certificate)
    trusting = ssl.create_default_context(cafile=certificate[0])
    with served(reply(200, b"keys"), server_tls) as url:
        assert fetch_key_set(url, tls=trusting) == b"keys"
        for other, tls in ((url, None), (url.replace("127.0.0.1", "localhost"), trusting)):
            with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
                fetch_key_set(other, tls=tls)


def test_the_bound_of_a_key_set_is_fetched() -> None:
    with served(reply(200, b"x" * MAX_KEY_SET_BYTES)) as url:
        assert len(fetch_key_set(url)) == MAX_KEY_SET_BYTES


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, b"x" * (MAX_KEY_SET_BYTES + 1)),
        reply(404, key_set(jwk(private_key()))),
        reply(500, key_set(jwk(private_key()))),
        reply(204, b""),
        lambda request: request.wfile.write(b"garbage\r\n\r\n"),
        lambda _request: None,
    ],
    ids=["too large", "404", "500", "204", "no HTTP", "nothing"],
)
def test_other_answers_are_errors(answer: Answer) -> None:
    with served(answer) as url, pytest.raises(OSError, match="."):
        fetch_key_set(url)


def test_a_redirect_is_not_followed() -> None:
    with served(reply(200, key_set(jwk(private_key())))) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            with served(reply(status, b"", Location=elsewhere)) as url, pytest.raises(OSError, match="."):
                fetch_key_set(url)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(reply(200, b"the proxy's")) as proxy, served(reply(200, b"the issuer's")) as url:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        assert fetch_key_set(url) == b"the issuer's"


def test_a_silent_server_is_given_up() -> None:
    given_up = threading.Event()

    def say_nothing(_request: BaseHTTPRequestHandler) -> None:
        given_up.wait(5)

    with served(say_nothing) as url:
        with pytest.raises(TimeoutError):
            fetch_key_set(url, timeout=0.05)
        given_up.set()


def test_nothing_but_http_is_fetched(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(key_set(jwk(private_key())))
    for url in (
        file.as_uri(),
        "ftp://127.0.0.1/jwks.json",
        "data:application/json,{}",
        str(file),
        "",
        "http://",
        "x:y",
    ):
        with pytest.raises(OSError, match="."):
            fetch_key_set(url)
