"""Who is told what live: every class of facts, every kind of reader, those who come back included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from deploy.local.home import _new_key as new_key
from services.gateway.auth import Authenticator
from services.gateway.client import Services
from services.gateway.live.cursors import Cursor, read
from services.gateway.live.hall import Hall, Limits
from services.gateway.live.held import Held, Told
from services.gateway.live.readers import Reader
from services.gateway.live.rooms import View
from shared.contracts.audiences import INTRODUCTION_CHANGED, about, kept_back, type_of
from shared.contracts.base import Audience, Fact, Snapshot
from shared.contracts.catalogue import FACTS
from shared.contracts.directory.facts import MemberLeftV1, RoleChangedV1
from shared.contracts.directory.words import Role
from shared.contracts.events.facts import EventPublishedV1
from shared.contracts.examples import example
from shared.contracts.live import LIVE_STREAMS, TOPIC_OF, TOPICS
from shared.contracts.matching.facts import OutcomeSaidV1
from shared.contracts.streams import stream_of
from shared.kit.ids import new_id, utc_now
from shared.kit.principal import load_private_key
from tests.notify.webhooks.test_envelopes import ids_in, told_apart

EVERY_FACT = [fact for facts in FACTS.values() for fact in facts]
UNTOLD = (
    "venue-", "sign-in-", "concepts-changed", "lessons-drawn", "hub-placed", "person-erased", "booker-forgotten",
    "participant-forgotten", "profile-forgotten", "recipient-forgotten",
)  # fmt: skip
"""Beginnings of names of facts that are told to nobody live: what services agree on, and what is no hub's."""
LIMITS = Limits(together=100, per_person=10, per_address=100, held=100)
READERS: dict[str, Role | None] = {
    "nobody": None, "stranger": None, "visitor": Role.VISITOR, "member": Role.MEMBER, "host": Role.HOST,
    "coordinator": Role.COORDINATOR, "operator": Role.OPERATOR, "admin": Role.ADMIN,
}  # fmt: skip
SHOWN = {
    Audience.PUBLIC: set(READERS),
    Audience.MEMBERS: {"member", "host", "coordinator", "operator", "admin"},
    Audience.HOSTS: {"host", "coordinator", "operator", "admin"},
    Audience.OPERATORS: {"operator", "admin"},
    Audience.PERSONS: set(),
}


@dataclass
class Stage:
    """A hall that hears what a test says."""

    hall: Hall = field(default_factory=lambda: Hall(services(), LIMITS))
    number: int = 0

    def __post_init__(self) -> None:
        for stream in LIVE_STREAMS:
            held = Held(stream, LIMITS.held)
            held.start_over(b"made", utc_now(), 0)
            self.hall.go_on_with(held)

    def enters(
        self, hub: str, role: Role | None, person: UUID | None, cursor: Cursor | None = None
    ) -> Reader:
        """Somebody reads everything of the hub."""
        reader = Reader(person, "192.0.2.1", (utc_now() + timedelta(minutes=5)).timestamp())
        self.hall.enter(reader, View.of(hub, TOPICS, role), cursor, now=utc_now().timestamp())
        return reader

    def hears(self, fact: Fact) -> None:
        """The stream says this."""
        self.number += 1
        stream = stream_of(fact.service)
        held = self.hall.held[stream]
        held.sequence = self.number
        raw = fact.model_dump_json().encode()
        told = Told(type(fact), fact.hub, self.number, self.hall.next_order(), fact.id.bytes, raw)
        held.keep(told)
        self.hall.hear(stream, told)


def services() -> Services:
    """Nobody is asked."""
    authenticator = Authenticator(None, load_private_key(new_key()), utc_now, cell="local")
    return Services("local", authenticator, utc_now, 5.0)


def said(reader: Reader) -> list[tuple[str, Any]]:
    """What waits for a reader: name and data of each event."""
    found = []
    for block in b"".join(reader._frames).decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "data" in lines:
            found.append((lines.get("event", "message"), json.loads(lines["data"])))
    return found


def facts_told(reader: Reader) -> list[dict[str, Any]]:
    """The CloudEvents among it."""
    return [data for name, data in said(reader) if name == "message"]


def last_cursor(reader: Reader) -> Cursor:
    """What a browser would send back."""
    ids = [line[4:] for line in b"".join(reader._frames).decode().split("\n") if line.startswith("id: ")]
    found = read(ids[-1])
    assert found is not None
    return found


def live_kinds() -> Iterator[type[Fact]]:
    yield from TOPIC_OF


