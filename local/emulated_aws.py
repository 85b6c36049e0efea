"""MiniStack in a process of its own, stricter where AWS is. Run by local.emulator; it knows nothing of the program.

What is changed, each because AWS does otherwise (docs/decisions/0001):
- a frame nested so deeply that Python's parser gives up takes the route `$default`; MiniStack would drop the socket.
- a binary frame closes the socket with 1003, one of more than 32 KB with 1009 (API Gateway quotas).
"""

import os
import threading
from typing import Any

from ministack import app as ministack
from ministack.services import apigateway

MAX_FRAME_BYTES = 32 * 1024
BINARY_REFUSED, TOO_BIG = 1003, 1009


def _route_of_deep_frames(evaluate: Any) -> Any:
    def evaluated(expression: str, payload: str) -> str:
        try:
            return evaluate(expression, payload)
        except RecursionError:
            return "$default"

    return evaluated


def _limited_frames(app: Any) -> Any:
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


def _end_with_parent() -> None:
    """Leave when whoever started this is gone: its end of the pipe closes."""
    os.read(0, 1)
    os._exit(0)


def main() -> None:
    """Serve until the parent ends."""
    apigateway._evaluate_route_selection = _route_of_deep_frames(apigateway._evaluate_route_selection)  # noqa: SLF001
    ministack.app = _limited_frames(ministack.app)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    ministack.main()


if __name__ == "__main__":
    main()
