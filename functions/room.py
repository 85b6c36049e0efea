"""ChatAppRoom: the routes `join`, `leave`, `history`, `typing` and `ping`."""

from chat.operations.history import history
from chat.operations.join import join
from chat.operations.leave import leave
from chat.operations.ping import ping
from chat.operations.typing_notice import typing_notice
from chat.runtime.handler import EntryPoint

lambda_handler = EntryPoint(
    {"join": join, "leave": leave, "history": history, "typing": typing_notice, "ping": ping},
    posts=True,
)
