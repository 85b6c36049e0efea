"""Entry point of a function: runs an operation for an event and turns every error into a reply."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from chat.protocol import errors
from chat.protocol.errors import FrameError
from chat.protocol.events import OK, Reply, Request, read_request, reply
from chat.protocol.frames_in import decode, echoed_fields
from chat.runtime.config import read_config
from chat.runtime.context import Container, Context, Services, SystemClock
from chat.runtime.logging import Log

Operation: TypeAlias = Callable[[Context, Request], Reply]


class EntryPoint:
    """A function's `lambda_handler`.

    `operations` maps an action to its operation; the key "" matches any other frame, or an event without one.
    `has_frame` says whether the event carries a frame. On Lambda the clients are created during init, when the
    function has a full CPU whatever its memory (docs/decisions/0006).
    """

    def __init__(
        self,
        operations: Mapping[str, Operation],
        *,
        has_frame: bool = True,
        uses_store: bool = True,
        posts: bool = False,
    ) -> None:
        self._operations = operations
        self._has_frame = has_frame
        self._container: Container | None = None
        if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
            container = self._current_container()
            first = Context(container, None)
            _ = first.store if uses_store else None
            if uses_store and container.config.sign_in is not None:
                _ = (first.store.accounts, first.store.private_rooms)
            _ = (first.broadcast, container.poster) if posts else None

    def __call__(self, event: object, lambda_context: object) -> Reply:
        """Answer an event."""
        try:
            services = self._current_container()
        except Exception as error:  # noqa: BLE001 - a broken deployment, hidden from the client
            log = Log(lambda: sys.stdout, SystemClock().now_ms)
            log.bind(event, lambda_context)
            log.fault(error)
            return reply(errors.error_frame(errors.internal(), **_echoed_fields(event)), errors.internal().status)
        return self.answer(services, event, lambda_context)

    def answer(self, services: Services, event: object, lambda_context: object) -> Reply:
        """Answer an event with the given services."""
        context = Context(services, lambda_context)
        context.log.bind(event, lambda_context)
        echoed: dict[str, str | None] = {}
        request: Request | None = None
        try:
            request = read_request(event, context.clock.now_ms())
            if self._has_frame:
                request = request._replace(fields=decode(request.event))
            return self._operation(request.fields, echoed, accounts=services.config.sign_in is not None)(
                context, request
            )
        except FrameError as refused:
            error = self._first_sign_in(context, request, echoed) or refused
            context.log.event("refused", code=error.code, refused=1)
        except Exception as fault:  # noqa: BLE001 - the last line of defence; hidden from the client
            context.log.fault(fault)
            if "broadcast" in vars(context) and context.broadcast.has_answered:
                return OK  # the failure affects others, who fetch what they miss
            error = errors.internal()
        return reply(errors.error_frame(error, **echoed), error.status)

    def _operation(self, fields: dict[str, Any], echoed: dict[str, str | None], *, accounts: bool) -> Operation:
        """Return the operation for a frame; add to `echoed` the fields that an error repeats."""
        echoed |= echoed_fields(fields, private=accounts)
        action = fields.get("action")
        if isinstance(action, str) and action in self._operations:
            echoed["action"] = action
            return self._operations[action]
        if "" not in self._operations:
            raise errors.bad_request()
        return self._operations[""]

    @staticmethod
    def _first_sign_in(
        context: Context, request: Request | None, echoed: Mapping[str, str | None]
    ) -> FrameError | None:
        """Return `sign_in_required` for a refused frame of a connection that must sign in first, whatever its fault.

        So a stranger learns nothing from refusals. A `signin` has its own, and so has a frame without a route.
        """
        settings = context.config.sign_in
        if settings is None or not settings.is_required or request is None:
            return None
        if echoed.get("action", "signin") == "signin":
            return None
        from chat.operations.membership import require_sign_in  # noqa: PLC0415 - $default does without

        try:
            connection = context.store.connections.load(request.connection_id, request.connected_ms)
            require_sign_in(context, connection)
        except FrameError as required:
            return required
        except Exception as fault:  # noqa: BLE001 - the refusal stands
            context.log.fault(fault)
        return None

    def _current_container(self) -> Container:
        """Return the container; create a new one if the environment has changed."""
        config = read_config(os.environ)
        if self._container is None or self._container.config != config:
            self._container = Container(config)
        return self._container


def _echoed_fields(event: object) -> dict[str, str | None]:
    """Return the fields that an error repeats from an event that could not be handled."""
    try:
        return echoed_fields(decode(read_request(event, 0).event))
    except FrameError:
        return {}
