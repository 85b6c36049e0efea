"""The DynamoDB client: botocore's, tuned for start-up time and latency.

boto3 would only add start-up time. The gains are measured in docs/benchmarks.md.
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

    Three tries of at most 4 s each stay well below the 29 s integration timeout (API Gateway quotas).
    """
    session = Session()
    session.register_component("data_loader", _DataLoader())
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 3},
        parameter_validation=False,
        user_agent="serverless-chat",  # botocore would rebuild its own for each request
        account_id_endpoint_mode="disabled",  # one endpoint, so connections are reused
    )
    client: Any = session.create_client("dynamodb", region_name=region, endpoint_url=endpoint_url, config=config)
    is_secure = client.meta.endpoint_url.startswith("https:")
    transport = Transport(tls() if is_secure else None, connect_timeout=1, read_timeout=3)
    # botocore has no public API for a transport that moto can still intercept.
    client._endpoint.http_session = transport  # noqa: SLF001
    client.meta.events.register("before-parse.dynamodb", _parse)
    return cast("DynamoDBClient", client)


class _DataLoader(Loader):
    """botocore's loader without two steps that take half of a client's start-up CPU and do not affect DynamoDB."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's signature
        """Return the one service instead of searching about 900 folders."""
        return ["dynamodb"]

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """Load a file, except the endpoints of all services (1 MB): DynamoDB has its own endpoint rule set."""
        if name == "endpoints":
            return {"partitions": []}, self.BUILTIN_DATA_PATH
        return super().load_data_with_path(name)


def _parse(response_dict: dict[str, Any], customized_response_dict: dict[str, Any] | None = None, **_: object) -> None:
    """Parse a response instead of botocore, which takes 15 µs per item: 0.15 s for a room of 10,000.

    The result is the same because no table has binary values.
    """
    if customized_response_dict is not None and response_dict["status_code"] == _OK:
        customized_response_dict.update(json.loads(response_dict["body"]))
        response_dict["body"] = b"{}"
