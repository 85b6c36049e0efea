"""Access tokens of Amazon Cognito: signature, issuer, client, use and times."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, NamedTuple

from chat.identity.jose import decode_base64url, parse_object
from chat.identity.rs256 import RsaKey, is_signature

MAX_TOKEN_LENGTH: Final = 8192
"""In characters. An access token of Cognito has about 1,100, and some 100 more for each group of its user."""
MAX_KEY_ID_LENGTH: Final = 128
"""In characters. A key id of Cognito has 44."""
MAX_USERNAME_LENGTH: Final = 128
"""In characters (Cognito's own bound)."""
MAX_CLOCK_SKEW_SECONDS: Final = 60
"""How far the issuer's clock may be ahead of ours. Expiry has no such grace."""

_LAST_SECOND: Final = 253402300799  # 9999-12-31T23:59:59Z, the last that datetime and JavaScript both write alike
_SIGNED: Final = 2  # parts of a token that its signature covers
_SUBJECT: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


class Reason(StrEnum):
    """Why a token was refused: for the log, never for the peer."""

    TOO_LONG = "too_long"
    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    CRITICAL = "critical"
    """It demands an extension (`crit`), of which we support none."""
    KEY_ID = "key_id"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature"
    ISSUER = "issuer"
    CLIENT = "client"
    USE = "use"
    """Not an access token."""
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    CLAIM = "claim"
    """A signed claim is missing or not of its form."""


class InvalidTokenError(Exception):
    """The token proves nothing. Its text is always the same; `reason` contains nothing of the token."""

    def __init__(self, reason: Reason) -> None:
        super().__init__("invalid token")
        self.reason: Final = reason


class Claims(NamedTuple):
    """What a valid token says."""

    user_id: str
    """`sub`: 1 to 64 of A-Z, a-z, 0-9 and -."""
    username: str
    """1 to 128 characters as the person chose them: not yet a name that may be shown."""
    expires_at: int
    """In seconds since 1970. At this second the token is no longer valid."""
    authenticated_at: int
    """When the person signed in, in seconds since 1970.

    A refresh should keep it (OpenID Connect Core, section 12.2), but may not: Cognito with refresh-token rotation had
    that bug in 2025 (authts/oidc-client-ts, issue 2107), and the emulator writes the time of the refresh.
    """


def verify(token: str, *, keys: Callable[[str], RsaKey | None], issuer: str, client_id: str, now: float) -> Claims:
    """Return the claims of an access token that `issuer` signed for `client_id` and that is valid at `now` (s).

    `keys` returns the issuer's key of an id; it is asked at most once, after everything that can be checked without it,
    and what it raises is passed on. Raises InvalidTokenError, and nothing else of its own. Sources: RFC 7515, RFC 8725;
    the Amazon Cognito guide, "Verifying JSON web tokens".
    """
    signed, key_id, signature = _parse(token)
    key = keys(key_id)
    if key is None:
        raise InvalidTokenError(Reason.UNKNOWN_KEY)
    if not is_signature(key, signed, signature):
        raise InvalidTokenError(Reason.SIGNATURE)
    # Nothing of the payload is read before its signature has been checked.
    claims = _decode_object(signed.decode("ascii").partition(".")[2])
    if claims.get("iss") != issuer:
        raise InvalidTokenError(Reason.ISSUER)
    if claims.get("client_id") != client_id:
        raise InvalidTokenError(Reason.CLIENT)
    if claims.get("token_use") != "access":
        raise InvalidTokenError(Reason.USE)
    return _read_claims(claims, now)


def _parse(token: str) -> tuple[bytes, str, bytes]:
    """Return the signed bytes, the key's id and the signature."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise InvalidTokenError(Reason.TOO_LONG)
    parts = token.split(".")
    if len(parts) != _SIGNED + 1 or not token.isascii():
        raise InvalidTokenError(Reason.MALFORMED)
    header = _decode_object(parts[0])
    if header.get("alg") != "RS256":  # the only one, so no token can choose a weaker
        raise InvalidTokenError(Reason.ALGORITHM)
    if "crit" in header:
        raise InvalidTokenError(Reason.CRITICAL)
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not 1 <= len(key_id) <= MAX_KEY_ID_LENGTH:
        raise InvalidTokenError(Reason.KEY_ID)
    return ".".join(parts[:_SIGNED]).encode("ascii"), key_id, _decode(parts[2])


def _read_claims(claims: dict[str, Any], now: float) -> Claims:
    expires_at = _time(claims, "exp")
    if expires_at <= now:
        raise InvalidTokenError(Reason.EXPIRED)
    authenticated_at = _time(claims, "auth_time" if "auth_time" in claims else "iat")
    for name in ("nbf", "iat", "auth_time"):
        if name in claims and _time(claims, name) > now + MAX_CLOCK_SKEW_SECONDS:
            raise InvalidTokenError(Reason.NOT_YET_VALID)
    user_id = claims.get("sub")
    if not isinstance(user_id, str) or not _SUBJECT.fullmatch(user_id):
        raise InvalidTokenError(Reason.CLAIM)
    username = claims.get("username", user_id)
    if not isinstance(username, str) or not 1 <= len(username) <= MAX_USERNAME_LENGTH:
        raise InvalidTokenError(Reason.CLAIM)
    return Claims(user_id, username, expires_at, authenticated_at)


def _time(claims: dict[str, Any], name: str) -> int:
    """Return a claim in whole seconds since 1970, as Cognito writes them."""
    value = claims.get(name)
    if type(value) is not int or not 0 <= value <= _LAST_SECOND:  # True is an int for isinstance
        raise InvalidTokenError(Reason.CLAIM)
    return value


def _decode(part: str) -> bytes:
    try:
        return decode_base64url(part)
    except ValueError:  # binascii.Error is a ValueError
        raise InvalidTokenError(Reason.MALFORMED) from None


def _decode_object(part: str) -> dict[str, Any]:
    try:
        return parse_object(decode_base64url(part))
    except ValueError:  # so are the errors of UTF-8 and of JSON
        raise InvalidTokenError(Reason.MALFORMED) from None
