"""The three tables of the chat: who is connected, what was said, and each room's order."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

CONNECTIONS_INDEX = "by-room"
MESSAGES_INDEX = "by-room-seq"
EXPIRY_ATTRIBUTE = "expiresAt"

# 25 units of each kind are free, tables and indexes together (DynamoDB pricing): 5 parts of 5.
_FREE_UNITS_EACH = 5


@dataclass(frozen=True, kw_only=True)
class ChatTablesArgs:
    """What the tables are to be."""

    connections_name: str
    """Physical name of the table of connections, 3 to 255 characters."""
    messages_name: str
    """Physical name of the table of messages."""
    rooms_name: str
    """Physical name of the table of rooms."""
    provisioned: bool = False
    """Whether capacity is provisioned, within the 25 free units, rather than on demand."""
    protect_messages: bool = False
    """Whether the messages and their order refuse to be deleted, keep continuous backups, and are encrypted under a
    key in the account (AWS's own for DynamoDB, each use in CloudTrail) rather than under one that DynamoDB owns."""


class ChatTables(pulumi.ComponentResource):
    """ActiveConnections, MessageHistory and the rooms; each expires by TTL on `expiresAt` (epoch seconds)."""

    connections_name: pulumi.Output[str]
    """Physical name of the table of connections."""
    connections_arn: pulumi.Output[str]
    """Its ARN; its index's is below it."""
    messages_name: pulumi.Output[str]
    """Physical name of the table of messages."""
    messages_arn: pulumi.Output[str]
    """Its ARN; its index's is below it."""
    rooms_name: pulumi.Output[str]
    """Physical name of the table of rooms."""
    rooms_arn: pulumi.Output[str]
    """Its ARN."""
    arns: dict[str, pulumi.Output[str]]
    """Physical name → ARN of each table."""

    def __init__(self, name: str, args: ChatTablesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-chat:index:ChatTables", name, None, opts)
        connections = self._table(
            f"{name}-connections",
            args.connections_name,
            args,
            keys={"connectionId": "S"},
            index=(CONNECTIONS_INDEX, {"room": "S", "connectionId": "S"}, ["name", EXPIRY_ATTRIBUTE]),
        )
        messages = self._table(
            f"{name}-messages",
            args.messages_name,
            args,
            keys={"messageId": "S", "timestamp": "S"},
            index=(MESSAGES_INDEX, {"room": "S", "seq": "N"}, None),
            protect=args.protect_messages,
        )
        rooms = self._table(
            f"{name}-rooms",
            args.rooms_name,
            args,
            keys={"room": "S"},
            protect=args.protect_messages,  # without their rooms the messages would begin at seq 1 again
        )
        self.connections_name, self.connections_arn = connections.name, connections.arn
        self.messages_name, self.messages_arn = messages.name, messages.arn
        self.rooms_name, self.rooms_arn = rooms.name, rooms.arn
        self.arns = {
            args.connections_name: connections.arn,
            args.messages_name: messages.arn,
            args.rooms_name: rooms.arn,
        }
        self.register_outputs(
            {
                "connections_name": self.connections_name,
                "messages_name": self.messages_name,
                "rooms_name": self.rooms_name,
            },
        )

    def _table(  # noqa: PLR0913 - what a table is made of
        self,
        name: str,
        physical_name: str,
        args: ChatTablesArgs,
        *,
        keys: dict[str, str],
        index: tuple[str, dict[str, str], list[str] | None] | None = None,
        protect: bool = False,
    ) -> aws.dynamodb.Table:
        units = _FREE_UNITS_EACH if args.provisioned else None
        attributes = dict(keys)
        indexes = []
        if index is not None:
            index_name, index_keys, included = index
            attributes |= index_keys
            kinds = ("HASH", "RANGE")
            indexes.append(
                aws.dynamodb.TableGlobalSecondaryIndexArgs(
                    name=index_name,
                    key_schemas=[
                        aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name=key, key_type=kind)
                        for key, kind in zip(index_keys, kinds, strict=True)
                    ],
                    projection_type="ALL" if included is None else "INCLUDE",
                    non_key_attributes=included,
                    read_capacity=units,
                    write_capacity=units,
                ),
            )
        return aws.dynamodb.Table(
            name,
            name=physical_name,
            billing_mode="PROVISIONED" if args.provisioned else "PAY_PER_REQUEST",
            read_capacity=units,
            write_capacity=units,
            hash_key=next(iter(keys)),
            range_key=list(keys)[1] if len(keys) > 1 else None,
            attributes=[
                aws.dynamodb.TableAttributeArgs(name=attribute, type=kind) for attribute, kind in attributes.items()
            ],
            global_secondary_indexes=indexes or None,
            ttl=aws.dynamodb.TableTtlArgs(attribute_name=EXPIRY_ATTRIBUTE, enabled=True),
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=protect),
            deletion_protection_enabled=protect,
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(enabled=True) if protect else None,
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
