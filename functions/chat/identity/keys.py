"""The issuer's public keys: fetched when a key id is unknown, then kept for the container's life."""

import math
import ssl
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, UnknownHandler

from chat.identity.jose import decode_base64url, parse_object
from chat.identity.rs256 import RsaKey

REFRESH_SECONDS: Final = 300
"""An unknown key id fetches the keys at most this often, whatever the id: anybody can make ids up."""
RETRY_SECONDS: Final = 5
"""Time after a failed fetch until the next: longer than a fetch may hang (3 s), so a container spends most of an outage
on other frames, and short for people who wait to sign in."""
FETCH_TIMEOUT_SECONDS: Final = 3
"""Bound on connecting and on each read."""
MAX_KEY_SET_BYTES: Final = 65536
"""Cognito's two keys take about 1 KB."""


class KeysUnavailableError(Exception):
    """The keys could not be fetched, so nothing is known of the token; try again after `retry_after_ms`.

    `reason` is the name of the fetch's error, for the log.
    """

    def __init__(self, reason: str, retry_after_ms: int) -> None:
        super().__init__("the issuer's keys are unavailable")
        self.reason: Final = reason
        self.retry_after_ms: Final = retry_after_ms


def fetch_key_set(url: str, *, tls: ssl.SSLContext | None = None, timeout: float = FETCH_TIMEOUT_SECONDS) -> bytes:
    """Fetch a JSON Web Key Set over http or https. Raises OSError, also for a status other than 200.

    No redirect, proxy or other scheme: the answer decides who is believed, so it must come from this very address.
    Pass a TLS context that exists anyway: a new one takes 20 ms of CPU to load the certificate authorities.
    """
    opener = OpenerDirector()
    for handler in (HTTPHandler(), HTTPSHandler(context=tls), UnknownHandler()):
        opener.add_handler(handler)
    try:
        with opener.open(url, timeout=timeout) as response:
            if response.status != HTTPStatus.OK:
                raise OSError("not found")
            data = response.read(MAX_KEY_SET_BYTES + 1)
    except (HTTPException, ValueError) as error:
        raise OSError("no HTTP response, or no such URL") from error
    if len(data) > MAX_KEY_SET_BYTES:
        raise OSError("too large")
    return data


class KeySet:
    """The RSA keys at a URL by their ids, for use by several threads.

    A flood of unknown ids causes one fetch in REFRESH_SECONDS; until the next, unknown ids have no key. While fetching
    fails, there is one try in RETRY_SECONDS, and callers must wait. Keys fetched before stay usable.
    """

    def __init__(
        self, url: str, fetch: Callable[[str], bytes] = fetch_key_set, now: Callable[[], float] = time.time
    ) -> None:
        """`fetch` returns what is at the URL or raises OSError. `now` is in seconds since 1970.

        Not the monotonic clock: it may stop while the function is frozen, so five minutes of it can last for hours.
        """
        self._url = url
        self._fetch = fetch
        self._now = now
        self._keys: dict[str, RsaKey] = {}
        self._lock = threading.Lock()
        self._fetched_at: float | None = None
        self._failure: str | None = None

    def __call__(self, key_id: str) -> RsaKey | None:
        """Return the key; None if the issuer has no such key. Raises KeysUnavailableError."""
        key = self._keys.get(key_id)
        if key is not None:
            return key
        with self._lock:  # threads that wait here share the result of one fetch
            self._refresh()
            return self._keys.get(key_id)

    def _refresh(self) -> None:
        """Fetch the keys unless that was done a moment ago. Raises KeysUnavailableError if the last fetch failed."""
        pause = RETRY_SECONDS if self._failure else REFRESH_SECONDS
        # A clock set back must not stop fetching until it has caught up.
        elapsed = pause if self._fetched_at is None else abs(self._now() - self._fetched_at)
        if elapsed >= pause:
            elapsed = 0
            try:
                self._keys = _parse_key_set(self._fetch(self._url))  # also drops keys that the issuer has withdrawn
                self._failure = None
            except (OSError, ValueError) as error:
                self._failure = type(error).__name__
            self._fetched_at = self._now()
        if self._failure:
            raise KeysUnavailableError(self._failure, math.ceil((RETRY_SECONDS - elapsed) * 1000))


def _parse_key_set(data: bytes) -> dict[str, RsaKey]:
    """Return the RS256 keys of a JSON Web Key Set (RFC 7517). Raises ValueError if there are none.

    Keys of another kind are skipped: a set may contain any (RFC 7517, section 5).
    """
    listed = parse_object(data).get("keys")
    keys: dict[str, RsaKey] = {}
    for jwk in listed if isinstance(listed, list) else ():
        if isinstance(jwk, dict) and isinstance(key_id := jwk.get("kid"), str):
            key = _parse_key(jwk)
            if key is not None:
                keys[key_id] = key
    if not keys:
        raise ValueError("no keys")
    return keys


def _parse_key(jwk: dict[str, Any]) -> RsaKey | None:
    """Return an RSA key meant for RS256 signatures (RFC 7518, section 6.3.1); None for any other."""
    modulus, exponent = jwk.get("n"), jwk.get("e")
    if jwk.get("kty") != "RSA" or jwk.get("use", "sig") != "sig" or jwk.get("alg", "RS256") != "RS256":
        return None
    if not isinstance(modulus, str) or not isinstance(exponent, str):
        return None
    try:
        key = RsaKey(*(int.from_bytes(decode_base64url(number), "big") for number in (modulus, exponent)))
    except ValueError:
        return None
    return key if key.is_acceptable() else None
