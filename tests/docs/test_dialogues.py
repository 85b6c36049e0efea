"""The dialogues of wscat in the documents, held with the running product."""

import re
from pathlib import Path

import pytest

from tests.conftest import Stack
from tests.docs.documents import FENCE, ROOT, named
from tests.end_to_end.chatter import Chatter

KEYS = re.compile(r'"(\w+)":')


def dialogues(path: Path) -> list[list[tuple[str, str]]]:
    """Return each dialogue of a document, as pairs of what is typed and what comes back."""
    blocks = [block.group() for block in FENCE.finditer(path.read_text())]
    return [pairs for block in blocks if (pairs := re.findall(r"^> (.+)\n< (.+)$", block, re.MULTILINE))]


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "docs" / "testing.md"], ids=named)
def test_every_dialogue_goes_as_it_is_written(path: Path, stack: Stack) -> None:
    (pairs,) = dialogues(path)
    assert len(pairs) >= 2
    with Chatter(stack.websocket_url) as client:
        for typed, written in pairs:
            client.say(typed)
            (kind,) = re.findall(r'"type":"(\w+)"', written)
            heard = client.hears(kind)
            assert list(heard) == KEYS.findall(written)
            if kind == "error":
                assert all(f'"{key}":"{heard[key]}"' in written for key in ("error", "code"))
