"""DynamoDB tables."""

from typing import Any

from local.resources.resource import Aws, Created, Resource, capitalized, given


def _create_table(
    aws: Aws,
    *,
    name: str,
    billingMode: str,
    hashKey: str,
    attributes: list[dict[str, str]],
    ttl: dict[str, Any],
    deletionProtectionEnabled: bool,
    rangeKey: str | None = None,
    readCapacity: int | None = None,
    writeCapacity: int | None = None,
    serverSideEncryption: dict[str, Any] | None = None,
) -> Created:
    keys = {"HASH": hashKey, "RANGE": rangeKey}
    throughput = {"ReadCapacityUnits": readCapacity, "WriteCapacityUnits": writeCapacity} if readCapacity else None
    client = aws.client("dynamodb")
    created = client.create_table(
        TableName=name,
        BillingMode=billingMode,
        AttributeDefinitions=[{"AttributeName": one["name"], "AttributeType": one["type"]} for one in attributes],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for kind, key in keys.items() if key],
        DeletionProtectionEnabled=deletionProtectionEnabled,
        **given(ProvisionedThroughput=throughput, SSESpecification=capitalized(serverSideEncryption)),
    )
    client.update_time_to_live(TableName=name, TimeToLiveSpecification=capitalized(ttl))
    return Created(name, {"arn": created["TableDescription"]["TableArn"], "name": name})


RESOURCES = {"aws:dynamodb/table:Table": Resource(_create_table)}
