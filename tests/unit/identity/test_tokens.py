"""Tokens signed by `cryptography`: good ones, each kind of bad one, and anything at all."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat.identity.rs256 import RsaKey
from chat.identity.tokens import MAX_TOKEN_LENGTH, Claims, InvalidTokenError, Reason, verify
from tests.unit.identity.issuer import (
    CLIENT_ID,
    ISSUER,
    KEY_ID,
    NOW,
    access_token,
    base64url,
    claims,
    header,
    json_part,
    jwk,
    keys,
    private_key,
    public_key,
    signed,
)

Keys = Callable[[str], RsaKey | None]


def check(token: str, *, keys: Keys = keys, now: float = NOW) -> Claims:
    return verify(token, keys=keys, issuer=ISSUER, client_id=CLIENT_ID, now=now)


def refusal(token: str, *, keys: Keys = keys, now: float = NOW) -> Reason:
    """Return the reason for which a token is refused. The error's text is the same for all."""
    with pytest.raises(InvalidTokenError) as caught:
        check(token, keys=keys, now=now)
    assert str(caught.value) == "invalid token"
    return caught.value.reason


def no_keys(key_id: str) -> RsaKey | None:
    pytest.fail("asked for a key, which may fetch the key set")


def with_header(**changed: Any) -> str:
    return signed(json_part(header(**changed)), json_part(claims()))


def with_payload(payload: bytes) -> str:
    return signed(json_part(header()), base64url(payload))


def test_an_access_token_of_the_pool_and_client_is_accepted() -> None:
    assert check(access_token()) == Claims(
        user_id="5ccaf7a4-2b1e-4d8c-9f3a-1f2e3d4c5b6a",
        username="anna",
        expires_at=NOW + 3600,
        authenticated_at=NOW - 7200,
    )


@pytest.mark.parametrize(
    "extra",
    [
        {"cognito:groups": ["staff", "café"]},
        {"nested": {"a": [{"b": None}]}},
        {"aud": "https://api.example.com", "scope": ""},
        {"exp": NOW + 1},
        {"nbf": NOW + 60},
        {"username": "x" * 128},
        {"sub": "a"},
        {"sub": "Z-9" * 21 + "x"},
    ],
    ids=repr,
)
def test_what_else_a_token_says_does_not_matter(extra: dict[str, Any]) -> None:
    found = check(access_token(**extra))
    assert found.user_id == extra.get("sub", claims()["sub"])
    assert found.expires_at == extra.get("exp", claims()["exp"])


def test_without_a_username_the_subject_stands_for_it() -> None:
    assert check(access_token(username=None)).username == claims()["sub"]


def test_without_the_time_of_authentication_the_time_of_issue_stands_for_it() -> None:
    assert check(access_token(auth_time=None)).authenticated_at == NOW


@pytest.mark.parametrize("bits", [2048, 2050, 3072])
def test_keys_of_several_sizes_verify(bits: int) -> None:
    token = signed(json_part(header(kid="k")), json_part(claims()), private_key(bits))
    assert check(token, keys={"k": public_key(private_key(bits))}.get).username == "anna"


# The header


@pytest.mark.parametrize(
    "algorithm",
    [
        *("none", "None", "NONE", "", "HS256", "rs256", "Rs256", "RS256 ", "RS384", "RS512", "PS256", "ES256", "EdDSA"),
        *(None, 1, True, ["RS256"], {"RS256": 1}),
    ],
    ids=repr,
)
def test_no_other_algorithm_is_accepted_even_with_a_good_signature(algorithm: object) -> None:
    assert refusal(with_header(alg=algorithm), keys=no_keys) == Reason.ALGORITHM


@pytest.mark.parametrize("algorithm", ["none", "RS256"])
def test_a_token_without_signature_is_refused(algorithm: str) -> None:
    unsigned = f"{json_part(header(alg=algorithm))}.{json_part(claims())}."
    assert refusal(unsigned) == (Reason.SIGNATURE if algorithm == "RS256" else Reason.ALGORITHM)
    assert refusal(unsigned[:-1]) == Reason.MALFORMED


