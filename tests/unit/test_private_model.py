"""Private rooms compared with a plain model: nobody outside the roles gets a frame, whatever happens in any order."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.fakes.invariants import broken_logs, broken_private_rooms
from tests.unit.private_rooms import PrivateChat

PEOPLE = ("anna", "ben", "cleo", "dan")
people = st.sampled_from(PEOPLE)
numbers = st.integers(0, 1)


@dataclass
class Room:
    """The model of a private room."""

    roles: dict[str, str]
    banned: set[str] = field(default_factory=set)
    since: dict[str, int] = field(default_factory=dict)
    messages: int = 0

    @property
    def owners(self) -> set[str]:
        return {person for person, role in self.roles.items() if role == "owner"}


class PrivateRooms(RuleBasedStateMachine):
    """Two rooms of four accounts; everybody may try everything."""

    def __init__(self) -> None:
        super().__init__()
        self.chat = PrivateChat(*PEOPLE)
        self.keys = [self.chat.create(person) for person in PEOPLE[:2]]
        self.rooms = [Room({person: "owner"}, since={person: 0}) for person in PEOPLE[:2]]

    def ask(self, person: str, action: str, number: int, **fields: object) -> str:
        """Send a frame; check who gets frames of the room; return the error's code, or the last answer's type."""
        self.chat.rest()
        for each in PEOPLE:
            self.chat.sign_in(each)
        self.chat.clear()
        before = set(self.rooms[number].roles)
        key = self.keys[number]
        self.chat.call(person, {"action": action, "to" if action == "sendmessage" else "room": key, **fields})
        heard = {
            each
            for each in PEOPLE
            for frame in self.chat.frames(each)
            if frame["type"] not in {"error", "removed"} and frame.get("room") == key
        }
        admitted = {person} if action == "accept" else set()
        assert heard <= before | admitted, action
        last = [frame for frame in self.chat.frames(person) if frame["type"] not in {"membership", "presence"}]
        return last[-1].get("code", last[-1]["type"]) if last else ""

    @rule(person=people, number=numbers)
    def send(self, person: str, number: int) -> None:
        room = self.rooms[number]
        answer = self.ask(person, "sendmessage", number, message="hello")
        assert answer == ("message" if person in room.roles else "no_such_room")
        if person in room.roles:
            room.messages += 1
            for each in PEOPLE:
                assert bool(self.chat.frames(each, "message")) is (each in room.roles)

    @rule(person=people, number=numbers)
    def read(self, person: str, number: int) -> None:
        room = self.rooms[number]
        answer = self.ask(person, "history", number, limit=100)
        assert answer == ("history" if person in room.roles else "no_such_room")
        if person in room.roles:
            (page,) = self.chat.frames(person, "history")
            seqs = [message["seq"] for message in page["messages"]]
            assert seqs == list(range(room.since[person] + 1, room.messages + 1))

    @rule(person=people, number=numbers, by=people)
    def enter(self, person: str, number: int, by: str) -> None:
        room = self.rooms[number]
        invite = self.ask(by, "createinvite", number)
        if room.roles.get(by, "member") == "member":
            assert invite == ("not_allowed" if by in room.roles else "no_such_room")
            return
        token = self.chat.frames(by, "invite")[0]["token"]
        answer = self.ask(person, "accept", number, token=token)
        assert answer == ("no_such_invitation" if person in room.banned else "room")
        if person not in room.banned and person not in room.roles:
            room.roles[person] = "member"
            room.since[person] = room.messages

    @rule(person=people, number=numbers, by=people, ban=st.booleans())
    def remove(self, person: str, number: int, by: str, *, ban: bool) -> None:
        room = self.rooms[number]
        answer = self.ask(by, "remove", number, userId=f"u-{person}", ban=ban)
        own, target = room.roles.get(by), room.roles.get(person)
        if own is None:
            assert answer == "no_such_room"
        elif by == person:
            assert answer == "bad_request"
        elif own == "member" or (own == "moderator" and target not in (None, "member")):
            assert answer == "not_allowed"
        elif target is None and not ban:
            assert answer == "not_a_member"
        else:
            assert answer == "removed"
            room.roles.pop(person, None)
            room.banned |= {person} if ban else set()

    @rule(person=people, number=numbers, by=people)
    def unban(self, person: str, number: int, by: str) -> None:
        room = self.rooms[number]
        answer = self.ask(by, "unban", number, userId=f"u-{person}")
        if room.roles.get(by) in {"owner", "moderator"}:
            assert answer == "members"
            room.banned.discard(person)

    @rule(person=people, number=numbers, by=people, role=st.sampled_from(["owner", "moderator", "member"]))
    def set_role(self, person: str, number: int, by: str, role: str) -> None:
        room = self.rooms[number]
        answer = self.ask(by, "setrole", number, userId=f"u-{person}", role=role)
        if by not in room.owners:
            assert answer == ("not_allowed" if by in room.roles else "no_such_room")
        elif person not in room.roles:
            assert answer == "not_a_member"
        elif room.owners == {person} and role != "owner":
            assert answer == "last_owner"
        else:
            assert answer == "members"
            room.roles[person] = role

    @rule(person=people, number=numbers)
    def quit(self, person: str, number: int) -> None:
        room = self.rooms[number]
        if set(room.roles) == {person}:
            return  # the room would end
        answer = self.ask(person, "quit", number)
        if person not in room.roles:
            assert answer == "no_such_room"
        elif room.owners == {person}:
            assert answer == "last_owner"
        else:
            assert answer == "removed"
            del room.roles[person]

    @invariant()
    def the_tables_agree(self) -> None:
        assert broken_private_rooms(self.chat.dynamodb) == broken_logs(self.chat.dynamodb) == []
        items = self.chat.dynamodb.items("ChatRooms")
        for key, room in zip(self.keys, self.rooms, strict=True):
            roles = {
                item["item"].removeprefix("role#u-"): item["role"]
                for item in items
                if item["room"] == key and "role" in item
            }
            assert roles == room.roles


TestPrivateRooms = PrivateRooms.TestCase
TestPrivateRooms.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
