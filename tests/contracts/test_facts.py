"""Facts: named and addressed right, with an audience, without private text; every consumer hears what exists."""

from __future__ import annotations

import random
import re
import typing
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel

from services.booking.main import hears as booking_hears
from services.directory.main import hears as directory_hears
from services.events.main import hears as events_hears
from services.matching.main import hears as matching_hears
from services.notify.main import hears as notify_hears
from shared.contracts.base import Audience, Fact, Snapshot
from shared.contracts.booking.facts import Occupancy, OccupancyChangedV1
from shared.contracts.catalogue import FACTS, REQUESTS, fact_class
from shared.contracts.streams import CONSUMERS, STREAMS, facts_heard_by, stream_of
from shared.contracts.users import SERVICES
from shared.kit.bus import Consumer
from shared.kit.ids import new_id, utc_now
from tests.notify.world import SETTINGS

ALL_FACTS = tuple(fact for facts in FACTS.values() for fact in facts)
every_fact = pytest.mark.parametrize("fact", ALL_FACTS, ids=lambda one: one.__name__)

_PRIVATE = re.compile(
    r"name|title|e?mail|phone|address|note|text|comment|message|reason|description|goal|reflection|secret|token|code|"
    r"about|birth|contact|website|link|url",
)
PUBLIC_NAMES = {
    "HubRegisteredV1.name": "the hub's public name, shown to everybody in the directory",
    "HubProfileChangedV1.name": "the hub's public name",
    "HubSnapshotV1.name": "the hub's public name",
    "OrganisationRegisteredV1.name": "the public name of a company or society, chosen to be shown",
    "SpaceOpenedV1.name": "the space's public name, on its door",
    "SpaceRulesChangedV1.name": "the space's public name",
    "SpaceSnapshotV1.name": "the space's public name",
    "HubRegisteredV1.municipality": "a town, not a person",
    "HubProfileChangedV1.municipality": "a town, not a person",
    "HubSnapshotV1.municipality": "a town, not a person",
    "HubRegisteredV1.region": "a region, not a person",
    "HubProfileChangedV1.region": "a region, not a person",
    "HubSnapshotV1.region": "a region, not a person",
    "HubRegisteredV1.country": "an ISO code",
    "HubProfileChangedV1.country": "an ISO code",
    "HubSnapshotV1.country": "an ISO code",
    "HubRegisteredV1.time_zone": "an IANA name",
    "HubProfileChangedV1.time_zone": "an IANA name",
    "HubSnapshotV1.time_zone": "an IANA name",
    "EventPublishedV1.titles": "what its organisers published to that audience; drafts are never stated",
    "EventChangedV1.titles": "what its organisers published to that audience; empty while hidden",
    "EventCancelledV1.titles": "what its organisers published to that audience; empty while hidden",
    "EventSnapshotV1.titles": "what its organisers published to that audience; empty while hidden",
}
"""Fields of free text that facts may carry, each with the reason. Whatever few may know never enters a fact."""


def test_every_service_is_a_user_of_the_bus_and_publishes_what_it_says() -> None:
    assert tuple(FACTS) == SERVICES
    assert tuple(REQUESTS) == SERVICES


@every_fact
def test_every_fact_says_who_may_be_shown_it(fact: type[Fact]) -> None:
    assert isinstance(getattr(fact, "audience", None), Audience), (
        f"{fact.__name__} has no audience: declare one"
    )


@every_fact
def test_a_facts_name_is_its_subject(fact: type[Fact]) -> None:
    words = re.sub(r"(?<!^)(?=[A-Z])", "-", fact.__name__.removesuffix(f"V{fact.version}")).lower()
    assert words == fact.fact
    assert fact.__name__.endswith(f"V{fact.version}")
    assert fact.__doc__, f"{fact.__name__} does not say what happened"
    assert fact.__doc__ != Fact.__doc__


@every_fact
def test_subjects_parse_back(fact: type[Fact]) -> None:
    assert fact_class(fact.subject_for("nordviken")) is fact


def test_no_two_facts_share_a_subject() -> None:
    subjects = [fact.subject_for("*") for fact in ALL_FACTS]
    assert len(set(subjects)) == len(subjects)


def test_a_fact_of_tomorrow_is_no_error() -> None:
    assert fact_class("hubs.nordviken.booking.booking-confirmed.v99") is None
    assert fact_class("hubs.nordviken.impact.year-closed.v1") is None


def _text_fields(fact: type[BaseModel]) -> set[str]:
    """Fields that can hold free text: strings that no pattern confines, alone, optional or in a list."""
    found = set()
    for name, schema in fact.model_json_schema()["properties"].items():
        kinds = [schema, *schema.get("anyOf", ()), schema.get("items", {})]
        if any(
            kind.get("type") == "string" and not {"pattern", "format", "enum", "const"} & kind.keys()
            for kind in kinds
        ):
            found.add(name)
    return found


