"""A check: its name, and a call that returns a finding, or raises with what to do."""

from collections.abc import Callable
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from websockets.exceptions import WebSocketException

from chat_client.errors import ChatClientError
from smoke.errors import CheckFailedError, CheckSkippedError

PASSED, FAILED, SKIPPED = "ok", "FAIL", "-"


class Check(NamedTuple):
    """One line of the report."""

    name: str
    run: Callable[[], str]


class Outcome(NamedTuple):
    """The result of a check: PASSED, FAILED or SKIPPED, and details."""

    result: str
    detail: str


def outcome(run: Callable[[], str]) -> Outcome:
    """Run a check."""
    try:
        return Outcome(PASSED, run())
    except CheckSkippedError as skipped:
        return Outcome(SKIPPED, f"skipped: {skipped}")
    except (CheckFailedError, ChatClientError) as failed:
        return Outcome(FAILED, str(failed))
    except (BotoCoreError, ClientError) as error:
        return Outcome(FAILED, f"AWS refused: {error}")
    except (OSError, WebSocketException) as error:
        return Outcome(
            FAILED, f"not reached: {error or type(error).__name__}. Is the stack deployed, and is this URL right?"
        )
