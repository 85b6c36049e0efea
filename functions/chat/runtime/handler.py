"""The entry points: an event in, a status and perhaps a frame out. Nothing is ever raised."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from chat.protocol import errors
from chat.protocol.errors import FrameError
from chat.protocol.events import OK, Reply, Request, read_request, reply
from chat.protocol.frames_in import answered, decode
from chat.runtime.config import read_config
from chat.runtime.context import Container, Context, Services, SystemClock
from chat.runtime.logging import Log

Operation: TypeAlias = Callable[[Context, Request], Reply]


class EntryPoint:
    """A function's `lambda_handler`.

    `operations` maps an action to its operation; the key "" stands for any frame, or for an event without one.
    `has_frame` says whether the event carries a frame. On Lambda the container's clients are made at once, while it
    starts: then it has a whole CPU, whatever its memory (docs/decisions/0006).
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
            container = self._kept_container()
            first = Context(container, None)
            _ = first.store if uses_store else None
            _ = (first.broadcast, container.poster) if posts else None

    def __call__(self, event: object, lambda_context: object) -> Reply:
        """Answer an event."""
        try:
            services = self._kept_container()
        except Exception as error:  # noqa: BLE001 - a fault of the deployment, which a peer is not told of
            log = Log(lambda: sys.stdout, SystemClock().now_ms)
            log.bind(event, lambda_context)
            log.fault(error)
            return reply(errors.error_frame(errors.internal(), **_repeated(event)), errors.internal().status)
        return self.answer(services, event, lambda_context)

    def answer(self, services: Services, event: object, lambda_context: object) -> Reply:
        """Answer an event with the services given."""
        context = Context(services, lambda_context)
        context.log.bind(event, lambda_context)
        known: dict[str, str | None] = {}
        try:
            request = read_request(event, context.clock.now_ms())
            if self._has_frame:
                request = request._replace(fields=decode(request.event))
            return self._operation(request.fields, known)(context, request)
        except FrameError as refused:
            error = refused
            context.log.event("refused", code=error.code, refused=1)
        except Exception as fault:  # noqa: BLE001 - the last line of defence; nothing of it is told to a peer
            context.log.fault(fault)
            if "broadcast" in vars(context) and context.broadcast.has_answered:
                return OK  # what failed concerns others, who look for what they miss
            error = errors.internal()
        return reply(errors.error_frame(error, **known), error.status)

    def _operation(self, fields: dict[str, Any], known: dict[str, str | None]) -> Operation:
        """Return the operation that a frame asks for, and note in `known` what an error repeats of the frame."""
        known |= answered(fields)
        action = fields.get("action")
        if isinstance(action, str) and action in self._operations:
            known["action"] = action
            return self._operations[action]
        if "" not in self._operations:
            raise errors.bad_request()
        return self._operations[""]

    def _kept_container(self) -> Container:
        """Return the container's services; they are made anew only if the environment has changed."""
        config = read_config(os.environ)
        if self._container is None or self._container.config != config:
            self._container = Container(config)
        return self._container


def _repeated(event: object) -> dict[str, str | None]:
    """Return what an error repeats of the frame in an event that could not be handled."""
    try:
        return answered(decode(read_request(event, 0).event))
    except FrameError:
        return {}
