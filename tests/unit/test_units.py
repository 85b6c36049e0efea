"""What a frame costs in DynamoDB's request units: index writes and the double price of transactions counted in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from unittest import mock

import connect
import disconnect
import history
import join
import ping
import pytest
import sendmessage
import typing_notice

from chat import delivery, rooms
from tests.faults.checker import World
from tests.unit.stage import Chat, RecordedFanOut

Cost = Callable[..., tuple[float, float]]
ID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def cost() -> Iterator[Cost]:
    """Call a function in a room of three with a past of ten messages; return the units read and written."""
    world = World(0, 0, 1, share=0)
    posts = RecordedFanOut()
    chat = Chat(posts)

    def do(act: Callable[[], Any]) -> None:
        world.simulation.after(0, act)
        world.simulation.run(5)

    def costs(route: Any, connection_id: str, frame: Any) -> tuple[float, float]:
        units = world.store.units
        before = units.read, units.written
        context = {"connectedAt": int(world.simulation.now * 1000)}
        do(lambda: chat.call(route, connection_id, frame, context=context))
        return units.read - before[0], units.written - before[1]

    with ExitStack() as put:
        put.enter_context(world.stands_in())
        put.enter_context(mock.patch.object(delivery, "_engine", return_value=posts))
        put.enter_context(mock.patch.object(rooms, "_rosters", {}))
        for connection_id in ("anna", "ben", "cleo"):
            costs(connect, connection_id, None)
            costs(join, connection_id, {"room": "garden", "name": connection_id})
        for number in range(10):
            costs(sendmessage, "ben", {"message": f"{number} " + "x" * 80})
        yield costs


@pytest.mark.parametrize(
    ("route", "frame", "read", "written"),
    [
        (sendmessage, {"message": "x" * 100, "messageId": ID}, 2, 10),
        (sendmessage, {"message": "x" * 100}, 1, 10),
        (ping, {}, 1, 1),
        (typing_notice, {}, 1, 1),
        (history, {}, 1.5, 1),
        (join, {"room": "garden", "after": 10}, 1, 2),
        (join, {"room": "kitchen"}, 2, 5),
        (disconnect, None, 0.5, 3),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value)[:40],
)
def test_a_frame_costs_as_many_units_as_are_documented(
    cost: Cost, route: Any, frame: Any, read: float, written: float
) -> None:
    assert cost(route, "anna", frame) == (read, written)


def test_a_connection_costs_three_writes(cost: Cost) -> None:
    assert cost(connect, "dan", None) == (0, 3)


def test_a_repeated_message_costs_one_write_for_the_limit(cost: Cost) -> None:
    cost(sendmessage, "anna", {"message": "x", "messageId": ID})
    assert cost(sendmessage, "anna", {"message": "x", "messageId": ID}) == (4, 1)


def test_a_message_of_many_bytes_costs_by_its_size_three_times(cost: Cost) -> None:
    """It is stored by a transaction, which costs double, and once more in the index."""
    kilobytes = 8  # 8,000 bytes of text, and what stands beside it
    assert cost(sendmessage, "anna", {"message": "é" * 4000}) == (1, 1 + 2 * kilobytes + 3 * 2 + kilobytes)
