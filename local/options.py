"""The options of `python -m local`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from local.emulator import MAX_PORT

DEFAULT_PORT = 4566


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command-line options."""

    port: int
    """Port of the emulator, or the next free one; 0: any free port."""
    json: bool
    """Whether standard output is only the stack's outputs, as one line of JSON."""
    config: dict[str, str]
    """Keys of the stack's config to set."""
    watch: bool
    """Whether to deploy files when they are saved."""
    logs: bool
    """Whether to print the functions' logs."""


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line. Exits with a usage message if it is invalid."""
    parser = argparse.ArgumentParser(prog="python -m local", description="Run the whole chat on this machine.")
    parser.add_argument(
        "--port",
        type=int,
        default=DEFAULT_PORT,
        help=f"port of the emulator (default {DEFAULT_PORT}); if taken, the next free one",
    )
    parser.add_argument("--json", action="store_true", help="print only the stack's outputs, as one line of JSON")
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set a key of the stack's config (docs/configuration.md)",
    )
    parser.add_argument("--no-watch", action="store_true", help="do not deploy files when they are saved")
    parser.add_argument("--logs", action="store_true", help="print the functions' logs; errors are always printed")
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
