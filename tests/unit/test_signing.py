"""The signature against botocore's, and against AWS's published examples."""

import calendar
import hashlib
from datetime import UTC, datetime
from unittest import mock

import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from chat.fan_out import FanOut
from chat.signing import Credentials, Signer

TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthA"
    "x7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9"
    "q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
HOST = "api1234567.execute-api.eu-west-1.amazonaws.com"
visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
# API Gateway gives out base64; "." and ".." alone would be steps in a path, which no id is.
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
def test_the_signature_is_that_of_awss_published_examples(token: str | None, signature: str) -> None:
    """AWS's Signature Version 4 test suite."""
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    signer = Signer(credentials, "us-east-1", "example.amazonaws.com", "service")
    lines = signer.headers("/", hashlib.sha256(b"").hexdigest(), calendar.timegm((2015, 8, 30, 12, 36, 0)))
    assert lines.endswith(f"Signature={signature}\r\n")
    assert "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date" in lines


def botocores(credentials: Credentials, path: str, body: bytes, at: int) -> str:
    """Return what botocore signs the same request with."""
    request = AWSRequest("POST", f"https://{HOST}{path}", data=body)
    made_of = BotocoreCredentials(credentials.access_key, credentials.secret_key, credentials.token)
    moment = datetime.fromtimestamp(at, UTC)
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=moment):
        SigV4Auth(made_of, "execute-api", "eu-west-1").add_auth(request)
    return request.headers["Authorization"]


@given(
    st.builds(Credentials, visible, visible, st.none() | visible),
    st.lists(st.tuples(connection_ids, st.binary(max_size=60), moments), min_size=1, max_size=4),
)
def test_the_signature_is_botocores_over_random_ids_tokens_bodies_and_clocks(
    credentials: Credentials, requests: list[tuple[str, bytes, int]]
) -> None:
    """One signer for all of them: what it keeps from one request to the next must not leak into another's."""
    engine = FanOut(f"http://{HOST}/production")  # https would load certificates for each example
    signer = engine._signer = Signer(credentials, "eu-west-1", HOST)
    for connection_id, body, at in requests:
        with mock.patch("chat.fan_out.time.time", lambda at=at: at + 0.5):
            sent = engine._request(connection_id, hashlib.sha256(body).hexdigest(), b"").decode()
        path = sent.split(" ")[1]
        assert f"Authorization: {botocores(credentials, path, body, at)}\r\n" in sent
        assert path.startswith("/production/@connections/")
        assert path.isascii()
        assert signer.credentials == credentials
    engine.close()
