"""ChatAppConnect: the route `$connect`."""

from chat.operations.connect import connect
from chat.runtime.handler import EntryPoint

lambda_handler = EntryPoint({"": connect}, has_frame=False)
