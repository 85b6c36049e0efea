"""The architecture diagram against the program that it shows."""

from docs.diagram import ARCHITECTURE, WATCHED, draw, routes
from tests.stack.program import program


def test_the_diagram_shows_the_program_as_it_is() -> None:
    assert ARCHITECTURE.read_text(encoding="utf-8") == draw(program(), program(**WATCHED)), (
        "python -m docs diagram draws it anew"
    )


def test_what_a_function_is_shown_to_use_is_what_its_policy_allows() -> None:
    shown = {route.key: route for route in routes(program())}
    assert [(use.table, use.writes) for use in shown["$connect"].uses] == [
        ("ActiveConnections", True),
        ("ChatRooms", True),
    ]
    assert not shown["$connect"].posts
    assert [use.table for use in shown["sendmessage"].uses] == ["ActiveConnections", "ChatRooms", "MessageHistory"]
    assert shown["sendmessage"].posts
    assert shown["$default"].uses == ()
