"""Runs the very Pulumi program under Pulumi's mock monitor, and makes what it registers. It knows no resource type.

A second run changes only what differs from the first: that is how a saved file goes live.
"""

import asyncio
import hashlib
import json
import runpy
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.stack import run_in_stack

from local.resources import LEFT_OUT, RESOURCES, Aws, call

PROGRAM = Path(__file__).resolve().parent.parent / "__main__.py"


class DeployFailed(Exception):  # noqa: N818 - said to a person, in one sentence
    """The program was refused or could not be put into the emulator; the text says why."""


@dataclass(frozen=True, slots=True)
class Made:
    """A resource as it was made."""

    type: str
    inputs: dict[str, Any]
    id: str
    outputs: dict[str, Any]


class Deployer:
    """Puts the program into an emulator, as the stack `stack` with `config`."""

    def __init__(self, aws: Aws, config: dict[str, str], stack: str) -> None:
        self._aws = aws
        self._config = config
        self._stack = stack
        self.made: dict[str, Made] = {}
        """By type and logical name."""
        self.changes: list[str] = []
        """What the last run made, changed or removed."""

    def run(self, *, hold: str | None = None) -> dict[str, Any]:
        """Run the program; return its outputs. Raises DeployFailed, and then leaves what was made.

        Resources of the type `hold` that are made already are left as they are.
        """
        run = _Run(self._aws, self.made, hold)
        self.changes = run.changes
        monitor = _Monitor(run)
        pulumi.runtime.set_all_config({f"serverless-chat:{key}": value for key, value in self._config.items()})
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)  # of what fails together, one reason is told
        asyncio.set_event_loop(loop)
        try:
            set_mocks(run, project="serverless-chat", stack=self._stack, preview=False, monitor=monitor)
            pulumi.runtime.settings.set_root_resource(None)  # type: ignore[arg-type] - a new stack begins
            waiting: Any = pulumi.runtime.settings.SETTINGS.outputs
            waiting.clear()  # what a run that failed has left
            loop.run_until_complete(_run_in_stack(lambda: _execute(PROGRAM)))
        except pulumi.RunError as refused:
            raise DeployFailed(str(refused)) from None
        except Exception as error:
            # Whatever waited for what was refused fails too, and any of these may come first.
            raise run.refused or DeployFailed(f"{type(error).__name__}: {error}") from error
        finally:
            _close(loop)
        for key in [key for key in self.made if key not in run.seen]:
            gone = self.made.pop(key)
            RESOURCES[gone.type].remove(self._aws, gone.id, gone.inputs)
            self.changes.append(f"{key.partition(' ')[2]} removed")
        return monitor.outputs


async def _run_in_stack(execute: Callable[[], None]) -> None:
    """Run the program in a stack. Raises what it raises, and does not wait for outputs that it then never gave."""
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def executed() -> None:
        try:
            execute()
        except BaseException as error:
            failed.set_exception(error)
            raise

    running = asyncio.ensure_future(run_in_stack(executed))
    done, _ = await asyncio.wait({running, failed}, return_when=asyncio.FIRST_COMPLETED)
    for one in done:
        one.result()


def _close(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()


def _execute(program: Path) -> None:
    root = str(program.parent)
    if root not in sys.path:
        sys.path.insert(0, root)
    runpy.run_path(str(program), run_name="__main__")


class _Monitor(MockMonitor):
    """The mock monitor, which also keeps the stack's outputs."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.outputs: dict[str, Any] = {}

    def RegisterResourceOutputs(self, request: Any) -> empty_pb2.Empty:
        if "pulumi:pulumi:Stack" in request.urn:
            self.outputs = dict(rpc.deserialize_properties(request.outputs))
        return empty_pb2.Empty()


class _Run(Mocks):
    """One run: what it registers is compared with what is there."""

    def __init__(self, aws: Aws, made: dict[str, Made], hold: str | None) -> None:
        self._aws = aws
        self._made = made
        self._hold = hold
        self._lock = threading.Lock()
        self.seen: set[str] = set()
        self.changes: list[str] = []
        self.refused: DeployFailed | None = None
        """The first resource that could not be made."""

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return call(self._aws, args.token), []

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if not args.custom:
            return "", dict(args.inputs)
        try:
            with self._lock:  # one after the other, so that the emulator sees one order
                return self._make(args)
        except DeployFailed as refused:
            self.refused = self.refused or refused
            raise
        except Exception as error:
            self.refused = self.refused or DeployFailed(f"{args.name} was not made: {error}")
            raise

    def _make(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        resource = RESOURCES.get(args.typ)
        if resource is None:
            raise DeployFailed(f"The local deployer does not know the resource type {args.typ} ({args.name}).")
        key = f"{args.typ} {args.name}"
        self.seen.add(key)
        inputs = {name: _whole(value) for name, value in args.inputs.items() if (args.typ, name) not in LEFT_OUT}
        comparable = json.loads(json.dumps(inputs, default=_fingerprint, sort_keys=True))
        before = self._made.get(key)
        if before is not None and (before.inputs == comparable or args.typ == self._hold):
            return before.id, before.outputs
        make = resource.create
        extra = {}
        if before is not None:
            if resource.update is None:
                raise DeployFailed(f"{args.name} has changed in a way that needs a new start of the local run.")
            make, extra = resource.update, {"id_": before.id, "outputs": before.outputs}
        try:
            id_, outputs = make(self._aws, **extra, **inputs)
        except TypeError as error:
            if "unexpected keyword argument" in str(error):
                name = str(error).rpartition(" ")[2]
                raise DeployFailed(f"The local deployer does not know the property {name} of {args.typ}.") from None
            raise
        outputs = {**args.inputs, **outputs}
        self._made[key] = Made(args.typ, comparable, id_, outputs)
        self.changes.append(f"{args.name} {'changed' if before else 'made'}")
        return id_, outputs


def _whole(value: Any) -> Any:
    """Return whole numbers as such: on Pulumi's wire every number is a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    return [_whole(inner) for inner in value] if isinstance(value, list) else value


def _fingerprint(value: object) -> str:
    """Return what tells one asset's content from another's."""
    digest = hashlib.sha256()
    if isinstance(value, pulumi.FileAsset):
        digest.update(Path(value.path).read_bytes())
    elif isinstance(value, pulumi.FileArchive):
        for path in sorted(Path(value.path).rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(value.path)}\n".encode() + path.read_bytes())
    else:
        raise TypeError(f"an input of type {type(value).__name__} is not known")
    return digest.hexdigest()
