"""The breaker, from the alarm to the mail and the command in the mail.

The emulator does not throttle, so it is not tested that a closed stage refuses frames and connections.
"""

import json
import queue
import shlex
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.conftest import Stack, running_stack

WAIT_SECONDS = 20.0
ALARM = "ChatAppBreaker-MessageCount"
OPEN = {"ThrottlingRateLimit": 40.0, "ThrottlingBurstLimit": 80}
CLOSED = {"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0}
CONFIG = ("alert_email=you@example.org", "throttle_rate_limit=40", "throttle_burst_limit=80")


class Mailbox(ThreadingHTTPServer):
    """An HTTP endpoint for SNS, since the emulator sends no mail."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Delivery)
        self.deliveries: queue.Queue[dict[str, str]] = queue.Queue()

    def next(self, subject: str = "") -> dict[str, str]:
        """Return the next delivery whose subject starts with `subject`."""
        while True:
            delivery = self.deliveries.get(timeout=WAIT_SECONDS)
            if delivery.get("Subject", "").startswith(subject):
                return delivery


class Delivery(BaseHTTPRequestHandler):
    """Receives one delivery."""

    def do_POST(self) -> None:
        assert isinstance(self.server, Mailbox)
        self.server.deliveries.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        pass


class Watched:
    """A stack whose stage the breaker closes."""

    def __init__(self, stack: Stack, mailbox: Mailbox) -> None:
        self.stack = stack
        self.mailbox = mailbox
        self._gateway = stack.client("apigatewayv2")
        self._alarms = stack.client("cloudwatch")

    def throttle(self) -> dict[str, Any]:
        api_id, stage = self.stack.outputs["api_id"], self.stack.outputs["stage"]
        return self._gateway.get_stage(ApiId=api_id, StageName=stage)["DefaultRouteSettings"]

    def alarm(self, state: str) -> None:
        self._alarms.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason=f"a test says {state}")

    def run(self, command: str) -> None:
        """Make the request that an `aws apigatewayv2 update-stage` command would make."""
        words = shlex.split(command)
        options = {word: words[place + 1] for place, word in enumerate(words) if word.startswith("--")}
        given = {word for pair in options.items() for word in pair}
        assert [word for word in words if word not in given] == ["aws", "apigatewayv2", "update-stage"]
        assert options["--endpoint-url"] == self.stack.endpoint_url
        settings = dict(one.split("=") for one in options["--default-route-settings"].split(","))
        self._gateway.update_stage(
            ApiId=options["--api-id"],
            StageName=options["--stage-name"],
            DefaultRouteSettings={
                "ThrottlingRateLimit": float(settings["ThrottlingRateLimit"]),
                "ThrottlingBurstLimit": int(settings["ThrottlingBurstLimit"]),
            },
        )


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    server = Mailbox()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = [word for each in CONFIG for word in ("--config", each)]
    with running_stack("--no-watch", *options) as stack:
        topics, topic = stack.client("sns"), stack.outputs["resources"]["ChatAppBreaker-Mail"]
        topics.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"http://127.0.0.1:{server.server_port}/")
        topics.confirm_subscription(TopicArn=topic, Token=server.next()["Token"])
        yield Watched(stack, server)
    server.shutdown()
    server.server_close()


def test_an_alarm_closes_the_stage_until_the_command_in_the_mail_opens_it(watched: Watched) -> None:
    assert watched.throttle() == OPEN
    watched.alarm("ALARM")
    mail = watched.mailbox.next("Closed")
    assert watched.throttle() == CLOSED
    assert mail["Subject"] == f"Closed: stage production of {watched.stack.outputs['api_id']}"
    assert "a test says ALARM" in mail["Message"]
    watched.alarm("OK")
    assert watched.throttle() == CLOSED, "only a person opens the stage"
    (command,) = [line for line in mail["Message"].splitlines() if "update-stage" in line]
    watched.run(command)
    assert watched.throttle() == OPEN
    watched.alarm("ALARM")
    watched.mailbox.next("Closed")
    assert watched.throttle() == CLOSED, "the next alarm closes it again"
