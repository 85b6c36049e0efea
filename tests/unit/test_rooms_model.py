"""The rooms compared with a plain model: any actions in any order, with connections that vanish silently."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chat.protocol.frames_out import Frame
from chat.runtime.context import open_store
from chat.schema import CONNECTIONS, ROOMS
from chat.store.connections import CONNECTION_SECONDS
from tests.fakes.services import Chat

NAMES = ["lobby", "garden", "kitchen"]
rooms = st.sampled_from(NAMES)


@dataclass
class Socket:
    """The model of an open connection."""

    opened_at: float
    rooms: set[str] = field(default_factory=lambda: {"lobby"})
    current: str | None = "lobby"
    joined: bool = False


class Rooms(RuleBasedStateMachine):
    """`sockets` are open, `ghosts` vanished without `$disconnect`; `messages` has each room's messages in order."""

    def __init__(self) -> None:
        super().__init__()
        self.chat = Chat()
        self.sockets: dict[str, Socket] = {}
        self.ghosts: dict[str, set[str]] = {}
        self.messages: dict[str, list[Frame]] = {room: [] for room in NAMES}
        self.opened = 0

    def one(self, data: st.DataObject, room: str | None = None) -> str:
        """Draw an open connection, from a room if one is given; empty if there is none."""
        known = [name for name, socket in self.sockets.items() if room is None or room in socket.rooms]
        self.chat.clock.advance(10)
        return data.draw(st.sampled_from(known)) if known else ""

    @rule()
    def connect(self) -> None:
        self.opened += 1
        name = f"connection-{self.opened}"
        self.sockets[name] = Socket(self.chat.clock.monotonic())
        self.chat.connect(name)
        self.chat.clock.advance(10)

    @precondition(lambda self: self.sockets)
    @rule(data=st.data(), room=rooms, name=st.none() | st.sampled_from(["Anna", "Ben"]), known=st.integers(0, 3))
    def join(self, data: st.DataObject, room: str, name: str | None, known: int) -> None:
        connection_id = self.one(data)
        socket = self.sockets[connection_id]
        after = data.draw(st.sampled_from([None, max(0, len(self.messages[room]) - known)]))
        joined = self.chat.join(connection_id, room, name=name, after=after)
        socket.rooms = socket.rooms | {room} if socket.joined else {room}
        socket.current, socket.joined = room, True
        assert self.plain(joined["messages"]) == self.plain(
            self.messages[room][after:] if after is not None else self.messages[room][-50:]
        )
        assert (joined["lastSeq"], joined["lost"]) == (len(self.messages[room]), False)
        shown = [one["connectionId"] for one in joined["members"]]
        assert connection_id in shown
        self.members_are_right(room, shown)
        assert joined["memberCount"] == len(shown)

    @precondition(lambda self: self.sockets)
    @rule(data=st.data(), room=rooms)
    def leave(self, data: st.DataObject, room: str) -> None:
        connection_id = self.one(data)
        socket = self.sockets[connection_id]
        answer = self.chat.ask(connection_id, {"action": "leave", "room": room})
        if room not in socket.rooms:
            assert answer["code"] == "not_in_room"
            return
        socket.rooms -= {room}
        socket.joined = True
        if socket.current == room:
            socket.current = min(socket.rooms, default=None)
        assert answer == {"type": "left", "room": room, "current": socket.current}

    @precondition(lambda self: self.sockets)
    @rule(data=st.data(), room=st.none() | rooms, text=st.sampled_from(["hello", "x" * 4000]))
    def send(self, data: st.DataObject, room: str | None, text: str) -> None:
        connection_id = self.one(data)
        frame = {"action": "sendmessage", "message": text, "messageId": self.chat.new_id()}
        answer = self.chat.ask(connection_id, {**frame, "to": room})
        there = room if room is not None else self.sockets[connection_id].current
        if there not in self.sockets[connection_id].rooms:
            assert answer["code"] == "not_in_room"
            return
        assert there is not None
        self.messages[there].append(answer)
        assert (answer["room"], answer["seq"], answer["message"]) == (there, len(self.messages[there]), text)
        for other, socket in self.sockets.items():
            received = [one for one in self.chat.frames(other, "message") if one["messageId"] == frame["messageId"]]
            assert received == ([answer] if there in socket.rooms else []), f"{other} in {socket.rooms}"
        self.forget_found_ghosts(there)

    @precondition(lambda self: any(self.messages.values()))
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        first = data.draw(st.sampled_from([one for messages in self.messages.values() for one in messages]))
        if connection_id := self.one(data, first["room"]):
            again = self.chat.send(connection_id, "another body", message_id=first["messageId"], to=first["room"])
            assert again == first
            self.forget_found_ghosts(first["room"])

    @precondition(lambda self: self.sockets)
    @rule(data=st.data())
    def ping(self, data: st.DataObject) -> None:
        connection_id = self.one(data)
        socket = self.sockets[connection_id]
        pong = self.chat.ping(connection_id)
        assert (pong["room"], pong["rooms"]) == (
            socket.current,
            {room: len(self.messages[room]) for room in socket.rooms},
        )

    @precondition(lambda self: self.sockets)
    @rule(data=st.data())
    def disconnect(self, data: st.DataObject) -> None:
        connection_id = self.one(data)
        del self.sockets[connection_id]
        self.chat.disconnect(connection_id)

    @precondition(lambda self: self.sockets)
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        self.cut(self.one(data))

    @rule(seconds=st.sampled_from([600, 3600, CONNECTION_SECONDS]), deletes=st.booleans())
    def advance_clock(self, seconds: int, deletes: bool) -> None:
        self.chat.clock.advance(seconds)
        for connection_id, socket in list(self.sockets.items()):
            if self.chat.clock.monotonic() >= socket.opened_at + CONNECTION_SECONDS - 60:
                self.cut(connection_id)
        if deletes:
            self.chat.dynamodb.expire(CONNECTIONS)
            self.chat.dynamodb.expire(ROOMS)

    @invariant()
    def each_room_reads_its_messages_in_order(self) -> None:
        log = open_store(self.chat.services).log
        for room, messages in self.messages.items():
            read: list[Any] = []
            complete = False
            while not complete:
                page = log.after(room, len(read), None, 50)
                read += page.messages
                complete = page.complete
                assert not page.lost
            assert [one.fields() for one in read] == self.plain(messages)

    @invariant()
    def each_room_has_its_members(self) -> None:
        members = open_store(self.chat.services).members
        for room in NAMES:
            self.members_are_right(room, [one.connection_id for one in members.recipients(room)])

    def members_are_right(self, room: str, shown: list[str]) -> None:
        living = {name for name, socket in self.sockets.items() if room in socket.rooms}
        ghosts = {name for name, where in self.ghosts.items() if room in where}
        assert len(shown) == len(set(shown))
        assert living <= set(shown) <= living | ghosts

    def cut(self, connection_id: str) -> None:
        """Let a connection vanish silently."""
        self.ghosts[connection_id] = self.sockets.pop(connection_id).rooms
        self.chat.gateway.vanish(connection_id)

    def forget_found_ghosts(self, room: str) -> None:
        """Forget the ghosts that a post to a room finds."""
        self.ghosts = {name: where for name, where in self.ghosts.items() if room not in where}

    @staticmethod
    def plain(frames: list[Frame]) -> list[Frame]:
        return [{name: value for name, value in frame.items() if name != "type"} for frame in frames]


TestRooms = Rooms.TestCase
TestRooms.settings = settings(max_examples=40, stateful_step_count=40)
