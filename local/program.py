"""Runs a Pulumi program in this process, with a mock monitor instead of Pulumi's engine."""

import asyncio
import os
import runpy
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import rpc, settings
from pulumi.runtime.config import CONFIG
from pulumi.runtime.mocks import MockMonitor, Mocks, set_mocks
from pulumi.runtime.stack import run_in_stack

from local import ROOT

PROGRAM = ROOT / "__main__.py"
PROJECT = "serverless-chat"


class Monitor(MockMonitor):
    """A mock monitor that also records the stack's outputs."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.outputs: dict[str, Any] = {}

    def RegisterResourceOutputs(self, request: Any) -> empty_pb2.Empty:
        """Record the outputs if they are the stack's."""
        if request.urn.rpartition("::")[0].endswith("::pulumi:pulumi:Stack"):
            self.outputs = whole_numbers(rpc.deserialize_properties(request.outputs))
        return empty_pb2.Empty()


def run_program(
    execute: Callable[[], object],
    monitor: Monitor,
    *,
    stack: str,
    config: Mapping[str, Any],
    preview: bool = False,
) -> None:
    """Run Pulumi code as a stack, registering its resources with `monitor`. Raises what the code raises.

    Config keys without a namespace belong to the project.
    """
    qualified = {key if ":" in key else f"{PROJECT}:{key}": value for key, value in config.items()}
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # the first error is raised; those that follow from it are noise
    asyncio.set_event_loop(loop)
    with _config(qualified):
        try:
            set_mocks(monitor.mocks, project=PROJECT, stack=stack, preview=preview, monitor=monitor)
            settings.set_root_resource(None)  # type: ignore[arg-type] - None resets it for a new stack
            pending: Any = settings.SETTINGS.outputs
            pending.clear()  # left over from a failed run
            loop.run_until_complete(run_in_stack(execute))  # type: ignore[arg-type] - any result is accepted
        finally:
            _close(loop)


def execute_file(program: Path) -> None:
    """Execute a program's file. Modules beside it are reimported each time, so edits take effect."""
    root = str(program.parent)
    beside = {path.stem for path in program.parent.iterdir()}
    before = set(sys.modules)
    sys.path.insert(0, root)
    try:
        runpy.run_path(str(program), run_name="__main__")
    finally:
        sys.path.remove(root)
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in beside:
                del sys.modules[name]


def whole_numbers(value: Any) -> Any:
    """Convert whole floats in a value to integers: Pulumi's wire format has only floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole_numbers(inner) for name, inner in value.items()}
    return [whole_numbers(inner) for inner in value] if isinstance(value, list) else value


@contextmanager
def _config(config: Mapping[str, Any]) -> Iterator[None]:
    """Set Pulumi's config and restore it on exit, ignoring the one that the CLI puts in the environment."""
    from_cli = os.environ.pop("PULUMI_CONFIG", None)
    before = CONFIG.get()
    try:
        pulumi.runtime.set_all_config(dict(config))
        yield
    finally:
        CONFIG.set(before)
        if from_cli is not None:
            os.environ["PULUMI_CONFIG"] = from_cli


def _close(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()
    asyncio.set_event_loop(None)
