"""`python -m smoke`: prints one line per check, with what to do if it failed; exits with 0 if none failed."""

import argparse
import os
import sys
from collections import Counter

from smoke import outputs
from smoke.account import AccountChecks, make_client, open_session
from smoke.check import FAILED, PASSED, SKIPPED, Check, Outcome, outcome
from smoke.conversation import ConversationChecks
from smoke.errors import AccountError, OutputsError
from smoke.page import PageChecks
from smoke.sign_in import AccountChatChecks, SignInPageChecks, TokenSource, read_account, sign_in_mode


def main() -> int:
    """Check the given stack."""
    options = _parse_options()
    try:
        stack = outputs.read(options)
    except OutputsError as error:
        print(error, file=sys.stderr)
        return 1
    report = Report()
    account = cognito = None
    if not options.outside_only:
        try:
            session = open_session(stack, options.endpoint_url)
            cognito = make_client(session, "cognito-idp", options.endpoint_url)
            account = AccountChecks(
                stack, session, endpoint_url=options.endpoint_url, retention_days=options.retention_days
            )
        except AccountError as error:
            report.add("AWS answers", Outcome(FAILED, str(error)))
    report.run(*PageChecks(stack).all())
    mode = sign_in_mode(stack)
    token = TokenSource(stack, read_account(os.environ, stack), cognito)
    with ConversationChecks(stack, token if mode == "required" else None) as conversation:
        report.run(*conversation.all())
        if mode != "off":
            report.run(*SignInPageChecks(stack, mode).all())
            with AccountChatChecks(stack, mode, token) as signed_in:
                report.run(*signed_in.all())
        if account is not None:
            report.run(*account.all(lambda: conversation.conversation))
    counts = report.counts
    print(f"\n{counts[PASSED]} passed, {counts[FAILED]} failed, {counts[SKIPPED]} skipped")
    return 1 if counts[FAILED] else 0


class Report:
    """The lines printed so far, counted by result."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def run(self, *checks: Check) -> None:
        """Run checks one after another and print a line for each."""
        for check in checks:
            self.add(check.name, outcome(check.run))

    def add(self, name: str, seen: Outcome) -> None:
        """Print the result of a check."""
        self.counts[seen.result] += 1
        print(f"{seen.result:<5} {name}: {seen.detail}", flush=True)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m smoke",
        description="Check a deployed stack from outside. A stack with accounts needs one to test with: set"
        " SMOKE_USERNAME and SMOKE_PASSWORD.",
    )
    outputs.add_options(parser)
    parser.add_argument("--outside-only", action="store_true", help="skip the checks that need AWS credentials")
    parser.add_argument("--retention-days", type=int, default=7, help="of the logs, as configured (default: 7)")
    parser.add_argument(
        "--endpoint-url",
        default=os.environ.get("AWS_ENDPOINT_URL"),
        help="of an emulator that stands in for AWS",
    )
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (KeyboardInterrupt, BrokenPipeError):  # stopped, or the reader of the output has closed it
        os._exit(1)
