"""The steps from `up` to `destroy`, each a claim about the program under the real engine."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from tests.engine.pulumi_cli import STACK, EngineError, PulumiCli


class Cloud(Protocol):
    """The deployed resources, inspected without the CLI."""

    def smoke(self, outputs: dict[str, Any]) -> str:
        """Run the smoke test; return its last line. Raises EngineError if a check fails."""
        ...

    def code(self) -> dict[str, str]:
        """Return function name → digest of its code."""
        ...

    def names(self) -> list[str]:
        """Return the names of all resources."""
        ...


def steps(pulumi: PulumiCli, cloud: Cloud) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield each claim and the function that checks it, which returns a detail or raises EngineError."""
    yield "the stack is created", lambda: _up(pulumi, cloud)
    yield "a second up changes nothing", lambda: pulumi("up", "--yes", "--skip-preview", "--expect-no-changes") and ""
    yield "a preview shows no change", lambda: pulumi("preview", "--expect-no-changes") and ""
    yield "the deployed stack passes smoke", lambda: cloud.smoke(json.loads(pulumi("stack", "output", "--json")))
    yield "a changed source changes the functions", lambda: _change(pulumi, cloud)
    yield "destroy leaves nothing", lambda: _destroy(pulumi, cloud)


def _up(pulumi: PulumiCli, cloud: Cloud) -> str:
    pulumi("stack", "init", STACK)
    pulumi("up", "--yes", "--skip-preview")
    return f"{len(cloud.names())} resources in the emulator"


def _change(pulumi: PulumiCli, cloud: Cloud) -> str:
    before = cloud.code()
    source = pulumi.program / "functions" / "default.py"
    source.write_text(f"{source.read_text(encoding='utf-8')}# changed\n", encoding="utf-8")
    pulumi("up", "--yes", "--skip-preview")
    after = cloud.code()
    stale = sorted(name for name in before if after.get(name) == before[name])
    if stale or not before:
        raise EngineError(f"Functions that still have the old code: {', '.join(stale) or 'there are no functions'}.")
    return f"{len(after)} functions"


def _destroy(pulumi: PulumiCli, cloud: Cloud) -> str:
    pulumi("destroy", "--yes", "--skip-preview")
    if left := cloud.names():
        raise EngineError(f"Left behind: {', '.join(left)}.")
    pulumi("stack", "rm", STACK, "--yes")
    return ""
