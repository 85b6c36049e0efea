"""Planted defects: each alters the store's calls, or the clock, as a bug in the code would."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError
from greenlet import getcurrent

from chat.delivery.audience import WAIT_SECONDS
from chat.schema import MESSAGES, ROOMS
from tests.fakes.dynamodb import Call, Item
from tests.faults import private_rooms
from tests.faults.checker import World
from tests.faults.simulation import Simulation

Send = Callable[[], Item]
_CONDITION = ("ConditionExpression", "ExpressionAttributeNames", "ReturnValuesOnConditionCheckFailure")


def _is_message_put(call: Call) -> bool:
    return call.operation == "PutItem" and call.table == ROOMS and "messageId" in call.request["Item"]


def _is_member_put(call: Call) -> bool:
    return call.operation == "UpdateItem" and call.table == ROOMS and call.key[1].startswith("member#")


def _is_member_query(call: Call) -> bool:
    return call.operation == "Query" and call.request["ExpressionAttributeValues"].get(":first") == {"S": "member#"}


def no_condition_on_the_put(world: World) -> None:
    """A message is put even if its seq is taken."""

    def alter(call: Call, send: Send) -> Item:
        if _is_message_put(call):
            for name in _CONDITION:
                call.request.pop(name, None)
        return send()

    world.faults.defect = alter


def no_look_up(world: World) -> None:
    """Rows with the same message id are not looked up."""

    def alter(call: Call, send: Send) -> Item:
        return {"Items": []} if call.operation == "Query" and call.table == MESSAGES else send()

    world.faults.defect = alter


def row_after_the_message(world: World) -> None:
    """The row is put after the message, or never if the function dies in between."""

    def alter(call: Call, send: Send) -> Item:
        if call.operation != "PutItem" or call.table != MESSAGES:
            return send()
        if not world.faults.strikes("function ended before its row", 0.05):
            world.simulation.after(0.1, lambda: _execute(send))
        return {}

    world.faults.defect = alter


def posted_before_it_is_stored(world: World) -> None:
    """A message is posted before it is stored."""
    _defer(world, _is_message_put, 0.05)


def members_read_before_the_put(world: World) -> None:
    """The members are read before the message is put."""
    read: dict[Any, set[str]] = {}

    def alter(call: Call, send: Send) -> Item:
        if _is_message_put(call):
            read[getcurrent()] = {item["item"] for item in world.dynamodb.items(ROOMS) if item["room"] == call.key[0]}
            world.simulation.sleep(0.05)
            return send()
        answer = send()
        known = read.pop(getcurrent(), None) if _is_member_query(call) else None
        if known is None:
            return answer
        return {"Items": [item for item in answer["Items"] if item["item"]["S"] in known]}

    world.faults.defect = alter


def member_put_after_the_log_is_read(world: World) -> None:
    """The log is read before the member item is put."""
    _defer(world, _is_member_put, 0.2, lambda: {"Attributes": {"at": {"N": str(world.simulation.now_ms())}}})


class _Impatient:
    """A clock that does not wait as long as a removal does."""

    def __init__(self, simulation: Simulation) -> None:
        self.now_ms, self.monotonic = simulation.now_ms, simulation.monotonic
        self._sleep = simulation.sleep

    def sleep(self, seconds: float) -> None:
        """Wait, except for a removal."""
        self._sleep(0 if 1 < seconds <= WAIT_SECONDS else seconds)


def removal_that_does_not_wait(world: private_rooms.World) -> None:
    """A removal is acknowledged before the frames that an earlier read allowed have been posted."""
    world.services.clock = _Impatient(world.simulation)


def members_remembered_for_a_while(world: private_rooms.World) -> None:
    """The members of a private room are read once in three seconds."""
    seen: dict[Any, tuple[float, Item]] = {}

    def alter(call: Call, send: Send) -> Item:
        if call.operation != "Query" or call.request["ExpressionAttributeValues"].get(":first") != {"S": "role#"}:
            return send()
        now = world.simulation.monotonic()
        if call.key not in seen or now - seen[call.key][0] > 3:
            seen[call.key] = now, send()
        return seen[call.key][1]

    world.faults.defect = alter


def role_remembered_for_a_while(world: private_rooms.World) -> None:
    """The role of an account, which admits its frames, is read once in three seconds."""
    seen: dict[Any, tuple[float, Item]] = {}

    def alter(call: Call, send: Send) -> Item:
        if call.operation != "GetItem" or not call.key[-1].startswith("role#"):
            return send()
        now = world.simulation.monotonic()
        if call.key not in seen or now - seen[call.key][0] > 3:
            seen[call.key] = now, send()
        return seen[call.key][1]

    world.faults.defect = alter


def _defer(world: World, applies: Callable[[Call], bool], seconds: float, answer: Callable[[], Item] = dict) -> None:
    """Answer matching calls at once, but execute them later."""

    def alter(call: Call, send: Send) -> Item:
        if not applies(call):
            return send()
        world.simulation.after(seconds, lambda: _execute(send))
        return answer()

    world.faults.defect = alter


def _execute(send: Send) -> None:
    with suppress(ClientError):
        send()