@pytest.mark.parametrize("kind", [*live_kinds()], ids=lambda kind: str(kind.__name__))
def test_each_fact_reaches_those_who_may_know_and_nobody_else(kind: type[Fact]) -> None:
    fact = told_apart(kind).model_copy(update={"id": new_id()})
    stage = Stage()
    persons = {name: None if name == "nobody" else new_id() for name in READERS}
    readers = {name: stage.enters(fact.hub, role, persons[name]) for name, role in READERS.items()}
    named = {person: stage.enters(fact.hub, None, person) for person in about(fact)}
    elsewhere = stage.enters("another-hub", Role.ADMIN, new_id())
    before = {name: last_cursor(reader) for name, reader in readers.items()}
    stage.hears(fact)
    reached = {name for name, reader in readers.items() if facts_told(reader)}
    assert reached == SHOWN[kind.audience]
    assert not facts_told(elsewhere)
    for name in reached:
        [told] = facts_told(readers[name])
        assert told["data"] == json.loads(fact.model_dump_json())
    for person, reader in named.items():
        [told] = facts_told(reader)
        others = {one for field, value in fact if field in kept_back(kind) for one in ids_in(value)}
        others -= {person, getattr(fact, "introduction", None)}
        assert not [one for one in others if str(one) in json.dumps(told)]
    # Whoever comes back is told the same, and no more.
    for name, role in READERS.items():
        again = stage.enters(fact.hub, role, persons[name], before[name])
        assert bool(facts_told(again)) == (name in reached), name


def test_every_fact_that_is_no_snapshot_has_a_topic_or_is_told_to_nobody_on_purpose() -> None:
    undecided = [
        kind.__name__
        for kind in EVERY_FACT
        if kind not in TOPIC_OF and not issubclass(kind, Snapshot) and not kind.fact.startswith(UNTOLD)
    ]
    assert undecided == [], "put it into a topic in shared/contracts/live.py, or say here that nobody is told"
    assert sum(map(len, TOPICS.values())) == len(TOPIC_OF), "a fact stands in one topic"


def test_every_fact_for_the_named_persons_says_whom_it_is_about() -> None:
    for kind in TOPIC_OF:
        if kind.audience is Audience.PERSONS:
            assert about(example(kind)), kind


@pytest.mark.parametrize("kind", TOPICS["introductions"], ids=lambda kind: str(kind.__name__))
def test_the_two_of_an_introduction_are_told_that_something_happened_and_not_what_the_other_said(
    kind: type[Fact],
) -> None:
    fact: Any = told_apart(kind).model_copy(update={"id": new_id()})
    stage = Stage()
    readers = {name: stage.enters(fact.hub, Role.MEMBER, getattr(fact, name)) for name in ("one", "other")}
    stage.hears(fact)
    for name, reader in readers.items():
        [told] = facts_told(reader)
        base = {"id", "hub", "occurred_at", "subject", "subject_version", "introduction"}
        assert set(told["data"]) == {*base, name}
    if kind is OutcomeSaidV1:
        assert fact.outcome.value not in json.dumps([facts_told(one)[0]["data"] for one in readers.values()])


def test_what_has_happened_to_an_introduction_cannot_be_told_from_what_its_two_are_told() -> None:
    base = example(OutcomeSaidV1).model_dump(
        include={"id", "hub", "occurred_at", "subject", "subject_version"}
    )
    the_two = {"introduction": new_id(), "one": new_id(), "other": new_id()}
    told: dict[str, set[str]] = {"one": set(), "other": set()}
    for kind in TOPICS["introductions"]:
        stage = Stage()
        readers = {name: stage.enters(base["hub"], Role.MEMBER, the_two[name]) for name in told}
        stage.hears(example(kind).model_copy(update=base | the_two))
        for name, reader in readers.items():
            told[name] |= {json.dumps(message) for message in facts_told(reader)}
    assert [len(messages) for messages in told.values()] == [1, 1], "the whole message is the same for each"
    assert json.loads(told["one"].pop())["type"] == INTRODUCTION_CHANGED
    assert INTRODUCTION_CHANGED not in {type_of(kind) for kind in EVERY_FACT}


@pytest.mark.parametrize("kind", [RoleChangedV1, MemberLeftV1])
def test_whose_role_changes_is_told_nothing_more_until_they_have_come_back(kind: type[Fact]) -> None:
    stage, person = Stage(), new_id()
    fact: Any = example(kind).model_copy(update={"person": person, "id": new_id()})
    host, other = (stage.enters(fact.hub, Role.HOST, one) for one in (person, new_id()))
    stage.hears(fact)
    stage.hears(example(EventPublishedV1).model_copy(update={"hub": fact.hub, "id": new_id()}))
    assert facts_told(host) == []
    assert said(host)[-1] == ("close", {"because": "role-changed"})
    assert [one["type"].split(".")[2] for one in facts_told(other)] == [kind.fact, "event-published"]
    # What happened meanwhile is judged by what they are now.
    again = stage.enters(fact.hub, None, person, last_cursor(host))
    assert facts_told(again) == []
    assert dict(said(again))["reset"] == {"because": "foreign"}, "occupancy is shown to them in another way"


def test_a_fact_that_is_stated_again_is_told_once() -> None:
    stage = Stage()
    fact = example(EventPublishedV1).model_copy(update={"id": new_id()})
    reader = stage.enters(fact.hub, Role.MEMBER, new_id())
    stage.hears(fact)
    assert stage.hall.held["EVENTS"].knows(fact.id.bytes)
    assert len(facts_told(reader)) == 1
