"""RS256: RSASSA-PKCS1-v1_5 signatures with SHA-256 (RFC 7518, section 3.3)."""

import hashlib
import hmac
from typing import Final, NamedTuple

MIN_MODULUS_BITS: Final = 2048
"""RFC 7518, section 3.3."""
MAX_MODULUS_BITS: Final = 4096
MAX_EXPONENT: Final = 2**32 - 1
"""Bounds the time of a check; the usual exponent is 65537."""

_SHA256_DIGEST_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")
"""The DER of DigestInfo before the hash: SHA-256 with NULL parameters (RFC 8017, section 9.2, note 1)."""


class RsaKey(NamedTuple):
    """A public key."""

    modulus: int
    exponent: int

    def is_acceptable(self) -> bool:
        """Return whether the key is strong enough, well-formed and quick to use."""
        return (
            MIN_MODULUS_BITS <= self.modulus.bit_length() <= MAX_MODULUS_BITS
            and self.modulus % 2 == 1
            and 3 <= self.exponent <= MAX_EXPONENT  # noqa: PLR2004 - the smallest exponent of RSA
            and self.exponent % 2 == 1
        )


def is_signature(key: RsaKey, message: bytes, signature: bytes) -> bool:
    """Return whether the key's owner signed the message (RFC 8017, section 8.2.2).

    The one encoding that the message can have is built and compared as a whole. Nothing is parsed from the signature:
    parsers that ignored trailing bytes, short padding or odd DER are how signatures were forged (Bleichenbacher 2006,
    BERserk 2014). An unacceptable key signs nothing. All inputs are public, so the time taken tells nothing.
    """
    length = (key.modulus.bit_length() + 7) // 8
    number = int.from_bytes(signature, "big")
    if not key.is_acceptable() or len(signature) != length or number >= key.modulus:
        return False
    digest_info = _SHA256_DIGEST_INFO + hashlib.sha256(message).digest()
    expected = b"\x00\x01" + b"\xff" * (length - len(digest_info) - 3) + b"\x00" + digest_info
    return hmac.compare_digest(pow(number, key.exponent, key.modulus).to_bytes(length, "big"), expected)
