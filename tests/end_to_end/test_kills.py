"""Acknowledged messages survive killed functions: stored once, in one order without gaps."""

import os
import random
import signal
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from chat_client.websocket import ChatSocket, Frame
from tests.conftest import Stack
from tests.end_to_end.conftest import Connect
from tests.end_to_end.tables import Tables

MESSAGES = 8
MOST_FAILURES = 3 * MESSAGES
WORK_SECONDS = 0.03
"""About how long a function runs; the kill happens within that time."""


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def functions_of(stack: Stack) -> list[int]:
    """Return the ids of the processes that run a stack's functions."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        pid = int(process.name)
        with suppress(OSError):  # it may have ended
            if b"_worker.py" in (process / "cmdline").read_bytes() and parent(parent(pid)) == stack.process.pid:
                found.append(pid)
    return found


def kill_functions(stack: Stack) -> None:
    for pid in functions_of(stack):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class FunctionFailedError(Exception):
    """The gateway reported a failed function."""


def acknowledgement(client: ChatSocket, message_id: str) -> Frame:
    """Return the sender's copy of a message. Raises FunctionFailedError."""
    answer = client.wait_until(
        lambda frame: frame.get("messageId") == message_id or "type" not in frame, "acknowledgement"
    )
    if answer.get("type") != "message":
        raise FunctionFailedError
    return answer


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to find the functions' processes")
@pytest.mark.parametrize("seed", [1])
def test_guarantees_1_2_and_4_hold_when_functions_are_killed(
    stack: Stack, connect: Connect, room: str, seed: int
) -> None:
    draw = random.Random(seed)
    ada, bob = connect(room, "Ada"), connect(room, "Bob")
    acknowledged: list[Frame] = []
    failures = 0
    for number in range(MESSAGES):
        message_id = str(uuid.uuid4())
        is_kill_due = True
        while not acknowledged or acknowledged[-1]["messageId"] != message_id:
            assert failures < MOST_FAILURES, "functions fail without being killed"
            ada.send("sendmessage", message=f"number {number}", messageId=message_id, to=room)
            if is_kill_due:
                time.sleep(draw.uniform(0, WORK_SECONDS))
                kill_functions(stack)
                is_kill_due = False
            try:
                acknowledged.append(acknowledgement(ada, message_id))
            except FunctionFailedError:
                failures += 1
            except ConnectionClosed:  # unlike AWS, the emulator closes a socket whose function fails on start
                failures += 1
                ada = connect(room, "Ada")
    assert failures, "no function was killed while it ran"

    assert [one["seq"] for one in acknowledged] == list(range(1, MESSAGES + 1))
    read = bob.history_since(0, room=room)
    assert read == [{name: one[name] for name in one if name != "type"} for one in acknowledged]
    tables = Tables(stack)
    stored = {row["messageId"]: (row["timestamp"], row["message"]) for row in tables.log(room).values()}
    assert stored == {one["messageId"]: (one["timestamp"], one["message"]) for one in acknowledged}
    rows = {(row["messageId"], (row["timestamp"], row["message"])) for row in tables.messages(room=room)}
    assert set(stored.items()) <= rows
