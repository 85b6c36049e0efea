"""Fixtures of the unit tests."""

import pytest

from tests.fakes.services import Chat


@pytest.fixture
def chat() -> Chat:
    """Return a chat in which Anna and Ben are in the garden. Requests are counted from here on."""
    chat = Chat()
    chat.connect("anna", "ben")
    for connection_id in ("anna", "ben"):
        chat.join(connection_id, "garden", name=connection_id.title())
    chat.clear()
    return chat
