"""Saved files go live at once, broken ones are reported, and connections and messages survive."""

import os
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chat_client.websocket import ChatSocket
from tests.conftest import Stack, fresh_room, wait_until
from tests.local.conftest import emulator_of

LIVE_SECONDS = 6.0
"""Time from saving to live. 2 s are promised and 0.5 s are usual, but the machine may be busy."""
ERRORS = "functions/chat/protocol/errors.py"

DANCE = """
def lambda_handler(event, context):
    return {"statusCode": 200, "body": '{"type":"danced"}'}
"""
DANCE_ROUTE = 'ROUTES["dance"] = Function(name="ChatAppDance", module="dance", memory_mb=128, access={})'

Edit = Callable[..., float]


@pytest.fixture
def client(watching: Stack) -> Iterator[ChatSocket]:
    with ChatSocket(watching.websocket_url) as connected:
        connected.join(fresh_room(), name="Ada")
        yield connected


@pytest.fixture
def edit(checkout: Path, watching: Stack) -> Iterator[Edit]:
    """Save a file and wait for a text in the terminal output; return how long that took. Undone after the test."""
    before: dict[Path, str | None] = {}

    def content(path: Path) -> str | None:
        return path.read_text(encoding="utf-8") if path.exists() else None

    def save(name: str, change: Callable[[str], str | None], expected: str) -> float:
        path = checkout / name
        before.setdefault(path, content(path))
        seen = len(watching.terminal_output())
        began = time.monotonic()
        text = change(content(path) or "")
        if text is None:
            path.unlink()
        elif text != content(path):
            path.write_text(text, encoding="utf-8")
        wait_until(
            lambda: expected in watching.terminal_output()[seen:],
            f"{expected!r} is printed, only {watching.terminal_output()[seen:]!r}",
        )
        return time.monotonic() - began

    yield save
    for path, text in reversed(before.items()):
        if content(path) != text:
            save(str(path.relative_to(checkout)), lambda _, text=text: text, "Live after")


