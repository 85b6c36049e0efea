"""MiniStack in a process of its own, stricter where AWS is. Run by local.emulator; it knows nothing of the program.

What is changed, each because AWS does otherwise (docs/decisions/0001):
- a message never reaches a route whose key begins with `$`: on AWS those are not for messages to choose. Nor does a
  frame that is nested so deeply that Python's parser gives up end the socket. Both take the route `$default`.
- a binary frame closes the socket with 1003, one of more than 32 KB with 1009 (API Gateway quotas).
- what was written outlives `kill -9`: MiniStack alone saves when it is asked to end. A save is a POST to SAVE_PATH;
  the writes to DynamoDB since then stand in a journal, each before it is answered.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack
from ministack.core.persistence import save_all
from ministack.services import apigateway, dynamodb

SAVE_PATH = "/_local/save"
MAX_FRAME_BYTES = 32 * 1024
BINARY_REFUSED, TOO_BIG = 1003, 1009
_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
_OK = 200

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def _routed_as_on_aws(evaluate: Callable[[str, str], str]) -> Any:
    def evaluated(expr: str, payload_text: str) -> str:
        try:
            route = evaluate(expr, payload_text)
        except RecursionError:
            return "$default"
        return "$default" if route.startswith("$") else route

    return evaluated


def _limited_frames(app: Asgi) -> Asgi:
    """Close a socket for what API Gateway closes it for, before the emulator sees the frame."""

    async def limited(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            await app(scope, receive, send)
            return

        async def checked() -> Any:
            event = await receive()
            if event["type"] == "websocket.receive":
                text = event.get("text")
                code = BINARY_REFUSED if text is None else TOO_BIG if len(text.encode()) > MAX_FRAME_BYTES else None
                if code is not None:
                    await send({"type": "websocket.close", "code": code})
                    return {"type": "websocket.disconnect", "code": code}
            return event

        await app(scope, checked, send)

    return limited


class _Journal:
    """The writes to DynamoDB since the last save. Everything here runs on the event loop, one after the other."""

    def __init__(self, path: Path) -> None:
        self._handle = dynamodb.handle_request
        self._file = path.open("a+")
        dynamodb.handle_request = self._journalled

    async def _journalled(self, method: str, path: str, headers: dict, body: bytes, query_params: dict) -> Any:
        answer = await self._handle(method, path, headers, body, query_params)
        target = headers.get("x-amz-target", "")
        if answer[0] == _OK and target.rpartition(".")[2] in _WRITES:
            self._file.write(json.dumps([target, body.decode()]) + "\n")
            self._file.flush()
        return answer

    async def replay(self) -> None:
        """Do again what was done since the last save."""
        self._file.seek(0)
        for line in self._file.readlines():
            if line.endswith("\n"):  # a write that was cut short was not answered
                target, body = json.loads(line)
                await self._handle("POST", "/", {"x-amz-target": target}, body.encode(), {})

    def save(self) -> None:
        """Save every service's state, and begin anew."""
        save_all(ministack._build_persistence_save_dict())  # noqa: SLF001
        self._file.truncate(0)


def _lasting(app: Asgi, journal: _Journal, ready: int) -> Asgi:
    """Replay the journal before the first request, tell `ready` (a file descriptor) so, and save when asked to."""

    async def lasting(scope: Any, receive: Any, send: Any) -> None:
        async def started(event: Any) -> None:
            if event["type"] == "lifespan.startup.complete":
                await journal.replay()
                os.write(ready, b"\n")
            await send(event)

        if scope["type"] == "http" and scope["path"] == SAVE_PATH and scope["method"] == "POST":
            journal.save()
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
        else:
            await app(scope, receive, started if scope["type"] == "lifespan" else send)

    return lasting


def _end_with_parent(folder: Path) -> None:
    """Leave when whoever started this is gone: its end of the pipe closes. Nobody else would clear up after it then."""
    os.read(0, 1)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # the functions' workers too


def main() -> None:
    """Serve until the parent ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True, help="file descriptor of the listening socket")
    parser.add_argument("--ready", type=int, required=True, help="file descriptor to write to once it serves")
    parser.add_argument("--folder", type=Path, required=True, help="what to delete should the parent vanish")
    options = parser.parse_args()
    threading.Thread(target=_end_with_parent, args=(options.folder,), daemon=True).start()
    apigateway._evaluate_route_selection = _routed_as_on_aws(apigateway._evaluate_route_selection)  # noqa: SLF001
    app = _lasting(_limited_frames(ministack.app), _Journal(options.folder / "journal"), options.ready)
    config = Config()
    config.bind = [f"fd://{options.socket}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    # No shutdown in order: it would wait for open sockets, then save what the journal holds too, which counts twice.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asyncio.run(serve(app, config, shutdown_trigger=asyncio.Event().wait))  # type: ignore[arg-type] - narrower than ASGI


if __name__ == "__main__":
    main()
