"""ChatAppBreaker: on an alarm, close a stage by throttling it to zero, and mail how to reopen it."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TextIO, TypedDict


class Throttle(TypedDict):
    """The stage's route settings that the breaker changes."""

    ThrottlingRateLimit: float
    ThrottlingBurstLimit: int


CLOSED: Throttle = {"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0}
"""With these settings a stage rejects every request with 429 (API Gateway, route settings)."""

_SUBJECT_CHARACTERS = 99  # SNS Publish: fewer than 100
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 2, 5, 3


class AlarmEventError(Exception):
    """The event is not a CloudWatch alarm notification."""


class Alarm(NamedTuple):
    """An alarm state change, as CloudWatch publishes it."""

    name: str
    state: str
    """`ALARM`, `OK` or `INSUFFICIENT_DATA`."""
    reason: str
    at: str


class Stage(NamedTuple):
    """The stage to close, and its settings when open."""

    region: str
    api_id: str
    name: str
    rate_limit: int
    """Requests per second."""
    burst_limit: int
    """Concurrent requests."""
    endpoint_url: str = ""
    """Emulator URL; empty for AWS."""

    @property
    def open_command(self) -> str:
        """AWS CLI command that opens the stage."""
        limits = f"ThrottlingRateLimit={self.rate_limit},ThrottlingBurstLimit={self.burst_limit}"
        return self.command(
            f"apigatewayv2 update-stage --api-id {self.api_id} --stage-name {self.name} "
            f"--default-route-settings {limits}"
        )

    def command(self, rest: str) -> str:
        """Return an AWS CLI command for the stage's region."""
        endpoint = f" --endpoint-url {self.endpoint_url}" if self.endpoint_url else ""
        return f"aws --region {self.region}{endpoint} {rest}"


class Config(NamedTuple):
    """The function's environment."""

    stage: Stage
    mail_topic_arn: str
    """SNS topic for the mail; empty for no mail."""
    advice: str
    """Text that ends the mail."""


class Gateway(Protocol):
    """The part of API Gateway's client that the breaker uses."""

    def update_stage(self, *, ApiId: str, StageName: str, DefaultRouteSettings: Any) -> Any:  # noqa: N803 - boto3's
        """Change a stage."""
        ...


class Topics(Protocol):
    """The part of SNS's client that the breaker uses."""

    def publish(self, *, TopicArn: str, Subject: str, Message: str) -> Any:  # noqa: N803 - boto3's
        """Publish a message."""
        ...


class Clients(Protocol):
    """The function's clients; tests pass their own."""

    @property
    def gateway(self) -> Gateway:
        """API Gateway."""
        ...

    @property
    def topics(self) -> Topics:
        """SNS."""
        ...


class BotocoreClients:
    """The clients of a Lambda container, created on first use."""

    @cached_property
    def gateway(self) -> Gateway:
        """API Gateway."""
        return self._client("apigatewayv2")

    @cached_property
    def topics(self) -> Topics:
        """SNS."""
        return self._client("sns")

    @cached_property
    def _session(self) -> Any:
        from botocore.session import Session  # noqa: PLC0415 - tests pass their own clients

        return Session()

    def _client(self, service: str) -> Any:
        from botocore.config import Config as ClientConfig  # noqa: PLC0415 - tests pass their own clients

        limits = ClientConfig(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _TRIES},
        )
        return self._session.create_client(service, config=limits)


