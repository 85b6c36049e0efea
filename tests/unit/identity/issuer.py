"""An issuer with its keys, whose signatures are made by the library `cryptography`."""

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from chat.identity.rs256 import RsaKey

ISSUER: Final = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"
CLIENT_ID: Final = "4example5client6id7890abcd"
KEY_ID: Final = "4/Fc0aWh4bqbnqgBD6zXn7JfLhQY0TWYq+pXeBvUwP0="
NOW: Final = 1_790_000_000


@cache
def private_key(bits: int = 2048, exponent: int = 65537, which: str = "the pool's") -> rsa.RSAPrivateKey:
    """Return a key, the same one for the same arguments: making one takes up to a second."""
    return rsa.generate_private_key(public_exponent=exponent, key_size=bits)


def public_key(private: rsa.RSAPrivateKey) -> RsaKey:
    numbers = private.public_key().public_numbers()
    return RsaKey(numbers.n, numbers.e)


def sign(private: rsa.RSAPrivateKey, message: bytes) -> bytes:
    return private.sign(message, padding.PKCS1v15(), hashes.SHA256())


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def json_part(value: Any) -> str:
    return base64url(json.dumps(value).encode())


def header(**changed: Any) -> dict[str, Any]:
    return without_none({"kid": KEY_ID, "alg": "RS256"} | changed)


def claims(**changed: Any) -> dict[str, Any]:
    """Return the claims of an access token as Cognito writes them; None leaves one out."""
    written = {
        "sub": "5ccaf7a4-2b1e-4d8c-9f3a-1f2e3d4c5b6a",
        "iss": ISSUER,
        "client_id": CLIENT_ID,
        "origin_jti": "0f1e2d3c-4b5a-4968-8776-655443322110",
        "event_id": "aa11bb22-cc33-4d44-8e55-ff6600778899",
        "token_use": "access",
        "scope": "openid",
        "auth_time": NOW - 7200,
        "exp": NOW + 3600,
        "iat": NOW,
        "jti": "12345678-9abc-4def-8012-3456789abcde",
        "username": "anna",
    }
    return without_none(written | changed)


def without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def signed(head: str, payload: str, private: rsa.RSAPrivateKey | None = None) -> str:
    """Return the token of two encoded parts with the signature of the pool's key, or another."""
    covered = f"{head}.{payload}"
    return f"{covered}.{base64url(sign(private or private_key(), covered.encode('ascii')))}"


def access_token(**changed: Any) -> str:
    return signed(json_part(header()), json_part(claims(**changed)))


def keys(key_id: str) -> RsaKey | None:
    return public_key(private_key()) if key_id == KEY_ID else None


def jwk(private: rsa.RSAPrivateKey, key_id: str = KEY_ID, **changed: Any) -> dict[str, Any]:
    """Return a key as Cognito lists it; None leaves a member out."""
    key = public_key(private)
    numbers = {
        name: base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
        for name, number in (("n", key.modulus), ("e", key.exponent))
    }
    return without_none({"alg": "RS256", **numbers, "kid": key_id, "kty": "RSA", "use": "sig"} | changed)


def key_set(*jwks: dict[str, Any]) -> bytes:
    return json.dumps({"keys": jwks}).encode()
