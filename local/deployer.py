"""Runs the Pulumi program and creates the resources it registers in the emulator.

Later runs apply only the differences, so a saved file goes live quickly.
"""

import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

from local.errors import DeployError
from local.program import PROGRAM, Monitor, execute_file, run_program, whole_numbers
from local.resources import LEFT_OUT, LEFT_OUT_TYPES, RESOURCES, Aws, call


@dataclass(frozen=True, slots=True)
class Deployed:
    """A resource that exists in the emulator."""

    type: str
    """Pulumi type token."""
    name: str
    """Logical name."""
    inputs: dict[str, Any]
    """Inputs, with files and archives replaced by digests."""
    id: str
    """Pulumi's id of the resource."""
    outputs: dict[str, Any]
    """Inputs, and the attributes that AWS added."""


class Deployer:
    """Deploys a program to an emulator as one stack."""

    def __init__(self, aws: Aws, config: dict[str, str], stack: str, program: Path = PROGRAM) -> None:
        self.config = config
        """Config for the next run."""
        self.deployed: dict[str, Deployed] = {}
        """Type and logical name → deployed resource."""
        self.changes: list[str] = []
        """Resources that the last run created, updated or deleted."""
        self._aws = aws
        self._stack = stack
        self._program = program

    def run(self, *, hold: str | None = None) -> dict[str, Any]:
        """Run the program; return its outputs. Resources of type `hold` are not updated.

        Raises DeployError; resources deployed before the error remain.
        """
        run = _Run(self._aws, self.deployed, hold)
        self.changes = run.changes
        monitor = Monitor(run)
        try:
            run_program(lambda: execute_file(self._program), monitor, stack=self._stack, config=self.config)
        except pulumi.RunError as refused:
            raise DeployError(str(refused)) from None
        except Exception as error:
            # Resources that depend on a failed one fail too, and any of these errors may arrive first.
            raise run.error or DeployError(f"{type(error).__name__}: {error}") from error
        run.delete_rest()
        return monitor.outputs


class _Run(Mocks):
    """One run: compares registered resources with deployed ones."""

    def __init__(self, aws: Aws, deployed: dict[str, Deployed], hold: str | None) -> None:
        self.changes: list[str] = []
        self.error: DeployError | None = None
        """Error of the first resource that failed."""
        self._aws = aws
        self._deployed = deployed
        self._hold = hold
        self._registered: set[str] = set()
        self._lock = threading.Lock()

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return call(args.token), []

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if not args.custom:
            return "", dict(args.inputs)
        if args.typ in LEFT_OUT_TYPES:
            return args.name, dict(args.inputs)
        try:
            with self._lock:  # one at a time: the emulator gets no concurrent requests
                deployed = self._deploy(args)
        except DeployError as error:
            self.error = self.error or error
            raise
        except Exception as error:
            self.error = self.error or DeployError(f"{args.name} could not be deployed: {error}")
            raise
        return deployed.id, deployed.outputs

    def delete_rest(self) -> None:
        """Delete resources that the program no longer registers, dependents first.

        Raises DeployError for a type that cannot be deleted.
        """
        for key in [key for key in reversed(self._deployed) if key not in self._registered]:
            gone = self._deployed[key]
            delete = RESOURCES[gone.type].delete
            if delete is None:
                raise DeployError(f"{gone.name} was removed; restart the local run to apply the change.")
            delete(self._aws, gone.id, gone.inputs)
            del self._deployed[key]
            self.changes.append(f"{gone.name} deleted")

    def _deploy(self, args: MockResourceArgs) -> Deployed:
        resource = RESOURCES.get(args.typ)
        if resource is None:
            raise DeployError(f"The local deployer does not support the resource type {args.typ} ({args.name}).")
        inputs = {name: whole_numbers(value) for name, value in args.inputs.items() if (args.typ, name) not in LEFT_OUT}
        if unsupported := resource.unsupported(set(inputs)):
            raise DeployError(f"The local deployer does not support the property {min(unsupported)} of {args.typ}.")
        key = f"{args.typ} {args.name}"
        self._registered.add(key)
        comparable = json.loads(json.dumps(inputs, default=_digest, sort_keys=True))
        before = self._deployed.get(key)
        if before is None:
            created = resource.create(self._aws, **inputs)
        elif before.inputs == comparable or args.typ == self._hold:
            return before
        elif resource.update is None:
            raise DeployError(f"{args.name} cannot be updated in place; restart the local run to apply the change.")
        else:
            created = resource.update(self._aws, **inputs)
        deployed = Deployed(args.typ, args.name, comparable, created.id, {**args.inputs, **created.outputs})
        self._deployed[key] = deployed
        self.changes.append(f"{args.name} {'created' if before is None else 'updated'}")
        return deployed


def _digest(value: object) -> str:
    """Return a digest of the content of a file or an archive."""
    digest = hashlib.sha256()
    if isinstance(value, pulumi.FileAsset):
        digest.update(Path(value.path).read_bytes())
    elif isinstance(value, pulumi.FileArchive):
        for path in sorted(Path(value.path).rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(value.path)}\n".encode() + path.read_bytes())
    else:
        raise TypeError(f"inputs of type {type(value).__name__} are not supported")
    return digest.hexdigest()
