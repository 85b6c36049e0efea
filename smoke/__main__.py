"""`python -m smoke`: one line a check, pass or fail with what to do; exit status 0 if none failed."""

import argparse
import os
import sys

from smoke import outputs
from smoke.account import Account, NoAccount
from smoke.checks import Checks, outcome


def main() -> int:
    """Check the stack that the options name."""
    parser = argparse.ArgumentParser(prog="python -m smoke", description="A deployed stack, checked from outside.")
    outputs.add_options(parser)
    parser.add_argument("--outside-only", action="store_true", help="ask AWS nothing: no credentials are needed")
    parser.add_argument("--retention-days", type=int, default=7, help="of the logs, as configured (default: 7)")
    parser.add_argument(
        "--endpoint-url",
        default=os.environ.get("AWS_ENDPOINT_URL"),
        help="of an emulator that stands in for AWS",
    )
    options = parser.parse_args()
    try:
        known = outputs.read(options)
    except outputs.NoOutputs as missing:
        print(missing, file=sys.stderr)
        return 1
    counts = {"ok": 0, "FAIL": 0, "-": 0}
    account = None
    if not options.outside_only:
        try:
            account = Account(known, endpoint_url=options.endpoint_url, retention_days=options.retention_days)
        except NoAccount as missing:
            _report(counts, "FAIL", "AWS answers", str(missing))
    with Checks(known, account) as checks:
        for name, check in checks.all():
            _report(counts, *_named(name, outcome(check)))
    print(f"\n{counts['ok']} passed, {counts['FAIL']} failed, {counts['-']} left out")
    return 1 if counts["FAIL"] else 0


def _named(name: str, seen: tuple[str, str]) -> tuple[str, str, str]:
    return seen[0], name, seen[1]


def _report(counts: dict[str, int], result: str, name: str, detail: str) -> None:
    counts[result] += 1
    print(f"{result:<5} {name}: {detail}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (KeyboardInterrupt, BrokenPipeError):  # nobody waits for the rest
        os._exit(1)
