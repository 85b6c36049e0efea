"""The DynamoDB client: botocore's, made to start and to answer in less time.

boto3 on top of it would add start-up time and nothing else. What the steps here are worth: docs/benchmarks.md.
"""

import json
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

from chat.store.transport import Transport

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_OK = 200


def new_client(
    region: str | None,
    endpoint_url: str | None = None,
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
) -> "DynamoDBClient":
    """Return a client. `tls` is called unless the endpoint is plain HTTP.

    Three tries of at most 4 s each stay well below an integration's 29 s (API Gateway quotas).
    """
    session = Session()
    session.register_component("data_loader", _DataLoader())
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 3},
        parameter_validation=False,
        user_agent="serverless-chat",  # botocore's own is put together anew for each request
        account_id_endpoint_mode="disabled",  # one endpoint, whose connections are kept
    )
    client: Any = session.create_client("dynamodb", region_name=region, endpoint_url=endpoint_url, config=config)
    is_secure = client.meta.endpoint_url.startswith("https:")
    transport = Transport(tls() if is_secure else None, connect_timeout=1, read_timeout=3)
    # botocore has no public way to another transport that still lets moto answer in its place.
    client._endpoint.http_session = transport  # noqa: SLF001
    client.meta.events.register("before-parse.dynamodb", _parse)
    return cast("DynamoDBClient", client)


class _DataLoader(Loader):
    """botocore's data files without two that take half of a client's CPU and change nothing for DynamoDB."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's signature
        """Return the one service, instead of looking for all in some 900 folders."""
        return ["dynamodb"]

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """Load a file, but not the endpoints of all services (1 MB): DynamoDB's come from a rule set of its own."""
        if name == "endpoints":
            return {"partitions": []}, self.BUILTIN_DATA_PATH
        return super().load_data_with_path(name)


def _parse(response_dict: dict[str, Any], customized_response_dict: dict[str, Any] | None = None, **_: object) -> None:
    """Parse a response in place of botocore, which takes 15 µs an item, that is 0.15 s for a room of 10,000.

    The result is the same, since no table has binary values.
    """
    if customized_response_dict is not None and response_dict["status_code"] == _OK:
        customized_response_dict.update(json.loads(response_dict["body"]))
        response_dict["body"] = b"{}"
