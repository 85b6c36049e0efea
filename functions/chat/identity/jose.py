"""Strict decoding of the parts of a token or a key set: base64url, and JSON objects."""

import base64
import json
from typing import Any, NoReturn


def decode_base64url(text: str) -> bytes:
    """Decode unpadded base64url (RFC 7515, section 2). Raises ValueError for any other spelling of the same bytes.

    Encoding the result again must give the text: Python's decoder ignores foreign characters, padding within the text
    and stray bits at its end, so that many texts would stand for one signature.
    """
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=") != text.encode("ascii"):
        raise ValueError("not base64url")
    return data


def parse_object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object. Raises ValueError if it is not one that every parser reads alike.

    Refused: other encodings than UTF-8, duplicate names, NaN and Infinity, lone surrogates, numbers too long for
    Python, and nesting too deep for it.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # fails for a lone surrogate in any string
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one error for everything that is malformed
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate name")
    return value


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("not a number in JSON")
