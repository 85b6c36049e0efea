"""The demonstration: two tabs talking, and the tables. A GIF, and a two-minute film.

Each frame is a screenshot with a duration set here, so slow and fast machines make the same film.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Locator, Page, expect

from chat_client.websocket import ChatSocket
from docgen import PICTURES
from docgen.demo_stack import DemoStack, look
from docgen.drawing import captioned, side_by_side, terminal, title_card
from docgen.film import Frame, write_gif, write_webm
from docgen.tables_and_logs import scan
from local.process import ROOT
from tests.browser.controls import box, button, log, open_server, rows

if TYPE_CHECKING:
    from PIL import Image

TAB = {"width": 608, "height": 560}
GIF_WIDTH = 900
_LETTERS = 3
_TYPING_SECONDS = 0.16
_PACE = 1.35
"""Factor by which the film is slower than the GIF, to leave time for its captions."""


class Director:
    """Two tabs side by side, an optional caption below, and the frames so far."""

    def __init__(self, left: Page, right: Page, *, captions: bool = True) -> None:
        self.left, self.right = left, right
        self._captions = captions
        self.caption = ""
        self.frames: list[Frame] = []

    def hold(self, seconds: float, caption: str | None = None) -> None:
        """Show the tabs as they are."""
        self.caption = self.caption if caption is None else caption
        self._show(side_by_side([look(self.left), look(self.right)], ["Tab 1", "Tab 2"]), seconds)

    def beside_terminal(self, title: str, text: str, seconds: float, caption: str) -> None:
        """Show a terminal in place of the left tab."""
        self.caption = caption
        picture = terminal((TAB["width"], TAB["height"]), text)
        self._show(side_by_side([picture, look(self.right)], [title, "Tab 2"]), seconds)

    def _show(self, picture: "Image.Image", seconds: float) -> None:
        self.frames.append(Frame.of(captioned(picture, self.caption) if self._captions else picture, seconds))

    def type(self, page: Page, text: str, *, where: Locator | None = None) -> None:
        """Type as a person does, with a frame every few letters."""
        for start in range(0, len(text), _LETTERS):
            (where or box(page)).press_sequentially(text[start : start + _LETTERS])
            self.hold(_TYPING_SECONDS)

    def say(self, page: Page, text: str, seconds: float = 1.5, *, alone: bool = False) -> None:
        """Type and send; continue once the message is stored and, unless `alone`, shown in both tabs."""
        self.type(page, text)
        box(page).press("Enter")
        for each in (page,) if alone else (self.left, self.right):
            expect(rows(each).last).to_contain_text(text)
            expect(rows(each).last).not_to_contain_text("Sending")
        self.hold(seconds)

    def card(self, head: str, lines: Sequence[str], seconds: float) -> None:
        """Show a title card."""
        self.frames.append(Frame.of(title_card(head, lines), seconds))


def make_gif(demo: DemoStack) -> None:
    """Write docs/pictures/two-tabs.gif: two tabs, twenty seconds."""
    options = {"viewport": {"width": 460, "height": 500}}
    left = demo.person("Ada", "demo", **options)
    right = demo.person("Bo", "demo", **options, color_scheme="dark")
    director = Director(left, right, captions=False)
    director.hold(1.2)
    director.say(left, "Is anyone here?", 1.2)
    director.say(right, "I am! That was fast ⚡", 1.5)
    director.say(left, "And if I lose my connection?", 1.2)
    director.say(right, "You get every message you missed, in order", 5)
    write_gif(director.frames, PICTURES / "two-tabs.gif", GIF_WIDTH)


def make_film(demo: DemoStack) -> None:
    """Write docs/pictures/demonstration.webm: the whole demonstration, with captions."""
    output = _local_run()
    left = demo.person(None, "lobby", viewport=TAB)
    right = demo.person("Bo", "lobby", viewport=TAB, color_scheme="dark", can_cut=True)
    director = Director(left, right)
    director.card(
        "A serverless chat",
        ("Two browser tabs talking, on one machine.", "The same program that `pulumi up` deploys to AWS."),
        4,
    )
    _start(director, output)
    _meet(director)
    _other_clients_and_tables(director, demo)
    _reconnect(director, demo)
    _rooms_and_server(director)
    outputs = demo.stack.outputs
    director.card(
        "On AWS",
        (
            "pulumi up    pulumi stack output    pulumi destroy",
            f"The output `resources` lists {len(outputs['resources'])} ARNs.",
            "Recorded with the emulator of `make local`, not on AWS.",
        ),
        6,
    )
    frames = [replace(frame, seconds=frame.seconds * _PACE) for frame in director.frames]
    print(f"  {len(frames)} frames, {sum(frame.seconds for frame in frames):.0f} s: recording …", flush=True)
    write_webm(frames, PICTURES / "demonstration.webm", demo.browser)


def _start(director: Director, output: str) -> None:
    size = (TAB["width"] * 2 + 16, TAB["height"])
    for text, seconds in (("$ make local", 1.5), (f"$ make local\n{output}", 6)):
        window = side_by_side([terminal(size, text)], ["Terminal"])
        director.frames.append(
            Frame.of(
                captioned(window, "One command starts everything on this machine, without an account or a container"),
                seconds,
            )
        )


def _local_run() -> str:
    """Return the output of `make local`, from a separate run."""
    run = subprocess.Popen(
        [sys.executable, "-m", "local", "--port", "0", "--no-watch"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    printed = ""
    if run.stdout is not None:
        while "Ctrl-C" not in printed:
            line = run.stdout.readline()
            if not line:
                raise RuntimeError("the local run ended before it was ready")
            printed += line
    run.terminate()
    run.communicate(timeout=30)
    return printed


def _meet(director: Director) -> None:
    left, right = director.left, director.right
    name = left.get_by_label("Your name")
    director.hold(2.5, "The page connects to its stack. A new visitor enters a name, once")
    name.focus()
    director.type(left, "Ada", where=name)
    name.press("Enter")
    expect(log(right)).to_contain_text("Ada")
    director.hold(2)
    director.caption = "Each tab shows the other's messages at once"
    director.say(left, "Hello Bo! Can you read this?")
    director.say(right, "Yes! Can you see me typing?")
    director.hold(0.5, "The page shows who is typing, and your own message while it is being stored")
    director.say(left, "I can. Shall we meet at the harbour at six?")
    director.say(right, "Six is fine. I'll bring the map", 2.5)


def _other_clients_and_tables(director: Director, demo: DemoStack) -> None:
    right = director.right
    with ChatSocket(demo.stack.websocket_url) as client:
        frame = {"action": "sendmessage", "message": "Hello from a terminal"}
        client.send(**frame)
        heard = client.wait_for("message", message=frame["message"])
        expect(rows(right).last).to_contain_text(frame["message"])
        dialogue = [
            f"$ wscat -c {demo.stack.websocket_url}",
            "Connected (press CTRL+C to quit)",
            f"> {_frame(frame)}",
            f"< {_frame(heard)}",
        ]
        director.beside_terminal(
            "The wscat conversation",
            "\n".join(dialogue),
            8,
            "Any WebSocket client can send with one frame; its own copy is the acknowledgement",
        )
        wrong = {"action": "dance"}
        client.send(**wrong)
        dialogue += [f"> {_frame(wrong)}", f"< {_frame(client.wait_for('error'))}"]
        director.beside_terminal(
            "The wscat conversation",
            "\n".join(dialogue),
            5,
            "An unknown action gets an error, and the connection stays open",
        )
    for table, columns, what in (
        ("ActiveConnections", ("connectionId", "room", "name"), "The table of connections: who is in which room"),
        ("MessageHistory", ("timestamp", "room", "name", "message"), "The table of messages: one row per message"),
    ):
        found = scan(demo.stack, table, columns)
        text = "\n\n".join(" ".join(value[:36] for value in row) for row in found)
        director.beside_terminal(
            "A scan of the table",
            f"$ aws dynamodb scan --table-name {table}\n# {', '.join(columns)}\n\n{text}",
            6,
            what,
        )


def _frame(frame: dict[str, Any]) -> str:
    """Return a frame as sent."""
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False)


def _reconnect(director: Director, demo: DemoStack) -> None:
    left, right = director.left, director.right
    director.hold(1, "HTML in a message is shown as text")
    director.say(left, '<img src=x onerror="alert(1)"> is only text', 3)
    box(right).fill("Wait, I have an idea: ")
    demo.connection_of(right).cut()
    expect(button(right, "Try now")).to_be_visible()
    director.hold(3, "The right tab loses its connection; the draft stays")
    director.caption = "The left tab keeps sending"
    for text in ("The ferry is late", "So make it half past six", "At the blue boats"):
        director.say(left, text, 1, alone=True)
    demo.connection_of(right).restore()
    button(right, "Try now").click()
    expect(rows(right).last).to_contain_text("At the blue boats")
    director.hold(4.5, "It reconnects and receives the messages it missed, in order, below a line")
    box(right).fill("")
    director.say(right, "Half past six at the blue boats. Got it all!", 2.5)


def _rooms_and_server(director: Director) -> None:
    left, right = director.left, director.right
    left.evaluate("location.hash = 'tea-time'")
    expect(box(left)).to_be_enabled()
    expect(left.get_by_role("heading", level=1)).to_have_text("#tea-time")
    director.hold(1.5, "Each room has a link to share")
    director.say(left, "No one in the lobby can read this", 2.5, alone=True)
    left.evaluate("location.hash = 'lobby'")
    expect(rows(left).last).to_contain_text("Got it all")
    open_server(right)
    director.hold(2.5, "The status opens the server panel, where you can enter another server")
    button(right, "Disconnect").click()
    expect(box(right)).to_be_disabled()
    director.hold(2.5, "Disconnect and Connect: the status shows the state, and the panel the reason")
    button(right, "Connect").click()
    expect(box(right)).to_be_enabled()
    director.hold(2)
