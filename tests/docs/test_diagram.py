"""The diagrams against the program and the functions that they show."""

from dataclasses import replace
from itertools import pairwise

import pytest

from docgen import send_diagram
from docgen.diagram import ARCHITECTURE, WATCHED, draw, routes
from tests.stack.program import program


def test_the_architecture_diagram_is_up_to_date() -> None:
    drawn = draw(program(), program(**WATCHED))
    assert ARCHITECTURE.read_text(encoding="utf-8") == drawn, "run python -m docgen diagram"


def test_a_function_is_shown_with_the_tables_that_its_policy_allows() -> None:
    shown = {route.key: route for route in routes(program())}
    assert [(use.table, use.writes) for use in shown["$connect"].uses] == [
        ("ActiveConnections", True),
        ("ChatRooms", True),
    ]
    assert not shown["$connect"].posts
    assert [use.table for use in shown["sendmessage"].uses] == ["ActiveConnections", "ChatRooms", "MessageHistory"]
    assert shown["sendmessage"].posts
    assert shown["$default"].uses == ()


def test_the_send_diagram_is_up_to_date() -> None:
    drawn = send_diagram.draw(send_diagram.record())
    assert send_diagram.SEND.read_text(encoding="utf-8") == drawn, "run python -m docgen send"


def test_a_send_is_recorded_with_three_round_trips_before_the_acknowledgement() -> None:
    recording = send_diagram.record()
    groups = send_diagram.round_trips(recording)
    first, *others = recording.posts
    assert [len(group) for group in groups if group[0].ended <= first.at] == [3, 2, 1]
    assert first.connection_id == send_diagram.SENDER
    assert [post.connection_id for post in others] == list(send_diagram.READERS)
    assert all(earlier.at <= later.at for earlier, later in pairwise(recording.posts))


def test_an_unknown_request_is_not_drawn_as_another() -> None:
    recording = send_diagram.record()
    recording.calls[-1] = replace(recording.calls[-1], operation="DeleteItem")
    with pytest.raises(KeyError, match="DeleteItem"):
        send_diagram.draw(recording)
