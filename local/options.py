"""The options of `python -m local`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

DEFAULT_PORT = 4566
MAX_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the person at the terminal asked for."""

    port: int
    """Port of the emulator; if it is taken, the next free one. 0: any."""
    json: bool
    """Whether to print the outputs as one line of JSON, and nothing else, on standard output."""
    config: dict[str, str]
    """The stack's config."""
    watch: bool
    """Whether to deploy saved files."""
    logs: bool
    """Whether to print what the functions write to their logs."""


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Return the options on the command line. Exits with a usage message if they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m local", description="The whole chat on this machine.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port of the emulator, or the next free one")
    parser.add_argument("--json", action="store_true", help="print the outputs as one line of JSON, nothing else")
    parser.add_argument("--config", action="append", default=[], metavar="KEY=VALUE", help="set the stack's config")
    parser.add_argument("--no-watch", action="store_true", help="do not deploy saved files")
    parser.add_argument("--logs", action="store_true", help="print the functions' logs; faults are always printed")
    given = parser.parse_args(arguments)
    if not 0 <= given.port <= MAX_PORT:
        parser.error(f"--port must be from 0 to {MAX_PORT}, not {given.port}")
    for pair in given.config:
        if "=" not in pair:
            parser.error(f"--config takes KEY=VALUE, not {pair!r}")
    return Options(
        port=given.port,
        json=given.json,
        config=dict(pair.split("=", 1) for pair in given.config),
        watch=not given.no_watch,
        logs=given.logs,
    )
