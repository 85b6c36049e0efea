"""An output that is known only later in the program, for two components that need each other. It knows no resource."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pulumi


@contextmanager
def promised_output() -> Iterator[tuple[pulumi.Output[Any], Callable[[pulumi.Output[Any]], None]]]:
    """Yield an output, and the function that says, once and before the block ends, which output it is.

    Where the block raises, whatever waits for the output fails too: pulumi.deferred_output alone would have
    `pulumi up` wait for ever, without a word of the error.
    """
    output, keep = pulumi.deferred_output()
    try:
        yield output, keep
    except BaseException as error:
        reason = error

        def fail(_: None) -> NoReturn:
            raise reason

        keep(pulumi.Output.from_input(None).apply(fail))
        raise
