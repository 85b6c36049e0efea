"""Signatures against those of `cryptography`, against Wycheproof's cases, and against known forgeries."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.identity.rs256 import RsaKey, is_signature
from tests.unit.identity.issuer import private_key, public_key, sign

MESSAGE = b"eyJhbGciOiJSUzI1NiJ9.e30"
DIGEST = hashlib.sha256(MESSAGE).digest()
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420") + DIGEST
LENGTH = 256
VECTORS = Path(__file__).parent / "wycheproof" / "rsa_pkcs1_sha256.json"
WYCHEPROOF = json.loads(VECTORS.read_text(encoding="utf-8"))["testGroups"]


def encoded(digest_info: bytes = DIGEST_INFO, *, start: bytes = b"\0\1", padding_bytes: bytes | None = None) -> bytes:
    """Return an encoded message of the 2048-bit key's length."""
    if padding_bytes is None:
        padding_bytes = b"\xff" * (LENGTH - len(start) - len(digest_info) - 1)
    return start + padding_bytes + b"\0" + digest_info


def raw_signature(message: bytes) -> bytes:
    """Return what the private key makes of an encoded message, whatever it contains."""
    numbers = private_key().private_numbers()
    return pow(int.from_bytes(message, "big"), numbers.d, numbers.public_numbers.n).to_bytes(LENGTH, "big")


def is_accepted(signature: bytes, key: RsaKey | None = None) -> bool:
    return is_signature(key or public_key(private_key()), MESSAGE, signature)


# 2050 bits end within a byte; 65537 and 3 are the exponents in use.
@pytest.mark.parametrize(("bits", "exponent"), [(2048, 65537), (2048, 3), (2050, 65537), (3072, 65537)])
@settings(max_examples=60, deadline=None)
@given(message=st.binary(max_size=2000), data=st.data())
def test_only_what_a_key_signed_is_its_signature(bits: int, exponent: int, message: bytes, data: st.DataObject) -> None:
    private = private_key(bits, exponent)
    key, signature = public_key(private), sign(private, message)
    assert is_signature(key, message, signature)
    assert not is_signature(key, message + b"\0", signature)
    assert not is_signature(public_key(private_key(bits, exponent, "another's")), message, signature)
    bit = data.draw(st.integers(0, len(signature) * 8 - 1))
    flipped = (int.from_bytes(signature, "big") ^ (1 << bit)).to_bytes(len(signature), "big")
    assert not is_signature(key, message, flipped)


@pytest.mark.parametrize("group", WYCHEPROOF, ids=lambda group: f"{group['keySize']}-{len(group['tests'])}")
def test_wycheproofs_cases_are_judged_as_listed(group: dict[str, Any]) -> None:
    """Those listed as acceptable (parameters missing from DigestInfo) are refused: Cognito writes the NULL."""
    key = RsaKey(int(group["publicKey"]["modulus"], 16), int(group["publicKey"]["publicExponent"], 16))
    wrong = [
        (case["tcId"], case["comment"])
        for case in group["tests"]
        if is_signature(key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])) != (case["result"] == "valid")
    ]
    assert wrong == []


def test_wycheproofs_cases_are_all_there() -> None:
    results = [case["result"] for group in WYCHEPROOF for case in group["tests"]]
    assert {result: results.count(result) for result in set(results)} == {"valid": 16, "invalid": 499, "acceptable": 2}


def test_the_expected_encoding_is_accepted() -> None:
    """The forgeries below differ from it in one point each."""
    assert is_accepted(raw_signature(encoded()))


