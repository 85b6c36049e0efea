"""One send in time, as an SVG: a recording of the functions with fake services, drawn as a sequence diagram."""

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from chat.schema import CONNECTIONS, MESSAGES, ROOMS
from docgen import PICTURES
from docgen.svg import box, document, path, text
from tests.fakes.dynamodb import Call
from tests.fakes.gateway import Frame, Post
from tests.fakes.services import Chat

SEND = PICTURES / "send.svg"
SENDER, READERS = "Ada", ("Bo", "Cleo")
ROOM = "tea"

WIDTH = 880
READERS_X, PAGE_X, API_X, FUNCTION_X = 56, 148, 252, 372
TABLES_X, TABLES_W = 446, 418
GAP = 8
HEAD_TOP, HEAD_H = 16, 52
TOP = 92
CARD_W, CARD_H, CARD_TOP = (TABLES_W - 4 * GAP) / 3, 82, 22
SHORT_ROW, ROW = 52, CARD_TOP + CARD_H + 24
STYLE = """  .lane { stroke: var(--line); stroke-dasharray: 4 5; }
  .active { fill: var(--box); stroke: var(--accent); }
  .number { fill: var(--accent); }
  .digit { font-weight: 700; fill: var(--ground); }
  .over { paint-order: stroke; stroke: var(--ground); stroke-width: 5px; }
  .reads { fill: var(--t0); }
  .writes { fill: var(--t1); }
"""
OVER = "small over"
"""Style of text over a lifeline."""
ABOUT = (
    "The page sends a frame to API Gateway, which invokes the function. After three round trips to DynamoDB, each with "
    "up to three concurrent requests, the function posts the message to its sender as the acknowledgement, and reads "
    "the room's members at the same time; then it posts to all of them at once."
)

_PURPOSES = {
    ("GetItem", CONNECTIONS, ""): ("the sender's name", "and rooms"),
    ("Query", ROOMS, "newest"): ("the end of the", "room's log"),
    ("UpdateItem", ROOMS, "limits"): ("count the send", "against its limits"),
    ("PutItem", MESSAGES, ""): ("its row, with the", "end just read"),
    ("Query", MESSAGES, ""): ("earlier rows with", "its messageId"),
    ("PutItem", ROOMS, "log#"): ("the message at", "the next place"),
    ("Query", ROOMS, ""): ("the room's", "members"),
}
"""Operation, table and kind of key → why the request is made. A request that is not listed is a KeyError."""


class Recording(NamedTuple):
    """One send: the page's frame, and every request and post, by start time."""

    frame: Frame
    calls: list[Call]
    posts: list[Post]


def make_send_diagram() -> None:
    """Write docs/pictures/send.svg."""
    SEND.write_text(draw(record()), encoding="utf-8")


def record() -> Recording:
    """Send a message to a room as the page does, with an id and a room, and record it."""
    chat = Chat()
    chat.connect(SENDER, *READERS, address="203.0.113.7")
    for name in (SENDER, *READERS):
        chat.join(name, ROOM, name=name)
    chat.clear()
    frame = {"action": "sendmessage", "message": "Hello", "messageId": chat.new_id(), "to": ROOM}
    with chat.dynamodb.counting() as usage:
        chat.call(SENDER, frame)
    return Recording(frame, usage.calls, list(chat.gateway.posts))


def round_trips(recording: Recording) -> list[list[Call]]:
    """Return the requests in groups that run concurrently."""
    by_start = sorted(recording.calls, key=lambda call: call.started)
    groups = [list(calls) for _, calls in groupby(by_start, key=lambda call: call.started)]
    for earlier, later in pairwise(groups):
        if max(call.ended for call in earlier) > later[0].started:
            raise ValueError("requests overlap without starting together: draw them otherwise")
    return groups


def draw(recording: Recording) -> str:
    """Return the SVG of a send."""
    acknowledged, *others = recording.posts
    parts: list[str] = []
    y = TOP
    parts += _request(recording.frame, y)
    y += SHORT_ROW
    for number, calls in enumerate(round_trips(recording), 1):
        is_before = max(call.ended for call in calls) <= acknowledged.at
        parts += _requests(calls, y, number if is_before else None)
        if calls[0].started == acknowledged.at:
            parts += _post(y + CARD_TOP + 26, PAGE_X, _label(acknowledged.frame), "the acknowledgement")
        y += ROW
    names = " and ".join(post.connection_id for post in others)
    for index in range(len(others)):
        label = (_label(others[0].frame), f"to {names} concurrently") if index == 0 else ("", "")
        parts += _post(y + 22 + index * 12, READERS_X, *label, below=12 * (len(others) - 1))
    parts += _legend(y + 30)
    bottom = y + 66
    lanes = [
        *(path(f"M{x} {HEAD_TOP + HEAD_H}V{bottom}", "lane") for x in (READERS_X, PAGE_X, API_X)),
        box((FUNCTION_X - 6, TOP + 8), (12, bottom - TOP - 28), "active", 4),
        *_heads(names),
    ]
    return document((WIDTH, bottom + 14), "One send in time", ABOUT, [*lanes, *parts], STYLE)