PUBLIC = private_key().public_key()
SPKI, PKCS1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
SECRETS = {
    "PEM": PUBLIC.public_bytes(PEM, SPKI),
    "PEM without the last line break": PUBLIC.public_bytes(PEM, SPKI).rstrip(),
    "PKCS #1 PEM": PUBLIC.public_bytes(PEM, PKCS1),
    "DER": PUBLIC.public_bytes(DER, SPKI),
    "PKCS #1 DER": PUBLIC.public_bytes(DER, PKCS1),
    "JWK": json.dumps(jwk(private_key())).encode(),
    "n": jwk(private_key())["n"].encode(),
    "empty": b"",
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_the_public_key_is_no_hmac_secret(secret: str, algorithm: str) -> None:
    covered = f"{json_part(header(alg=algorithm))}.{json_part(claims())}"
    code = hmac.digest(SECRETS[secret], covered.encode(), hashlib.sha256)
    expected = Reason.SIGNATURE if algorithm == "RS256" else Reason.ALGORITHM
    assert refusal(f"{covered}.{base64url(code)}") == expected


BROUGHT_ALONG = {
    "a key": {"jwk": jwk(private_key(2048, 65537, "a stranger's"))},
    "an address of keys": {"jku": "https://example.com/keys"},
    "an address of certificates": {"x5u": "https://example.com/"},
    "nothing": {},
}


@pytest.mark.parametrize("brought", BROUGHT_ALONG)
def test_a_key_that_the_token_brings_along_is_not_believed(brought: str) -> None:
    stranger = private_key(2048, 65537, "a stranger's")
    token = signed(json_part(header(**BROUGHT_ALONG[brought])), json_part(claims()), stranger)
    assert refusal(token) == Reason.SIGNATURE


@pytest.mark.parametrize("critical", [[], ["b64"], ["exp"], None, "b64"], ids=repr)
def test_extensions_that_must_be_understood_are_refused(critical: object) -> None:
    token = signed(json_part(header() | {"crit": critical, "b64": False}), json_part(claims()))
    assert refusal(token, keys=no_keys) == Reason.CRITICAL


@pytest.mark.parametrize("key_id", [None, "", "k" * 129, 1, True, ["k"], {}], ids=lambda key_id: repr(key_id)[:20])
def test_a_key_id_is_a_short_string(key_id: object) -> None:
    assert refusal(with_header(kid=key_id), keys=no_keys) == Reason.KEY_ID


@pytest.mark.parametrize("key_id", ["another", "../../dev/null", "' OR 1=1", KEY_ID.lower(), KEY_ID + "=", "k" * 128])
def test_an_unknown_key_id_is_refused(key_id: str) -> None:
    assert refusal(with_header(kid=key_id)) == Reason.UNKNOWN_KEY


def test_keys_that_are_unavailable_are_the_callers_matter() -> None:
    def unavailable(key_id: str) -> RsaKey | None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        check(access_token(), keys=unavailable)


# The form


@pytest.mark.parametrize("length", [MAX_TOKEN_LENGTH + 1, 30_000, 1_000_000])
@pytest.mark.parametrize("unit", ["A", ".", "\N{GRINNING FACE}", "eyJhbGciOiJSUzI1NiJ9."])
def test_a_long_text_is_refused_unread(length: int, unit: str) -> None:
    assert refusal((unit * length)[:length], keys=no_keys) == Reason.TOO_LONG


def test_a_token_may_be_as_long_as_the_bound() -> None:
    shortest = len(access_token(scope=""))
    token = next(
        token
        for extra in range((MAX_TOKEN_LENGTH - shortest) * 3 // 4, 0, -1)
        if len(token := access_token(scope="x" * extra)) <= MAX_TOKEN_LENGTH
    )
    assert len(token) > MAX_TOKEN_LENGTH - 2
    assert check(token).username == "anna"
    assert refusal(token + "AA") == Reason.TOO_LONG


GOOD = access_token()
HEAD, PAYLOAD, SIGNATURE = GOOD.split(".")


OTHER_FORMS = {
    "empty": "",
    "one dot": ".",
    "two dots": "..",
    "three dots": "...",
    "one part": HEAD,
    "two parts": f"{HEAD}.{PAYLOAD}",
    "a dot after": f"{GOOD}.",
    "a dot before": f".{GOOD}",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "an empty part": f"{HEAD}..{PAYLOAD}.{SIGNATURE}",
    "a scheme": f"Bearer {GOOD}",
    "a space before": f" {GOOD}",
    "a line break after": f"{GOOD}\n",
    "padding": f"{GOOD}==",
    "too little padding": f"{GOOD}=",
    "padding of the header": f"{HEAD}=.{PAYLOAD}.{SIGNATURE}",
    "a line break within": f"{HEAD}.{PAYLOAD}.{SIGNATURE[:100]}\n{SIGNATURE[100:]}",
    "plain base64": f"{HEAD}.{PAYLOAD}.{SIGNATURE[:100]}+{SIGNATURE[101:]}",
    # 256 bytes leave 4 bits of the last letter, which must be 0.
    "stray bits": f"{HEAD}.{PAYLOAD}.{SIGNATURE[:-1]}{chr(ord(SIGNATURE[-1]) + 1)}",
    "not ASCII": f"{HEAD}.{PAYLOAD}.é",
    "a lone surrogate": f"{HEAD}.{PAYLOAD}.\ud800",
    "a list for a header": f"{base64url(b'[]')}.{PAYLOAD}.{SIGNATURE}",
    "a name twice": base64url(b'{"alg":"none","alg":"RS256","kid":"k"}') + f".{PAYLOAD}.{SIGNATURE}",
    "deep nesting": base64url(b'{"a":' + b"[" * 5000) + f".{PAYLOAD}.{SIGNATURE}",
}


@pytest.mark.parametrize("form", OTHER_FORMS)
def test_other_forms_are_refused_before_a_key_is_asked_for(form: str) -> None:
    assert refusal(OTHER_FORMS[form], keys=no_keys) == Reason.MALFORMED


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        json.dumps(claims()).encode()[:-1] + b',"sub":"another"}',
        json.dumps(claims()).encode()[:-1] + b',"a":NaN}',
        json.dumps(claims()).encode()[:-1] + b',"a":"\\ud800"}',
        json.dumps(claims()).encode("utf-16"),
        b"[" * 5000,
    ],
    ids=lambda payload: repr(payload[-20:]),
)
def test_a_signed_payload_of_another_form_is_refused(payload: bytes) -> None:
    assert refusal(with_payload(payload)) == Reason.MALFORMED


