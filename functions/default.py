"""ChatAppDefault: the route `$default`."""

from chat.operations.default import default
from chat.runtime.handler import EntryPoint

lambda_handler = EntryPoint({"": default}, uses_store=False)
