"""What a function wrote to its log, and the fault that ended it: told at the terminal, and kept in its log group."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Self

_FRAME = re.compile(r'File "(?:.*/)?([^/"]+)", line (\d+)')


@dataclass(frozen=True)
class Invocation:
    """One run of a function."""

    function: str
    """Its name."""
    lines: list[str]
    """What it wrote."""
    fault: str = ""
    """What went wrong, in one line; empty if nothing did."""

    @classmethod
    def of(cls, function: str, response: dict[str, Any]) -> Self:
        """Return what a worker's response tells: its `log`, and if `status` is not `ok` its `error` and `trace`."""
        lines = str(response.get("log") or "").splitlines()
        if response.get("status") == "ok":
            return cls(function, lines, "; ".join(filter(None, map(_logged_fault, lines))))
        trace = str(response.get("trace") or "").splitlines()
        fault = trace[-1] if trace else str(response.get("error") or "Unknown error")
        places = _FRAME.findall("\n".join(trace))
        at = f" ({places[-1][0]}, line {places[-1][1]})" if places else ""
        return cls(function, [*lines, f"[ERROR] {fault}", *trace], fault + at)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what `to_json` made a line of."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))

    def told(self, *, logs: bool) -> list[str]:
        """Return the lines for the terminal: the fault, and all that was written if the person asked for `logs`."""
        fault = [f"  {self.function} failed: {self.fault}"] if self.fault else []
        return [*(f"  {self.function}  {line}" for line in (self.lines if logs else ())), *fault]


def _logged_fault(line: str) -> str:
    """Return the fault that a line of the chat's own log tells, or an empty string."""
    try:
        event = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(event, dict) or event.get("event") != "fault":
        return ""
    places = event.get("at") or [""]
    return " ".join(filter(None, [event.get("error"), event.get("code"), places[-1] and f"at {places[-1]}"]))