@pytest.mark.parametrize(
    "payload",
    [f"{PAYLOAD}=", f"{PAYLOAD}AAAA", PAYLOAD[:40] + "\n" + PAYLOAD[40:], ""],
    ids=lambda text: repr(text[-9:]),
)
def test_a_signed_payload_in_another_encoding_is_refused(payload: str) -> None:
    assert refusal(signed(HEAD, payload)) == Reason.MALFORMED


def test_an_unsigned_payload_is_not_read() -> None:
    """Were it parsed first, strangers could choose what the parser is fed."""
    assert refusal(f"{HEAD}.{base64url(b'{' * 4000)}.{SIGNATURE}") == Reason.SIGNATURE


@settings(max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.characters(codec="ascii"))
def test_no_character_can_be_changed(at: int, character: str) -> None:
    changed = GOOD[:at] + character + GOOD[at + 1 :]
    if changed != GOOD:
        refusal(changed)


def test_parts_of_two_tokens_do_not_combine() -> None:
    other = access_token(sub="another").split(".")
    assert refusal(f"{HEAD}.{other[1]}.{SIGNATURE}") == Reason.SIGNATURE
    assert refusal(f"{HEAD}.{PAYLOAD}.{other[2]}") == Reason.SIGNATURE


def test_a_pss_signature_is_refused() -> None:
    covered = f"{HEAD}.{PAYLOAD}"
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signature = private_key().sign(covered.encode(), pss, hashes.SHA256())
    assert refusal(f"{covered}.{base64url(signature)}") == Reason.SIGNATURE


