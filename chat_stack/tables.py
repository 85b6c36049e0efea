"""The chat's tables, with the keys that functions/chat/schema.py declares."""

from chat_stack.settings import Settings
from components.chat_tables import ChatTablesArgs, TableArgs
from components.naming import physical_name
from functions.chat.schema import CONNECTIONS, EXPIRY_ATTRIBUTE, KEYS, MESSAGES, ROOMS


def tables_args(settings: Settings, stack: str) -> ChatTablesArgs:
    """Return the arguments of the chat's tables."""
    connections, messages, rooms = (
        TableArgs(name=physical_name(table, stack), keys=KEYS[table]) for table in (CONNECTIONS, MESSAGES, ROOMS)
    )
    return ChatTablesArgs(
        connections=connections,
        messages=messages,
        rooms=rooms,
        expiry_attribute=EXPIRY_ATTRIBUTE,
        provisioned=settings.capacity == "provisioned",
        protect_messages=settings.protect_messages,
    )
