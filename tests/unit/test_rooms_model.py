"""The rooms against a plain model: whatever people do, in any order, with indexes that lag and functions that die."""

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chat import delivery, rooms
from chat import history as chat_history
from chat.settings import CONNECTION_SECONDS
from tests.faults.checker import World
from tests.unit.stage import Chat, RecordedFanOut

ROOMS = ["lobby", "garden", "kitchen"]
Answer = TypeVar("Answer")


class Rooms(RuleBasedStateMachine):
    """`sockets` are the connections that live, by their room; `said` is what each room was told, in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(0, 0, 3, share=0)
        self.posts = RecordedFanOut()
        self.chat = Chat(self.posts)
        self.put = ExitStack()
        self.put.enter_context(self.world.stands_in())
        self.put.enter_context(mock.patch.object(delivery, "_engine", return_value=self.posts))
        self.put.enter_context(mock.patch.object(rooms, "_rosters", {}))
        self.put.enter_context(mock.patch.object(self.posts, "gone", self.posts.gone))
        self.sockets: dict[str, str] = {}
        self.vanished: dict[str, str] = {}
        self.opened_at: dict[str, float] = {}
        self.said: dict[str, list[dict[str, Any]]] = {room: [] for room in ROOMS}
        self.last_seq = dict.fromkeys(ROOMS, 0)

    def teardown(self) -> None:
        self.put.close()

    def do(self, act: Callable[[], Answer]) -> Answer:
        """Do something in the world's own time, and let a second go by."""
        done: list[Answer] = []
        self.world.simulation.after(0, lambda: done.append(act()))
        self.world.simulation.run(1)
        assert done, "it took more than a second"
        return done[0]

    def one(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.sockets)))

    @rule()
    def connect(self) -> None:
        connection_id = f"connection-{len(self.opened_at)}"
        context = {"connectedAt": int(self.world.simulation.now * 1000)}
        import connect  # noqa: PLC0415

        assert self.do(lambda: self.chat.call(connect, connection_id, context=context)) == {"statusCode": 200}
        self.sockets[connection_id] = "lobby"
        self.opened_at[connection_id] = self.world.simulation.now

    @precondition(lambda self: self.sockets)
    @rule(data=st.data(), room=st.sampled_from(ROOMS), name=st.none() | st.sampled_from(["Anna", "Ben"]))
    def join(self, data: st.DataObject, room: str, name: str | None) -> None:
        connection_id = self.one(data)
        joined = self.do(lambda: self.chat.join(connection_id, room, name=name))
        self.sockets[connection_id] = room
        assert joined["lastSeq"] == self.last_seq[room]
        assert self.ids(joined["messages"]) == self.ids(self.said[room][-50:])
        assert connection_id in {one["connectionId"] for one in joined["members"]}
        self.members_are_right(room, joined)

    @precondition(lambda self: self.sockets)
    @rule(data=st.data(), room=st.sampled_from(ROOMS))
    def rejoin(self, data: st.DataObject, room: str) -> None:
        connection_id = self.one(data)
        known = data.draw(st.integers(0, self.last_seq[room]))
        page = self.do(lambda: self.chat.join(connection_id, room, after=known))
        self.sockets[connection_id] = room
        read = page["messages"]
        while not page["complete"]:
            after = read[-1]["seq"]
            page = self.do(lambda: self.chat.history(connection_id, after=after, limit=100))  # noqa: B023 - at once
            read += page["messages"]
        assert self.ids(read) == self.ids([one for one in self.said[room] if one["seq"] > known])
        assert page["lost"] is False

    @precondition(lambda self: self.sockets)
    @rule(data=st.data(), text=st.sampled_from(["hello", "x" * 4000]))
    def send(self, data: st.DataObject, text: str) -> None:
        connection_id = self.one(data)
        room = self.sockets[connection_id]
        message_id = str(uuid.uuid4())
        said = self.do(lambda: self.chat.send(connection_id, text, message_id))
        self.last_seq[room] += 1
        assert (said["room"], said["seq"], said["message"]) == (room, self.last_seq[room], text)
        self.said[room].append(said)
        for other, where in self.sockets.items():
            heard = [one for one in self.posts.of_type(other, "message") if one["messageId"] == message_id]
            assert len(heard) == (1 if where == room else 0), f"{other} in {where} heard {heard}"
        self.vanished = {ghost: where for ghost, where in self.vanished.items() if where != room}

    @precondition(lambda self: self.sockets and any(self.said.values()))
    @rule(data=st.data())
    def resend(self, data: st.DataObject) -> None:
        connection_id = self.one(data)
        first = data.draw(st.sampled_from([one for said in self.said.values() for one in said]))
        assert self.do(lambda: self.chat.send(connection_id, "another body", first["messageId"])) == first
        self.vanished = {ghost: where for ghost, where in self.vanished.items() if where != first["room"]}

    @precondition(lambda self: self.sockets)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        connection_id = self.one(data)
        del self.sockets[connection_id]
        self.posts.gone.add(connection_id)
        self.do(lambda: self.chat.disconnect(connection_id))

    @precondition(lambda self: self.sockets)
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        """A socket is gone, and AWS does not tell."""
        connection_id = self.one(data)
        self.vanished[connection_id] = self.sockets.pop(connection_id)
        self.posts.gone.add(connection_id)

    @rule(seconds=st.sampled_from([10, 3600, CONNECTION_SECONDS]))
    def time_goes_by(self, seconds: int) -> None:
        self.world.simulation.run(seconds)
        for connection_id, opened_at in self.opened_at.items():
            if self.world.simulation.now >= opened_at + CONNECTION_SECONDS - 2:
                self.sockets.pop(connection_id, None)
                self.vanished.pop(connection_id, None)
                self.posts.gone.add(connection_id)

    @rule(room=st.sampled_from(ROOMS))
    def a_function_dies_with_a_place(self, room: str) -> None:
        self.do(lambda: rooms.next_seq(room))
        self.last_seq[room] += 1

    @invariant()
    def each_room_is_read_as_it_was_said(self) -> None:
        for room, said in self.said.items():
            read: list[Any] = []
            while True:
                after = read[-1].seq if read else 0
                page = self.do(lambda: chat_history.after(rooms.read(room), after, None, 50))  # noqa: B023 - at once
                read += page.messages
                assert page.lost is False
                if page.complete:
                    break
            assert [(one.seq, one.message_id) for one in read] == [(one["seq"], one["messageId"]) for one in said]

    @invariant()
    def each_room_has_its_members(self) -> None:
        for room in ROOMS:
            members = self.do(lambda: list(rooms.members(rooms.read(room))))  # noqa: B023 - at once
            self.members_are_right(room, {"members": [{"connectionId": one.connection_id} for one in members]})

    def members_are_right(self, room: str, listed: dict[str, Any]) -> None:
        shown = [one["connectionId"] for one in listed["members"]]
        assert len(shown) == len(set(shown)) == listed.get("memberCount", len(shown))
        living = {connection_id for connection_id, where in self.sockets.items() if where == room}
        ghosts = {connection_id for connection_id, where in self.vanished.items() if where == room}
        assert living <= set(shown) <= living | ghosts

    @staticmethod
    def ids(messages: list[dict[str, Any]]) -> list[tuple[int, str]]:
        return [(one["seq"], one["messageId"]) for one in messages]


TestRooms = Rooms.TestCase
TestRooms.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestRooms = pytest.mark.slow(TestRooms)