# The claims


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": ISSUER[:-1] + "J"}, Reason.ISSUER),
        ({"iss": ISSUER + "/"}, Reason.ISSUER),
        ({"iss": None}, Reason.ISSUER),
        ({"iss": [ISSUER]}, Reason.ISSUER),
        ({"client_id": "another"}, Reason.CLIENT),
        ({"client_id": None}, Reason.CLIENT),
        ({"client_id": [CLIENT_ID]}, Reason.CLIENT),
        ({"client_id": None, "aud": CLIENT_ID}, Reason.CLIENT),
        ({"token_use": "id"}, Reason.USE),
        ({"token_use": "refresh"}, Reason.USE),
        ({"token_use": None}, Reason.USE),
        ({"sub": None}, Reason.CLAIM),
        ({"sub": ""}, Reason.CLAIM),
        ({"sub": 7}, Reason.CLAIM),
        ({"sub": "x" * 65}, Reason.CLAIM),
        ({"sub": "a#b"}, Reason.CLAIM),
        ({"sub": "anna\n"}, Reason.CLAIM),
        ({"sub": "аnna"}, Reason.CLAIM),  # its first letter is Cyrillic
        ({"sub": "١"}, Reason.CLAIM),
        ({"username": ""}, Reason.CLAIM),
        ({"username": "x" * 129}, Reason.CLAIM),
        ({"username": 7}, Reason.CLAIM),
        ({"username": ["anna"]}, Reason.CLAIM),
        ({"exp": None}, Reason.CLAIM),
        ({"exp": True}, Reason.CLAIM),
        ({"exp": str(NOW + 3600)}, Reason.CLAIM),
        ({"exp": NOW + 3600.0}, Reason.CLAIM),
        ({"exp": 1e300}, Reason.CLAIM),
        ({"exp": 10**400}, Reason.CLAIM),
        ({"exp": 253402300800}, Reason.CLAIM),
        ({"exp": -1}, Reason.CLAIM),
        ({"exp": [NOW + 3600]}, Reason.CLAIM),
        ({"exp": 0}, Reason.EXPIRED),
        ({"nbf": NOW + 61}, Reason.NOT_YET_VALID),
        ({"iat": NOW + 61}, Reason.NOT_YET_VALID),
        ({"auth_time": NOW + 61}, Reason.NOT_YET_VALID),
        ({"nbf": "0"}, Reason.CLAIM),
        ({"iat": True}, Reason.CLAIM),
        ({"auth_time": False}, Reason.CLAIM),
        ({"auth_time": 1.5}, Reason.CLAIM),
        ({"auth_time": None, "iat": None}, Reason.CLAIM),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_signed_token_with_another_claim_is_refused(changed: dict[str, Any], reason: Reason) -> None:
    assert refusal(access_token(**changed)) == reason


def test_null_claims_are_not_missing_claims() -> None:
    for name in ("username", "auth_time", "nbf"):
        assert refusal(with_payload(json.dumps(claims() | {name: None}).encode())) == Reason.CLAIM


def test_an_id_token_is_refused() -> None:
    token = access_token(
        token_use="id", aud=CLIENT_ID, client_id=None, username=None, scope=None, **{"cognito:username": "anna"}
    )
    assert refusal(token) == Reason.CLIENT


def test_another_pools_token_is_refused() -> None:
    """It names its own key, which is unknown here; under this pool's key id, its signature is wrong."""
    pool = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_JkLmNoPqR"
    stranger = private_key(2048, 65537, "another pool's")
    for key_id, reason in (("another pool's", Reason.UNKNOWN_KEY), (KEY_ID, Reason.SIGNATURE)):
        token = signed(json_part(header(kid=key_id)), json_part(claims(iss=pool)), stranger)
        assert refusal(token) == reason


@pytest.mark.parametrize("late", [0, 0.001, 1, 86400])
def test_at_its_expiry_and_later_a_token_is_refused(late: float) -> None:
    assert refusal(GOOD, now=claims()["exp"] + late) == Reason.EXPIRED


def test_until_its_expiry_a_token_is_accepted() -> None:
    assert check(GOOD, now=claims()["exp"] - 0.001).expires_at == claims()["exp"]


# Anything


def only_refused(token: str) -> None:
    """Anything but a refusal fails; so does acceptance, as nothing generated here names the right issuer."""
    with pytest.raises(InvalidTokenError):
        check(token)


@settings(max_examples=300)
@given(st.binary(max_size=400))
@example(b"..")
def test_any_bytes_are_refused_and_nothing_else_happens(data: bytes) -> None:
    only_refused(data.decode("latin-1"))
    only_refused(data.decode("utf-8", "surrogateescape"))
    only_refused(base64.urlsafe_b64encode(data).decode())
    only_refused(f"{HEAD}.{base64url(data)}.{SIGNATURE}")
    only_refused(f"{base64url(data)}.{PAYLOAD}.{SIGNATURE}")


@given(st.text(st.sampled_from("ab._-=+/ \n\0é\ud800"), max_size=40) | st.text(max_size=40))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    only_refused(text)
    only_refused(f"{HEAD}.{PAYLOAD}.{text}")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["alg", "kid", "crit", "typ"]), json_values)
def test_any_header_is_refused_or_means_the_pools_key(name: str, value: object) -> None:
    token = signed(json_part(header() | {name: value}), json_part(claims(iss="another")))
    only_refused(token)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(claims())), json_values)
def test_any_signed_claim_is_accepted_in_its_form_or_refused(name: str, value: object) -> None:
    try:
        found = check(signed(json_part(header()), json_part(claims() | {name: value})))
    except InvalidTokenError:
        return
    assert type(found.expires_at) is type(found.authenticated_at) is int
    assert found.expires_at > NOW
    assert 1 <= len(found.user_id) <= 64
    assert 1 <= len(found.username) <= 128
