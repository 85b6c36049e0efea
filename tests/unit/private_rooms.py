"""A chat with accounts and private rooms.

chat = PrivateChat("anna", "ben", "mallory")   # each signed in as u-anna, … on a connection of the same name
room = chat.create("anna", title="Board")      # Anna is its owner
chat.admit("ben", room)                        # by a link that the owner creates
chat.do("anna", "setrole", room=room, userId="u-ben", role="owner")    # returns the first frame it gets
chat.remove("anna", room, "ben", ban=True)
chat.code("mallory", "members", room=room)     # the code of the error that it gets
"""

from typing import Any

from tests.fakes.gateway import Frame
from tests.fakes.services import Chat

UNKNOWN = "~" + "a" * 26
"""The key of no room."""


class PrivateChat(Chat):
    """A chat whose people are signed in; the accounts are u- and the connections' names."""

    def __init__(self, *people: str, mode: str = "optional", **changes: Any) -> None:
        super().__init__(sign_in=mode, **changes)
        for person in people:
            self.connect(person)
            self.sign_in(person)
        self.rest()

    def rest(self) -> None:
        """Let the rate limits recover, and forget the frames so far."""
        self.clock.advance(60)
        self.clear()

    def do(self, connection_id: str, action: str, **fields: Any) -> Frame:
        """Send a frame; return the first one that its sender gets."""
        return self.ask(connection_id, {"action": action, **fields})

    def code(self, connection_id: str, action: str, **fields: Any) -> str:
        """Send a frame that is refused; return the error's code."""
        return self.do(connection_id, action, **fields)["code"]

    def create(self, connection_id: str, *, title: str = "Board", **fields: Any) -> str:
        """Create a private room; return its key."""
        return self._answer("room", connection_id, {"action": "createroom", "title": title, **fields})["room"]

    def link(self, connection_id: str, room: str, **fields: Any) -> str:
        """Create a link; return its token."""
        return self._answer("invite", connection_id, {"action": "createinvite", "room": room, **fields})["token"]

    def accept(self, connection_id: str, room: str, token: str | None = None) -> Frame:
        """Accept an invitation; return `room`."""
        frame = {"action": "accept", "room": room}
        return self._answer("room", connection_id, frame if token is None else {**frame, "token": token})

    def admit(self, connection_id: str, room: str, *, by: str = "anna") -> Frame:
        """Make an account a member by a link; return its `room`."""
        return self.accept(connection_id, room, self.link(by, room))

    def direct(self, connection_id: str, other: str) -> str:
        """Open a direct conversation; return its key."""
        return self._answer("room", connection_id, {"action": "direct", "userId": f"u-{other}"})["room"]

    def remove(self, connection_id: str, room: str, other: str, **fields: Any) -> Frame:
        """Remove a member; return `removed`."""
        frame = {"action": "remove", "room": room, "userId": f"u-{other}", **fields}
        return self.answered("removed", connection_id, frame)

    def quit(self, connection_id: str, room: str) -> Frame:
        """End a membership; return `removed`."""
        return self.answered("removed", connection_id, {"action": "quit", "room": room})

    def set_role(self, connection_id: str, room: str, other: str, role: str) -> Frame:
        """Change a member's role; return `members`."""
        frame = {"action": "setrole", "room": room, "userId": f"u-{other}", "role": role}
        return self.answered("members", connection_id, frame)

    def answered(self, expected: str, connection_id: str, frame: Frame) -> Frame:
        """Send a frame; return the first one of a type that its sender gets, whatever else it gets before."""
        before = len(self.frames(connection_id))
        self.call(connection_id, frame)
        frames = self.frames(connection_id)[before:]
        found = [each for each in frames if each.get("type") == expected]
        assert found, (frames, self.services.events("fault"))
        return found[0]

    def rooms(self, connection_id: str) -> Frame:
        """Return `rooms`."""
        return self._answer("rooms", connection_id, {"action": "rooms"})

    def members(self, connection_id: str, room: str) -> dict[str, str]:
        """Return the members' roles by account."""
        listed = self._answer("members", connection_id, {"action": "members", "room": room})
        return {each["userId"]: each["role"] for each in listed["members"]}