class Breaker:
    """The function's `lambda_handler`.

    Errors are raised, so Lambda retries the invocation: twice after an error, and for up to six hours if throttled
    (Lambda, asynchronous invocation). Closing a stage twice is harmless.
    """

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        clients: Clients | None = None,
        stream: Callable[[], TextIO] = lambda: sys.stdout,
    ) -> None:
        self._environment = environment
        self._clients = clients or BotocoreClients()
        self._stream = stream

    def __call__(self, event: object, _lambda_context: object) -> None:
        """Close the stage if the event reports an alarm in state ALARM."""
        try:
            alarm = parse(event)
        except AlarmEventError as error:
            self._log("ignored", reason=str(error))
            return
        if alarm.state != "ALARM":
            self._log("ignored", reason=f"the state is {alarm.state}", alarm=alarm.name)
            return
        config = read_config(self._environment)
        stage = config.stage
        try:
            self._clients.gateway.update_stage(
                ApiId=stage.api_id, StageName=stage.name, DefaultRouteSettings={**CLOSED}
            )
        except Exception as error:
            self._log("close_failed", alarm=alarm.name, error=type(error).__name__)
            self._mail(config, f"Not closed: stage {stage.name} of {stage.api_id}", failure_mail(stage, alarm, error))
            raise
        self._log("closed", alarm=alarm.name, reason=alarm.reason, open=stage.open_command)
        self._mail(config, f"Closed: stage {stage.name} of {stage.api_id}", closed_mail(config, alarm))

    def _mail(self, config: Config, subject: str, text: str) -> None:
        if config.mail_topic_arn:
            self._clients.topics.publish(
                TopicArn=config.mail_topic_arn, Subject=subject[:_SUBJECT_CHARACTERS], Message=text
            )

    def _log(self, name: str, **fields: str) -> None:
        self._stream().write(json.dumps({"event": name, **fields}) + "\n")


def parse(event: object) -> Alarm:
    """Return the alarm state change in an SNS event. Raises AlarmEventError."""
    try:
        given: Any = event
        message = json.loads(given["Records"][0]["Sns"]["Message"])
        name, state = message["AlarmName"], message["NewStateValue"]
        reason, at = message.get("NewStateReason", ""), message.get("StateChangeTime", "")
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise AlarmEventError("the event is not an alarm notification") from error
    return Alarm(str(name), str(state), str(reason), str(at))


def read_config(environment: Mapping[str, str]) -> Config:
    """Return the config. Raises KeyError if a variable is missing: the deployment is broken."""
    return Config(
        stage=Stage(
            region=environment["AWS_REGION"],
            api_id=environment["API_ID"],
            name=environment["STAGE_NAME"],
            rate_limit=int(environment["OPEN_RATE_LIMIT"]),
            burst_limit=int(environment["OPEN_BURST_LIMIT"]),
            endpoint_url=environment.get("AWS_ENDPOINT_URL", ""),
        ),
        mail_topic_arn=environment.get("MAIL_TOPIC_ARN", ""),
        advice=environment.get("ADVICE", ""),
    )


def closed_mail(config: Config, alarm: Alarm) -> str:
    """Return the text of the mail that reports the closed stage and how to reopen it."""
    stage = config.stage
    return f"""\
The stage {stage.name} of the WebSocket API {stage.api_id} ({stage.region}) is closed: no one can connect or send.

Alarm: {alarm.name}
Time: {alarm.at}
Reason: {alarm.reason}

Before you reopen it, wait until the alarm is OK; it acts only when it changes to ALARM:

{_state_command(stage, alarm)}

Then reopen the stage:

{stage.open_command}

{config.advice}""".rstrip()


def failure_mail(stage: Stage, alarm: Alarm, error: Exception) -> str:
    """Return the text of the mail that asks for the stage to be closed by hand."""
    closing = stage._replace(rate_limit=0, burst_limit=0).open_command
    return f"""\
The alarm {alarm.name} has fired, but the stage {stage.name} of the WebSocket API {stage.api_id} ({stage.region})
could not be closed: {type(error).__name__}: {error}

Reason for the alarm: {alarm.reason}

Close it by hand:

{closing}"""


def _state_command(stage: Stage, alarm: Alarm) -> str:
    return stage.command(
        f"cloudwatch describe-alarms --alarm-names {alarm.name} --query 'MetricAlarms[].StateValue' --output text"
    )


lambda_handler = Breaker()
