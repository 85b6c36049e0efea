"""The log lines of a function's invocation, and the error that ended it."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Self

_FRAME = re.compile(r'File "(?:.*/)?([^/"]+)", line (\d+)')


@dataclass(frozen=True)
class Invocation:
    """One invocation of a function."""

    function: str
    """Name of the function."""
    lines: list[str]
    """Log lines."""
    fault: str = ""
    """The error in one line; empty if there was none."""

    @classmethod
    def of(cls, function: str, response: dict[str, Any]) -> Self:
        """Read a worker's response: its `log` and, unless `status` is `ok`, its `error` and `trace`."""
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
        """Parse what `to_json` returned."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Return the invocation as one line of JSON."""
        return json.dumps(asdict(self))

    def report(self, *, logs: bool) -> list[str]:
        """Return the lines for the terminal: the error, preceded by the log if `logs` is set."""
        fault = [f"  {self.function} failed: {self.fault}"] if self.fault else []
        return [*(f"  {self.function}  {line}" for line in (self.lines if logs else ())), *fault]


def _logged_fault(line: str) -> str:
    """Return the error of a `fault` event in the functions' log; empty for other lines."""
    try:
        event = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(event, dict) or event.get("event") != "fault":
        return ""
    places = event.get("at") or [""]
    return " ".join(filter(None, [event.get("error"), event.get("code"), places[-1] and f"at {places[-1]}"]))