def _legend(y: float) -> list[str]:
    return [
        box((TABLES_X + GAP, y), (5, 14), "reads", 2),
        text(TABLES_X + GAP + 12, y + 11, "read", "small"),
        box((TABLES_X + GAP + 60, y), (5, 14), "writes", 2),
        text(TABLES_X + GAP + 72, y + 11, "write", "small"),
    ]


def _heads(readers: str) -> list[str]:
    heads = (
        (READERS_X, 84, "Readers", readers),
        (PAGE_X, 84, "Page", SENDER),
        (API_X, 108, "API Gateway", "WebSocket"),
        (FUNCTION_X, 124, "Function", "sendmessage.py"),
        (TABLES_X + TABLES_W / 2, TABLES_W, "DynamoDB", "requests side by side run concurrently"),
    )
    return [
        part
        for x, width, name, about in heads
        for part in (
            box((x - width / 2, HEAD_TOP), (width, HEAD_H)),
            text(x, HEAD_TOP + 22, name, "head", "middle"),
            text(x, HEAD_TOP + 41, about, "small", "middle"),
        )
    ]


def _request(frame: Frame, y: float) -> list[str]:
    return [
        path(f"M{PAGE_X} {y + 16}H{API_X - 3}", "flow"),
        path(f"M{API_X} {y + 16}H{FUNCTION_X - 9}", "flow"),
        text((PAGE_X + API_X) / 2, y + 8, frame["action"], "small", "middle"),
        text((API_X + FUNCTION_X) / 2, y + 8, "invoke", "small", "middle"),
        text((PAGE_X + FUNCTION_X) / 2, y + 34, ", ".join(name for name in frame if name != "action"), OVER, "middle"),
    ]


def _requests(calls: Sequence[Call], y: float, number: int | None) -> list[str]:
    """Return a round trip: its requests side by side, and its number if the sender waits for it."""
    middle = y + CARD_TOP + CARD_H / 2
    width = len(calls) * (CARD_W + GAP) + GAP
    title = f"round trip {number}" if number else "at the same time as the sender's copy"
    parts = [
        box((TABLES_X, y), (max(width, 2 * CARD_W), ROW - 8)),
        text(TABLES_X + GAP, y + 16, title, "small"),
        path(f"M{FUNCTION_X + 8} {middle - 6:g}H{TABLES_X - 3}", "flow"),
        path(f"M{TABLES_X} {middle + 8:g}H{FUNCTION_X + 11}", "flow", ' stroke-dasharray="5 4"'),
    ]
    if number:
        parts += [
            f'<circle cx="{FUNCTION_X}" cy="{middle:g}" r="12" class="number"/>',
            text(FUNCTION_X, middle + 5, str(number), "digit", "middle"),
        ]
    for index, call in enumerate(calls):
        x, top = TABLES_X + GAP + index * (CARD_W + GAP), y + CARD_TOP
        colour = "writes" if call.written else "reads"
        parts += [
            box((x, top), (CARD_W, CARD_H), "card", 7),
            box((x, top), (5, CARD_H), colour, 2),
            text(x + 14, top + 20, call.operation, "mono"),
            text(x + 14, top + 36, call.table, "small"),
            *(text(x + 14, top + 55 + 16 * line, each, "small") for line, each in enumerate(_purpose(call))),
        ]
    return parts


def _purpose(call: Call) -> tuple[str, str]:
    kind = ""
    if call.table == ROOMS:
        item = call.key[1] if len(call.key) > 1 else ""
        is_newest = call.operation == "Query" and call.request["ScanIndexForward"] is False
        kind = "newest" if is_newest else "log#" if item.startswith("log#") else item
    return _PURPOSES[call.operation, call.table, kind]


def _post(y: float, to_x: float, label: str, about: str, below: float = 0) -> list[str]:
    """Return a post from the function through API Gateway; `below` moves the second line of text down."""
    parts = [
        path(f"M{FUNCTION_X - 8} {y:g}H{API_X + 3}", "flow"),
        path(f"M{API_X} {y:g}H{to_x + 3}", "flow"),
    ]
    if label:
        parts += [
            text((API_X + FUNCTION_X) / 2, y - 8, "post", "small", "middle"),
            text((API_X + to_x) / 2, y - 8, label, OVER, "middle"),
            text((API_X + to_x) / 2, y + below + 18, about, OVER, "middle"),
        ]
    return parts


def _label(frame: Frame) -> str:
    return f"{frame['type']}, seq {frame['seq']}"
