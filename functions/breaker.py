"""ChatAppBreaker: when an alarm fires, throttle a stage to nothing and mail how to open it again."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TextIO, TypedDict


class Throttle(TypedDict):
    """The route settings of a stage that the breaker changes."""

    ThrottlingRateLimit: float
    ThrottlingBurstLimit: int


CLOSED: Throttle = {"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0}
"""A stage with these refuses every request with 429 (API Gateway, route settings)."""

_SUBJECT_CHARACTERS = 99  # SNS Publish: fewer than 100
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 2, 5, 3


class AlarmEventError(Exception):
    """An event that is no notification of a CloudWatch alarm."""


class Alarm(NamedTuple):
    """A change of an alarm's state, as CloudWatch publishes it."""

    name: str
    state: str
    """`ALARM`, `OK` or `INSUFFICIENT_DATA`."""
    reason: str
    at: str


class Stage(NamedTuple):
    """The stage to close, and how it is configured while it is open."""

    region: str
    api_id: str
    name: str
    rate_limit: int
    """Requests per second."""
    burst_limit: int
    """Requests at once."""
    endpoint_url: str = ""
    """URL of an emulator that stands in for AWS."""

    @property
    def open_command(self) -> str:
        """The AWS CLI's command that opens the stage."""
        limits = f"ThrottlingRateLimit={self.rate_limit},ThrottlingBurstLimit={self.burst_limit}"
        return self.command(
            f"apigatewayv2 update-stage --api-id {self.api_id} --stage-name {self.name} "
            f"--default-route-settings {limits}"
        )

    def command(self, rest: str) -> str:
        """Return a command of the AWS CLI in the stage's region."""
        endpoint = f" --endpoint-url {self.endpoint_url}" if self.endpoint_url else ""
        return f"aws --region {self.region}{endpoint} {rest}"


class Config(NamedTuple):
    """The function's environment."""

    stage: Stage
    mail_topic_arn: str
    """Topic of the mail; empty: no mail."""
    advice: str
    """What the mail ends with."""


class Gateway(Protocol):
    """What is used of API Gateway's client."""

    def update_stage(self, *, ApiId: str, StageName: str, DefaultRouteSettings: Any) -> Any:  # noqa: N803 - boto3's
        """Change a stage."""
        ...


class Topics(Protocol):
    """What is used of SNS's client."""

    def publish(self, *, TopicArn: str, Subject: str, Message: str) -> Any:  # noqa: N803 - boto3's
        """Publish a message."""
        ...


class Clients(Protocol):
    """The function's clients, and what a test replaces."""

    @property
    def gateway(self) -> Gateway:
        """API Gateway."""
        ...

    @property
    def topics(self) -> Topics:
        """SNS."""
        ...


class BotocoreClients:
    """The clients of a Lambda container, made when they are first needed."""

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
        from botocore.session import Session  # noqa: PLC0415 - a test needs none

        return Session()

    def _client(self, service: str) -> Any:
        from botocore.config import Config as ClientConfig  # noqa: PLC0415 - a test needs none

        limits = ClientConfig(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _TRIES},
        )
        return self._session.create_client(service, config=limits)


class Breaker:
    """The function's `lambda_handler`.

    Whatever fails is raised, so that Lambda invokes the function again: twice after an error, and for up to six hours
    if it was throttled (Lambda, asynchronous invocation). Closing a stage twice does no harm.
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
        """Close the stage if the event says that an alarm fires."""
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
            self._log("not_closed", alarm=alarm.name, error=type(error).__name__)
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
    """Return the alarm's change in an SNS event. Raises AlarmEventError."""
    try:
        given: Any = event
        message = json.loads(given["Records"][0]["Sns"]["Message"])
        name, state = message["AlarmName"], message["NewStateValue"]
        reason, at = message.get("NewStateReason", ""), message.get("StateChangeTime", "")
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise AlarmEventError("the event is no notification of an alarm") from error
    return Alarm(str(name), str(state), str(reason), str(at))


def read_config(environment: Mapping[str, str]) -> Config:
    """Return the config. A missing variable is a fault of the deployment and raises KeyError."""
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
    """Return the mail's text: what happened, and how to open the stage again."""
    stage = config.stage
    return f"""\
The stage {stage.name} of the WebSocket API {stage.api_id} ({stage.region}) is closed: nobody can connect or send.

Alarm: {alarm.name}
Time: {alarm.at}
Reason: {alarm.reason}

Before you open it, wait until the alarm is OK, since it acts only when it changes to ALARM:

{_state_command(stage, alarm)}

Then open it:

{stage.open_command}

{config.advice}""".rstrip()


def failure_mail(stage: Stage, alarm: Alarm, error: Exception) -> str:
    """Return the text of the mail that asks a person to close the stage."""
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
