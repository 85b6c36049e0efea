"""The chat's DynamoDB tables: connections, sent messages, and each room's log and members."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class Units:
    """Provisioned capacity of a table."""

    read: int
    """Read capacity units."""
    write: int
    """Write capacity units."""


# 25 units of each kind are free (DynamoDB pricing). A send writes to all three tables, but ChatRooms also takes every
# join and leave, and almost every read: the end of a room's log, its members and its history.
CONNECTIONS_UNITS = Units(read=4, write=8)
MESSAGES_UNITS = Units(read=4, write=7)
ROOMS_UNITS = Units(read=17, write=10)


@dataclass(frozen=True, kw_only=True)
class TableArgs:
    """A table of ChatTables."""

    name: str
    """Physical name, 3 to 255 characters."""
    keys: Mapping[str, str]
    """Types (S, N or B) of the partition key and, if any, the sort key."""


@dataclass(frozen=True, kw_only=True)
class ChatTablesArgs:
    """Arguments of ChatTables."""

    connections: TableArgs
    """Table of open connections."""
    messages: TableArgs
    """Table of messages, one item per message sent."""
    rooms: TableArgs
    """Table of the rooms' logs and members."""
    expiry_attribute: str
    """Attribute with the time, in epoch seconds, after which DynamoDB deletes an item."""
    provisioned: bool = False
    """Whether to provision capacity, within the 25 free units, instead of on demand."""
    protect_messages: bool = False
    """Whether to protect the messages and rooms tables from deletion, back them up continuously, and encrypt them with
    the account's AWS managed key (whose uses are in CloudTrail) instead of one that DynamoDB owns. The preview of a
    destroy fails on protected tables before anything is deleted; with `--skip-preview` all else is deleted first."""


class ChatTables(pulumi.ComponentResource):
    """The tables of connections, messages and rooms, whose items expire by TTL."""

    connections_name: pulumi.Output[str]
    """Physical name of the connections table."""
    connections_arn: pulumi.Output[str]
    """ARN of the connections table."""
    messages_name: pulumi.Output[str]
    """Physical name of the messages table."""
    messages_arn: pulumi.Output[str]
    """ARN of the messages table."""
    rooms_name: pulumi.Output[str]
    """Physical name of the rooms table."""
    rooms_arn: pulumi.Output[str]
    """ARN of the rooms table."""
    arns: dict[str, pulumi.Output[str]]
    """ARNs of the tables by physical name."""

    def __init__(self, name: str, args: ChatTablesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-chat:index:ChatTables", name, None, opts)
        connections = self._create_table(f"{name}-connections", args.connections, args, CONNECTIONS_UNITS)
        messages = self._create_table(
            f"{name}-messages", args.messages, args, MESSAGES_UNITS, protect=args.protect_messages
        )
        rooms = self._create_table(  # protected too, because it contains the messages
            f"{name}-rooms", args.rooms, args, ROOMS_UNITS, protect=args.protect_messages
        )
        self.connections_name, self.connections_arn = connections.name, connections.arn
        self.messages_name, self.messages_arn = messages.name, messages.arn
        self.rooms_name, self.rooms_arn = rooms.name, rooms.arn
        self.arns = {
            args.connections.name: connections.arn,
            args.messages.name: messages.arn,
            args.rooms.name: rooms.arn,
        }
        self.register_outputs({"arns": self.arns})

    def _create_table(
        self, name: str, table: TableArgs, args: ChatTablesArgs, units: Units, *, protect: bool = False
    ) -> aws.dynamodb.Table:
        partition_key, *sort_key = table.keys
        return aws.dynamodb.Table(
            name,
            name=table.name,
            billing_mode="PROVISIONED" if args.provisioned else "PAY_PER_REQUEST",
            read_capacity=units.read if args.provisioned else None,
            write_capacity=units.write if args.provisioned else None,
            hash_key=partition_key,
            range_key=sort_key[0] if sort_key else None,
            attributes=[aws.dynamodb.TableAttributeArgs(name=key, type=kind) for key, kind in table.keys.items()],
            ttl=aws.dynamodb.TableTtlArgs(attribute_name=args.expiry_attribute, enabled=True),
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=protect),
            deletion_protection_enabled=protect,
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(enabled=True) if protect else None,
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
