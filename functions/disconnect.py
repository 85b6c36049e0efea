"""ChatAppDisconnect: the route `$disconnect`."""

from chat.operations.disconnect import disconnect
from chat.runtime.handler import EntryPoint

lambda_handler = EntryPoint({"": disconnect}, has_frame=False, posts=True)
