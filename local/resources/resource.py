"""Shared by all resource types: boto3 clients, and how a type is created, updated and deleted."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from local.emulator import REGION, Credentials


def open_session(credentials: Credentials) -> boto3.Session:
    """Return a boto3 session for the emulator's root user."""
    return boto3.Session(credentials.access_key_id, credentials.secret_access_key, region_name=REGION)


class Aws:
    """The emulator's boto3 clients, each created once. boto3 validates requests against AWS's API models."""

    def __init__(self, url: str, session: boto3.Session) -> None:
        self._url = url
        self._session: Any = session
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return the client for a service."""
        if service not in self._clients:
            config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}, read_timeout=10)
            self._clients[service] = self._session.client(service, endpoint_url=self._url, config=config)
        return self._clients[service]


@dataclass(frozen=True, slots=True)
class Created:
    """A resource that was created or updated."""

    id: str
    """Pulumi's id of the resource."""
    outputs: dict[str, Any]
    """Attributes that AWS added to the inputs, under Pulumi's names."""


@dataclass(frozen=True, slots=True)
class Resource:
    """How a type is created, updated in place and deleted. None: only by restarting the local run."""

    create: Callable[..., Created]
    """Called with the clients and the inputs."""
    update: Callable[..., Created] | None = None
    """Called like `create`."""
    delete: Callable[[Aws, str, dict[str, Any]], None] | None = None
    """Called with the clients, the id and the inputs."""

    def unsupported(self, properties: set[str]) -> set[str]:
        """Return the properties that `create` does not support."""
        supported = inspect.signature(self.create).parameters.values()
        return properties - {parameter.name for parameter in supported if parameter.kind is parameter.KEYWORD_ONLY}


def given(**parameters: Any) -> dict[str, Any]:
    """Return the parameters that are not None."""
    return {name: value for name, value in parameters.items() if value is not None}


def capitalized(value: Any) -> Any:
    """Capitalize the names in nested inputs, as AWS's APIs expect."""
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: capitalized(inner) for name, inner in value.items()}
    return [capitalized(inner) for inner in value] if isinstance(value, list) else value