@every_fact
def test_no_private_text_travels_in_a_fact(fact: type[Fact]) -> None:
    smells = {name for name in fact.model_fields if _PRIVATE.search(name)}
    suspects = (_text_fields(fact) | smells) - {"subject"}
    unexplained = sorted(name for name in suspects if f"{fact.__name__}.{name}" not in PUBLIC_NAMES)
    assert not unexplained, (
        f"{fact.__name__} carries {unexplained}: facts carry ids, not text about people. If everybody may read it, "
        "say why in PUBLIC_NAMES."
    )


def test_the_allowlist_names_only_fields_that_exist() -> None:
    known = {f"{fact.__name__}.{name}" for fact in ALL_FACTS for name in fact.model_fields}
    assert PUBLIC_NAMES.keys() <= known


def test_a_planted_private_field_is_found() -> None:
    class Leaky(Fact):
        """A fact with a title in it."""

        service = "booking"
        fact = "leaky"
        audience = Audience.PERSONS
        title: str

    with pytest.raises(AssertionError, match=r"carries \['title'\]"):
        test_no_private_text_travels_in_a_fact(Leaky)


@every_fact
def test_what_everybody_may_see_names_no_person(fact: type[Fact]) -> None:
    if fact.audience is Audience.PUBLIC:
        assert not {"person", "by", "booked_by", "member"} & fact.model_fields.keys()


def test_occupancy_names_no_person_and_no_booking() -> None:
    assert {*Occupancy.model_fields} == {
        "hub", "space", "capacity", "booked", "present", "free", "at", "version",
    }  # fmt: skip
    assert OccupancyChangedV1.audience is Audience.OPERATORS


@every_fact
def test_fields_have_types_that_other_languages_know(fact: type[Fact]) -> None:
    known = (str, int, bool, UUID, AwareDatetime, type(None))
    for name, field in fact.model_fields.items():
        for kind in _leaves(field.annotation):
            enumeration = isinstance(kind, type) and issubclass(kind, (StrEnum, *known[:4]))
            assert enumeration or kind in known or str(kind).endswith("datetime'>"), (
                f"{fact.__name__}.{name}: {kind}"
            )


def _leaves(annotation: Any) -> list[Any]:
    parts = [part for part in typing.get_args(annotation) if part is not Ellipsis]
    if typing.get_origin(annotation) is typing.Annotated or hasattr(annotation, "__metadata__"):
        return _leaves(parts[0])
    return [leaf for part in parts for leaf in _leaves(part)] if parts else [annotation]


def test_every_filter_names_an_existing_fact() -> None:
    subjects = {fact.subject_for("*"): fact for fact in ALL_FACTS}
    for consumer in CONSUMERS:
        unknown = [one for one in consumer.filters if one not in subjects]
        assert not unknown, f"{consumer.durable} listens to {unknown}, which nobody states"
        assert all(stream_of(subjects[one].service) == consumer.stream for one in consumer.filters)
        assert consumer.service in SERVICES
        assert len(set(consumer.filters)) == len(consumer.filters)


def test_durable_names_and_streams_are_unique() -> None:
    assert len({one.durable for one in CONSUMERS}) == len(CONSUMERS)
    assert len({one.name for one in STREAMS}) == len(STREAMS)


def _built() -> list[Consumer]:
    nowhere: Any = None  # built, not used: only what they listen to is looked at
    return [
        *directory_hears(nowhere, clock=utc_now, ids=new_id),
        *booking_hears(nowhere, clock=utc_now, ids=new_id, chance=random.Random(1)),
        *events_hears(nowhere, clock=utc_now, ids=new_id),
        *matching_hears(nowhere, clock=utc_now, ids=new_id),
        *notify_hears(nowhere, SETTINGS, clock=utc_now, ids=new_id),
    ]


def test_every_declared_consumer_is_built_and_hears_what_is_declared() -> None:
    built = {one.durable: one for one in _built()}
    assert built.keys() == {one.durable for one in CONSUMERS}
    for durable, consumer in built.items():
        assert set(consumer._effects) == set(facts_heard_by(durable)), (
            f"{durable} listens to other facts than it acts on: make its filters in shared/contracts/streams.py and its "
            "effects in consumers.py the same"
        )


def test_a_consumer_that_keeps_order_hears_every_fact_of_its_entities() -> None:
    """It parks a fact whose predecessor is missing; one it never hears of would keep it waiting for ever."""
    for consumer in _built():
        if not consumer._in_order:
            continue
        heard = set(facts_heard_by(consumer.durable))
        families = {_entity(fact) for fact in heard}
        missing = {
            fact for fact in ALL_FACTS if _entity(fact) in families and not issubclass(fact, Snapshot)
        } - heard
        assert not missing, f"{consumer.durable} does not hear {sorted(one.__name__ for one in missing)}"


def _entity(fact: type[Fact]) -> type:
    """Facts of one kind of entity share their first base class."""
    return fact.__bases__[0]