OID = "0609608648016503040201"
FORGERIES = {
    "another hash's OID": encoded(bytes.fromhex("3031300d060960864801650304020205000420") + DIGEST),
    "SHA-1": encoded(bytes.fromhex("3021300906052b0e03021a05000414") + hashlib.sha1(MESSAGE).digest()),  # noqa: S324
    "no NULL": encoded(bytes.fromhex(f"302f300b{OID}0420") + DIGEST),
    "garbage for NULL": encoded(bytes.fromhex(f"3033300f{OID}0402abcd0420") + DIGEST),
    "BER length": encoded(bytes.fromhex(f"308131300d{OID}05000420") + DIGEST),
    "indefinite length": encoded(bytes.fromhex(f"3080300d{OID}05000420") + DIGEST + b"\0\0"),
    "no DigestInfo": encoded(DIGEST),
    "another message's hash": encoded(DIGEST_INFO[:19] + hashlib.sha256(b"another").digest()),
    "trailing garbage": encoded(padding_bytes=b"\xff" * 8) + b"\xaa" * (LENGTH - 62),
    "trailing zeros": encoded(padding_bytes=b"\xff" * 100) + bytes(LENGTH - 154),
    "no padding": encoded(padding_bytes=b"") + bytes(LENGTH - 54),
    "shifted by a byte": encoded(padding_bytes=b"\xff" * 201, start=b"\0\0\1"),
    "padding with another byte": encoded(padding_bytes=b"\xff" * 100 + b"\xfe" + b"\xff" * 101),
    "padding with zeros": encoded(padding_bytes=bytes(202)),
    "type 0": encoded(start=b"\0\0"),
    "type 2": encoded(start=b"\0\2"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_private_keys_own_signature_of_another_encoding_is_refused(forgery: str) -> None:
    assert len(FORGERIES[forgery]) == LENGTH
    assert not is_accepted(raw_signature(FORGERIES[forgery]))


def cube_root(number: int) -> int:
    """Return the smallest integer whose cube is not below the number."""
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**3 < number else (low, middle)
    return low


@pytest.mark.parametrize("padded", [0, 8])
def test_a_cube_root_signs_nothing(padded: int) -> None:
    """Bleichenbacher's forgery of 2006: with exponent 3 anybody can make the first bytes come out right."""
    key = public_key(private_key(exponent=3))
    prefix = encoded(padding_bytes=b"\xff" * padded)
    root = cube_root(int.from_bytes(prefix.ljust(LENGTH, b"\0"), "big"))
    assert (root**3).to_bytes(LENGTH, "big").startswith(prefix)
    assert not is_accepted(root.to_bytes(LENGTH, "big"), key)


@pytest.mark.parametrize("number", [0, 1, -1])
def test_numbers_that_are_their_own_power_sign_nothing(number: int) -> None:
    key = public_key(private_key())
    assert not is_accepted((number % key.modulus).to_bytes(LENGTH, "big"))


def test_a_signature_has_one_spelling() -> None:
    """s + n is the same number to the key; zeros before it, or the lack of them, change no number."""
    key = public_key(private_key(2050))
    signature = sign(private_key(2050), MESSAGE)
    number = int.from_bytes(signature, "big")
    assert is_accepted(signature, key)
    assert len(signature) == len((number + key.modulus).to_bytes(257, "big"))  # it fits, so its size refuses nothing
    assert not is_accepted((number + key.modulus).to_bytes(257, "big"), key)
    for other in (b"\0" + signature, signature + b"\0", signature[:-1], signature[1:], b""):
        assert not is_accepted(other, key)


def test_leading_zeros_of_a_signature_are_required() -> None:
    private = private_key()
    key = public_key(private)
    message, signature = next(
        (message, signature)
        for message in (b"%d" % number for number in range(100_000))
        if (signature := sign(private, message))[0] == 0
    )
    assert is_signature(key, message, signature)
    assert not is_signature(key, message, signature[1:])


@pytest.mark.parametrize("algorithm", [hashes.SHA384(), hashes.SHA512(), hashes.SHA1()], ids=lambda a: a.name)  # noqa: S303
def test_a_signature_with_another_hash_is_refused(algorithm: hashes.HashAlgorithm) -> None:
    assert not is_accepted(private_key().sign(MESSAGE, padding.PKCS1v15(), algorithm))


@pytest.mark.parametrize("salt", [0, 32])
def test_a_signature_with_pss_padding_is_refused(salt: int) -> None:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
    assert not is_accepted(private_key().sign(MESSAGE, pss, hashes.SHA256()))


def test_a_short_key_signs_nothing() -> None:
    private = private_key(1024)
    assert not is_signature(public_key(private), MESSAGE, sign(private, MESSAGE))


@pytest.mark.parametrize(
    "key",
    [
        RsaKey(2**2047 + 1, 1),  # its signatures are the encoded messages themselves
        RsaKey(2**2047 + 1, 65536),
        RsaKey(2**2047 + 1, 2**32 + 1),
        RsaKey(2**2047, 65537),
        RsaKey(2**2047 - 1, 65537),
        RsaKey(2**4096 + 1, 65537),
        RsaKey(0, 0),
    ],
    ids=["exponent 1", "even exponent", "huge exponent", "even modulus", "2047 bits", "4097 bits", "zero"],
)
def test_a_key_out_of_bounds_signs_nothing(key: RsaKey) -> None:
    assert not key.is_acceptable()
    assert not is_signature(key, MESSAGE, encoded())


@pytest.mark.parametrize("key", [RsaKey(2**2047 + 1, 3), RsaKey(2**4096 - 1, 2**32 - 1)])
def test_the_bounds_of_a_key_are_within(key: RsaKey) -> None:
    assert key.is_acceptable()
