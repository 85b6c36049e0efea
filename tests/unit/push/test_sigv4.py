"""Signed requests against botocore's signer, and against AWS's published examples."""

import calendar
import hashlib
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from chat.push.request import Endpoint, PostRequests
from chat.push.sigv4 import Credentials, Signer
from tests.unit.push.peers import Received, RequestParser

TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthA"
    "x7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9"
    "q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
HOST = "api1234567.execute-api.eu-west-1.amazonaws.com"
ENDPOINT = Endpoint.parse(f"https://{HOST}/production")
visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
# API Gateway's ids are base64; "." and ".." would be path segments, but no id is either.
connection_ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda text: text.strip(".") != ""
)
moments = st.integers(1_000_000_000, 4_000_000_000)


@pytest.mark.parametrize(
    ("token", "signature"),
    [
        (None, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (TOKEN, "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
    ],
    ids=["post-vanilla", "post-sts-header-before"],
)
def test_the_signature_matches_the_examples_of_aws(token: str | None, signature: str) -> None:
    """AWS's Signature Version 4 test suite."""
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    signer = Signer(credentials, "us-east-1", "example.amazonaws.com", "service")
    lines = signer.headers("/", hashlib.sha256(b"").hexdigest(), calendar.timegm((2015, 8, 30, 12, 36, 0)))
    assert lines.endswith(f"Signature={signature}\r\n")
    assert "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date" in lines


def botocores(credentials: Credentials, request: Received, at: int) -> str:
    """Return the Authorization header that botocore computes for a request as sent."""
    headers = {name: value for name, value in request.fields.items() if name not in ("authorization", "content-length")}
    same = AWSRequest(request.method, f"https://{HOST}{request.path}", headers=headers, data=request.body)
    same.context["timestamp"] = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    auth = SigV4Auth(
        BotocoreCredentials(credentials.access_key, credentials.secret_key, credentials.token),
        "execute-api",
        "eu-west-1",
    )
    signature = auth.signature(auth.string_to_sign(same, auth.canonical_request(same)), same)
    signed = auth.signed_headers(auth.headers_to_sign(same))
    return f"AWS4-HMAC-SHA256 Credential={auth.scope(same)}, SignedHeaders={signed}, Signature={signature}"


@given(
    st.builds(Credentials, visible, visible, st.none() | visible),
    st.lists(
        st.tuples(st.sampled_from(["POST", "DELETE"]), connection_ids, st.binary(max_size=60), moments),
        min_size=1,
        max_size=4,
    ),
)
def test_the_signature_matches_botocore_for_random_methods_ids_tokens_bodies_and_clocks(
    credentials: Credentials, posts: list[tuple[str, str, bytes, int]]
) -> None:
    """One signer for all of them: cached parts of one request must not leak into the next."""
    signer = Signer(credentials, "eu-west-1", HOST)
    for method, connection_id, body, at in posts:
        sent = RequestParser(0).feed(PostRequests(ENDPOINT, signer, body, method).to(connection_id, at + 0.5), 0)
        assert sent is not None
        assert sent.method == method
        assert sent.fields["authorization"] == botocores(credentials, sent, at)
        assert sent.fields["x-amz-date"] == datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
        assert sent.fields.get("x-amz-security-token") == credentials.token
        assert (sent.fields["host"], sent.body, sent.connection_id) == (HOST, body, connection_id)
        assert sent.path.startswith("/production/@connections/")
        assert sent.path.isascii()
        assert sent.path.count("/") == 3


@pytest.mark.parametrize(
    ("url", "port", "authority"),
    [
        ("https://api.example/production", 443, "api.example"),
        ("http://api.example/production/", 80, "api.example"),
        ("http://127.0.0.1:4566/production", 4566, "127.0.0.1:4566"),
    ],
)
def test_an_endpoint_has_the_port_of_its_url_or_scheme(url: str, port: int, authority: str) -> None:
    endpoint = Endpoint.parse(url)
    assert (endpoint.port, endpoint.authority, endpoint.path) == (port, authority, "/production/@connections/")


def test_credentials_do_not_show_their_secrets() -> None:
    assert repr(Credentials("AKIDEXAMPLE", "hidden", "hidden")) == "Credentials(access_key='AKIDEXAMPLE')"
