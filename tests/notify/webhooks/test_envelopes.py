"""What leaves the system names nobody it must not: tried over every fact there is, and over ones there will be."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from pydantic import AwareDatetime

from services.notify.rules.envelopes import body_of, handed_on_types
from shared.contracts.audiences import kept_back, type_of
from shared.contracts.base import Audience, Fact, Slug
from shared.contracts.booking.words import SpaceKind
from shared.contracts.catalogue import FACTS
from shared.contracts.events.facts import PlaceOfferedV1
from shared.contracts.examples import example
from shared.contracts.streams import HANDED_ON, INTRODUCTION_FACTS, facts_heard_by

EVERY_FACT = [fact for facts in FACTS.values() for fact in facts]
THINGS = {"id", "subject", "event", "booking", "series", "for_event"}
"""Ids that name a thing; whoever adds one here says that it names no person."""
SHOWN_OF_BOOKINGS = {
    "id", "hub", "occurred_at", "subject", "subject_version", "space", "units", "seats", "start", "end",
    "expires_at", "previous_space", "previous_units", "previous_start", "previous_end", "status", "for_event", "imported",
}  # fmt: skip
SHOWN_OF_SIGN_UPS = {
    "id", "hub", "occurred_at", "subject", "subject_version", "event", "guest", "way", "start", "number", "until", "status",
}  # fmt: skip
SHOWN_OF_MATCHING = {
    "id", "hub", "occurred_at", "subject", "subject_version", "change", "by_host", "standing", "lapses_at", "outcome",
}  # fmt: skip
"""What would be left of them; they are never handed on."""
SHOWN_OF_SIGN_INS = {"id", "hub", "occurred_at", "subject", "subject_version", "until"}
"""The same."""
SHOWN = {
    "booking": SHOWN_OF_BOOKINGS,
    "events": SHOWN_OF_SIGN_UPS,
    "matching": SHOWN_OF_MATCHING,
    "directory": SHOWN_OF_SIGN_INS,
    "notify": {"id", "hub", "occurred_at", "subject", "subject_version"},
}


def told_apart(fact: type[Fact]) -> Fact:
    """An example in which no two ids are alike, so that where one turns up says which it is."""
    numbers = itertools.count(0xABCDEF000)
    values: dict[str, Any] = {}
    for name, value in example(fact):
        if isinstance(value, UUID):
            values[name] = UUID(int=next(numbers))
        elif isinstance(value, tuple) and value and isinstance(value[0], UUID):
            values[name] = tuple(UUID(int=next(numbers)) for _ in value)
    return example(fact).model_copy(update={**values, "subject": str(UUID(int=next(numbers)))})


def ids_in(value: Any) -> Iterator[UUID]:
    """Every id anywhere in a value."""
    if isinstance(value, UUID):
        yield value
    if isinstance(value, tuple):
        for one in value:
            yield from ids_in(one)


@pytest.mark.parametrize("kind", EVERY_FACT, ids=lambda kind: str(kind.__name__))
def test_facts_for_the_named_persons_leave_without_them_and_others_whole(kind: type[Fact]) -> None:
    fact = told_apart(kind)
    body = body_of(fact)
    event = json.loads(body)
    assert (event["specversion"], event["id"], event["type"]) == ("1.0", str(fact.id), type_of(kind))
    assert event["source"] == f"/hubs/{fact.hub}/{kind.service}"
    if kind.audience is not Audience.PERSONS:
        assert event["data"] == json.loads(fact.model_dump_json())
        return
    somebodys = [one for name, value in fact if name not in THINGS for one in ids_in(value)]
    assert somebodys
    assert not [one for one in somebodys if str(one) in body or one.hex in body]
    shown = SHOWN[kind.service]
    assert set(event["data"]) <= shown
    assert set(event["data"]) == set(kind.model_fields) & shown


def test_every_audience_is_decided() -> None:
    assert {kind.audience for kind in EVERY_FACT} <= set(Audience)
    assert [kind for kind in EVERY_FACT if kept_back(kind) and kind.audience is not Audience.PERSONS] == []


class SomebodyInvitedV1(Fact):
    """A fact of tomorrow, for the named persons."""

    service = "events"
    fact = "somebody-invited"
    audience = Audience.PERSONS

    event: UUID
    words: dict[str, str]
    invited: UUID
    witnesses: tuple[UUID, ...] | None = None
    nickname: str = "Kim"
    kind: SpaceKind = SpaceKind.EVENT
    space: Slug | None = None
    until: AwareDatetime | None = None
    table: int = 4


def test_a_fact_of_tomorrow_gives_away_nothing_it_has_not_been_asked_for() -> None:
    assert kept_back(SomebodyInvitedV1) == {"invited", "witnesses", "nickname", "words"}


def test_a_subject_that_names_a_person_stays_here_too() -> None:
    fact = example(PlaceOfferedV1)
    named = fact.model_copy(update={"subject": f"nordviken/{fact.person}"})
    event = json.loads(body_of(named))
    assert "subject" not in event
    assert str(fact.person) not in body_of(named)


@pytest.mark.parametrize("kind", INTRODUCTION_FACTS, ids=lambda kind: str(kind.__name__))
def test_an_introduction_would_leave_with_neither_of_its_two_and_does_not_leave_at_all(
    kind: type[Fact],
) -> None:
    fact = example(kind)
    known = fact.model_copy(update={"subject": str(fact.introduction)})  # type: ignore[attr-defined]  # all have one
    persons = {"introduction", "one", "other", "asked_by"}
    assert kept_back(kind) == persons & set(kind.model_fields)
    for somebodys in (known.introduction, known.one, known.other):  # type: ignore[attr-defined]
        assert str(somebodys) not in body_of(known)
    assert type_of(kind) not in handed_on_types()


def test_webhooks_hear_nothing_of_who_opens_a_profile_to_whom_and_who_meets_whom() -> None:
    assert HANDED_ON["matching"] == ()
    assert not [one for one in handed_on_types() if one.startswith("foci.matching.")]


def test_webhooks_hear_every_fact_but_snapshots_and_what_two_services_agree_on() -> None:
    handed_on = {fact for service in ("directory", "booking", "events") for fact in HANDED_ON[service]}
    heard = {fact for service in HANDED_ON for fact in _heard(service)}
    assert heard == handed_on
    assert handed_on_types() == {type_of(fact) for fact in (*handed_on, *HANDED_ON["notify"])}


def _heard(service: str) -> tuple[type[Fact], ...]:
    return () if service in ("matching", "notify") else facts_heard_by(f"notify__hands_on_{service}")
