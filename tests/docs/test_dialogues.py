"""The wscat dialogue in the documents, repeated with the running product."""

import re
from pathlib import Path

from chat_client.websocket import ChatSocket
from tests.conftest import Stack
from tests.docs.documents import FENCE, ROOT

KEYS = re.compile(r'"(\w+)":')


def dialogues(path: Path) -> list[list[tuple[str, str]]]:
    """Return each dialogue in a document, as pairs of input and response."""
    blocks = [block.group() for block in FENCE.finditer(path.read_text(encoding="utf-8"))]
    return [pairs for block in blocks if (pairs := re.findall(r"^> (.+)\n< (.+)$", block, re.MULTILINE))]


def test_the_wscat_dialogue_gets_the_documented_responses(stack: Stack) -> None:
    (pairs,) = dialogues(ROOT / "docs" / "testing.md")
    assert len(pairs) >= 2
    with ChatSocket(stack.websocket_url) as client:
        for typed, written in pairs:
            client.send_raw(typed)
            (kind,) = re.findall(r'"type":"(\w+)"', written)
            heard = client.wait_for(kind)
            assert list(heard) == KEYS.findall(written)
            if kind == "error":
                assert all(f'"{key}":"{heard[key]}"' in written for key in ("error", "code"))