def read(stack: Stack, key: str) -> str | None:
    try:
        with urllib.request.urlopen(f"{stack.site_url}/{key}", timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as missing:
        missing.close()
        return None


def version(stack: Stack) -> str:
    """Return the folder of the page's versioned files."""
    found = re.search(r'"(v-[0-9a-f]{12}/)app\.js"', str(read(stack, "index.html")))
    assert found
    return found[1]


def page_file(stack: Stack, name: str) -> str | None:
    """Return a file of the page, from the URL that the page uses."""
    return read(stack, name if name == "index.html" else version(stack) + name)


def answer_to_dance(client: ChatSocket) -> str:
    client.send("dance")
    return client.wait_for("error")["error"]


def test_a_saved_function_is_live_and_connections_stay(watching: Stack, client: ChatSocket, edit: Edit) -> None:
    sent = client.send_message("before")
    took = edit(ERRORS, lambda text: text.replace('"Invalid request"', '"Changed"'), ERRORS)
    assert answer_to_dance(client) == "Changed"
    assert [one["seq"] for one in client.history_since(0)] == [sent["seq"]]
    assert took < LIVE_SECONDS, f"{took:.1f} s"


def test_a_new_route_is_live(watching: Stack, client: ChatSocket, edit: Edit) -> None:
    """functions/chat/routes.py declares routes, functions and roles: the program reads it again."""
    assert answer_to_dance(client) == "Invalid request"
    edit("functions/dance.py", lambda _: DANCE, "functions/dance.py")
    edit(
        "functions/chat/routes.py", lambda text: text.replace("FUNCTIONS:", f"{DANCE_ROUTE}\nFUNCTIONS:"), "Live after"
    )
    client.send("dance")
    client.wait_for("danced")


def test_a_file_saved_as_the_emulator_dies_is_live_after_its_restart(
    checkout: Path, watching: Stack, edit: Edit
) -> None:
    staged = checkout / ".build" / "functions"
    before = len(list(staged.iterdir()))

    def kill(text: str) -> str:
        path = checkout / ERRORS
        path.write_text(text.replace('"Invalid request"', '"Changed as it died"'), encoding="utf-8")
        wait_until(lambda: len(list(staged.iterdir())) > before, "the deployment has begun")
        os.kill(emulator_of(checkout / "tmp"), signal.SIGKILL)
        return path.read_text(encoding="utf-8")

    edit(ERRORS, kill, "Live after")
    with ChatSocket(watching.websocket_url) as client:
        assert answer_to_dance(client) == "Changed as it died"


BROKEN = {
    "a syntax error": ("def (", "functions/room.py, line 1: invalid syntax"),
    "an unknown name": ("import json\n\nnothing_of_the_kind\n", "functions/room.py, line 3: NameError"),
    "no entry point": ('"""Nothing."""\n', "functions/room.py has no function lambda_handler."),
    "no file": (None, "functions/room.py is missing but a route needs it."),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_function_is_reported_and_the_last_good_version_runs(
    watching: Stack, client: ChatSocket, edit: Edit, broken: str
) -> None:
    text, problem = BROKEN[broken]
    edit("functions/room.py", lambda _: text, problem)
    assert client.ping()["type"] == "pong"
    assert edit("frontend/styles.css", lambda css: css + f"/* {broken} */", "Live after") < LIVE_SECONDS
    assert f"/* {broken} */" in str(page_file(watching, "styles.css"))
    assert client.ping()["type"] == "pong"


FAULTY = """
def lambda_handler(event, context):
    print("about to fail")
    raise ValueError("a secret")
"""


def test_a_functions_error_is_reported_at_the_terminal_and_in_its_log_group_but_not_to_clients(
    watching: Stack, client: ChatSocket, edit: Edit
) -> None:
    edit("functions/room.py", lambda _: FAULTY, "functions/room.py")
    client.send("ping")
    answer = client.wait_until(lambda frame: frame.get("message") == "Internal server error", "an error")
    assert "a secret" not in str(answer)
    watching.wait_for_output("ChatAppRoom failed: ValueError: a secret (room.py, line 4)")
    tail: Any = watching.client("logs")  # the request of `aws logs tail`
    events = tail.filter_log_events(logGroupName="/aws/lambda/ChatAppRoom", startTime=0, interleaved=True)["events"]
    messages = [event["message"] for event in events]
    assert messages[messages.index("about to fail") + 1] == "[ERROR] ValueError: a secret"


@pytest.mark.parametrize("name", ["app.js", "styles.css", "index.html"])
def test_a_saved_file_of_the_page_is_live(watching: Stack, edit: Edit, name: str) -> None:
    took = edit(f"frontend/{name}", lambda text: text + "\n/* saved */", f"frontend/{name}")
    assert str(page_file(watching, name)).endswith("/* saved */")
    assert took < LIVE_SECONDS, f"{took:.1f} s"


def test_a_new_file_appears_and_a_deleted_one_disappears(watching: Stack, edit: Edit) -> None:
    assert page_file(watching, "new.js") is None
    edit("frontend/new.js", lambda _: "export {};\n", "frontend/new.js")
    assert page_file(watching, "new.js") == "export {};\n"
    edit("frontend/new.js", lambda _: None, "frontend/new.js (deleted)")
    assert page_file(watching, "new.js") is None


def test_the_files_of_the_previous_version_are_deleted(watching: Stack, edit: Edit) -> None:
    before = version(watching)
    edit("frontend/styles.css", lambda css: css + "/* a new version */", "frontend/styles.css")
    assert version(watching) != before
    assert read(watching, f"{before}app.js") is None


def test_a_page_without_its_index_is_refused(watching: Stack, edit: Edit) -> None:
    edit("frontend/index.html", lambda _: None, "There is no index.html")
    assert page_file(watching, "index.html")


def test_refused_and_broken_files_are_both_reported_until_both_are_fixed(
    watching: Stack, client: ChatSocket, edit: Edit
) -> None:
    edit("frontend/index.html", lambda _: None, "There is no index.html")
    edit("functions/room.py", lambda _: "def (", "functions/room.py, line 1: invalid syntax")
    edit("frontend/index.html", lambda _: "<!doctype html>connect-src 'self' wss:", "functions/room.py, line 1")
    assert "connect-src" in str(page_file(watching, "index.html"))
    assert client.ping()["type"] == "pong"
