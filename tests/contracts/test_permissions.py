"""What each NATS user may do follows from the contracts: everything it must, and nothing of another's."""

from __future__ import annotations

import pytest

from shared.contracts.access import Permissions, operator, permissions
from shared.contracts.booking.facts import OccupancyChangedV1
from shared.contracts.catalogue import FACTS, OPERATIONS, REQUESTS
from shared.contracts.directory.requests import GetContacts
from shared.contracts.live import LIVE_STREAMS
from shared.contracts.streams import CONSUMERS, FOLLOWED, OCCUPANCY, STREAMS, stream_of
from shared.contracts.users import ADMIN, GATEWAY, SERVICES, USERS, follows, inbox_prefix

CELL = "local"
OPERATORS_OF_ONE_HUB = operator("nordviken-figures", ("nordviken",))
OPERATORS_OF_ALL = operator("region")


def _matches(subject: str, pattern: str) -> bool:
    """NATS's rule: `*` is one word, `>` is the rest."""
    words, wanted = subject.split("."), pattern.split(".")
    for place, word in enumerate(wanted):
        if word == ">":
            return len(words) > place
        if place >= len(words) or word not in ("*", words[place]):
            return False
    return len(words) == len(wanted)


def _may(patterns: tuple[str, ...], subject: str) -> bool:
    return any(_matches(subject, pattern) for pattern in patterns)


every_user = pytest.mark.parametrize("user", USERS)
every_service = pytest.mark.parametrize("service", SERVICES)


@every_user
def test_every_user_has_permissions_and_an_inbox_of_its_own(user: str) -> None:
    given = permissions(user, CELL)
    assert given.publish
    assert _may(given.subscribe, f"{inbox_prefix(user)}.abc.def")
    for other in USERS:
        if other != user:
            assert not _may(given.subscribe, f"{inbox_prefix(other)}.abc"), f"{user} reads {other}'s replies"
    assert not {">", "*.>", "_INBOX.>"} & {*given.subscribe, *given.publish}


def test_an_unknown_user_is_an_error_that_names_the_known() -> None:
    with pytest.raises(LookupError, match="gateway, admin, directory, booking, events, matching, notify"):
        permissions("nobody", CELL)


@every_service
def test_a_service_states_its_own_facts_and_no_others(service: str) -> None:
    given = permissions(service, CELL)
    for owner, facts in FACTS.items():
        for fact in facts:
            assert _may(given.publish, fact.subject_for("nordviken")) == (owner == service)
    states_occupancy = any(stream.name == OCCUPANCY and stream.owner == service for stream in STREAMS)
    assert _may(given.publish, OccupancyChangedV1.subject_for("nordviken", "all")) == states_occupancy


@every_service
def test_a_service_hears_its_own_requests_and_sends_only_those_that_are_for_it(service: str) -> None:
    given = permissions(service, CELL)
    assert given.allow_responses
    for owner in SERVICES:
        for request in (*REQUESTS[owner], *OPERATIONS):
            subject = request.subject_for(CELL, owner)
            assert _may(given.subscribe, subject) == (owner == service)
            assert _may(given.publish, subject) == (request.asked_by == service), subject
            assert not _may(given.subscribe, request.subject_for("another-cell", owner))
            assert not _may(given.publish, request.subject_for("another-cell", owner))


def test_only_notify_asks_how_people_are_reached() -> None:
    subject = GetContacts.subject_for(CELL)
    assert [user for user in USERS if _may(permissions(user, CELL).publish, subject)] == ["notify"]
    assert [user for user in USERS if _may(permissions(user, CELL).subscribe, subject)] == ["directory"]


@every_service
def test_a_service_uses_its_own_consumers_and_makes_none(service: str) -> None:
    given = permissions(service, CELL)
    for consumer in CONSUMERS:
        own = consumer.service == service
        name = f"{consumer.stream}.{consumer.durable}"
        assert _may(given.publish, f"$JS.API.CONSUMER.MSG.NEXT.{name}") == own
        assert _may(given.publish, f"$JS.ACK.{name}.1.2.3.4.5") == own
        assert not _may(given.publish, f"$JS.API.CONSUMER.CREATE.{name}")
        assert not _may(given.publish, f"$JS.API.CONSUMER.DELETE.{name}")
    for stream in STREAMS:
        for act in ("CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE"):
            assert not _may(given.publish, f"$JS.API.STREAM.{act}.{stream.name}")


@every_service
def test_a_service_follows_its_own_facts_only_if_it_keeps_something_in_memory(service: str) -> None:
    given = permissions(service, CELL)
    for owner in SERVICES:
        follow = f"$JS.API.CONSUMER.CREATE.{stream_of(owner)}.any-name.{follows(owner)}"
        assert _may(given.publish, follow) == (owner == service and service in FOLLOWED)
    for consumer in CONSUMERS:
        # By the name of a declared consumer it would change that one, which may be another service's.
        create = f"$JS.API.CONSUMER.CREATE.{consumer.stream}.{consumer.durable}.{consumer.filters[0]}"
        assert not _may(given.publish, create) or _may(given.not_publish, create)
    every_fact = f"$JS.API.CONSUMER.CREATE.{stream_of(service)}.any-name.hubs.>"
    assert not _may(given.publish, every_fact)


def test_only_the_gateway_sends_what_people_ask_and_only_admin_the_rest() -> None:
    gateway, admin = permissions(GATEWAY, CELL), permissions(ADMIN, CELL)
    for owner in SERVICES:
        for request in (*REQUESTS[owner], *OPERATIONS):
            subject = request.subject_for(CELL, owner)
            assert _may(gateway.publish, subject) == (not request.admin and request.asked_by is None), subject
            assert _may(admin.publish, subject) == request.admin, subject
    assert not gateway.allow_responses


@pytest.mark.parametrize("user", [GATEWAY, ADMIN])
def test_neither_gateway_nor_admin_can_state_a_fact(user: str) -> None:
    given = permissions(user, CELL)
    for facts in FACTS.values():
        for fact in facts:
            assert not _may(given.publish, fact.subject_for("nordviken"))
    assert not _may(given.publish, OccupancyChangedV1.subject_for("nordviken", "all"))


def _follow(hub: str) -> str:
    return f"$JS.API.CONSUMER.CREATE.{OCCUPANCY}.any-name.occupancy.{hub}.>"


def test_an_operator_follows_the_occupancy_of_its_hub_and_of_no_other() -> None:
    assert _may(OPERATORS_OF_ONE_HUB.publish, _follow("nordviken"))
    assert not _may(OPERATORS_OF_ONE_HUB.publish, _follow("other"))
    assert not _may(OPERATORS_OF_ONE_HUB.publish, f"$JS.API.CONSUMER.CREATE.{OCCUPANCY}.any-name.occupancy.>")
    assert not _may(OPERATORS_OF_ONE_HUB.publish, f"$JS.API.CONSUMER.CREATE.{OCCUPANCY}.any-name")
    assert _may(OPERATORS_OF_ALL.publish, _follow("nordviken"))
    assert _may(OPERATORS_OF_ALL.publish, f"$JS.API.CONSUMER.CREATE.{OCCUPANCY}.any-name.occupancy.>")


@pytest.mark.parametrize("given", [OPERATORS_OF_ONE_HUB, OPERATORS_OF_ALL])
def test_an_operator_reads_occupancy_and_nothing_else(given: Permissions) -> None:
    assert not given.allow_responses
    for facts in FACTS.values():
        for fact in facts:
            assert not _may(given.publish, fact.subject_for("nordviken"))
            assert not _may(given.subscribe, fact.subject_for("nordviken"))
    for owner in SERVICES:
        for request in (*REQUESTS[owner], *OPERATIONS):
            assert not _may(given.publish, request.subject_for(CELL, owner))
            assert not _may(given.subscribe, request.subject_for(CELL, owner))
    for stream in STREAMS:
        if stream.name != OCCUPANCY:
            assert not _may(given.publish, f"$JS.API.STREAM.INFO.{stream.name}")
            assert not _may(given.publish, f"$JS.API.CONSUMER.CREATE.{stream.name}.any-name.hubs.>")
    assert not _may(given.publish, OccupancyChangedV1.subject_for("nordviken", "all"))
    assert not _may(given.publish, f"$JS.API.STREAM.PURGE.{OCCUPANCY}")


def test_operators_do_not_read_each_others_replies() -> None:
    prefix = inbox_prefix("operator_region")
    assert _may(OPERATORS_OF_ALL.subscribe, f"{prefix}.abc")
    assert not _may(OPERATORS_OF_ONE_HUB.subscribe, f"{prefix}.abc")


def test_the_gateway_follows_what_is_live_and_takes_nothing_from_a_stream() -> None:
    gateway = permissions(GATEWAY, CELL)
    durables = {consumer.durable: consumer.filters for consumer in CONSUMERS}
    for stream in STREAMS:
        live = stream.name in LIVE_STREAMS
        assert _may(gateway.publish, f"$JS.API.STREAM.INFO.{stream.name}") == live
        for subject in stream.subjects:
            assert _may(gateway.publish, f"$JS.API.CONSUMER.CREATE.{stream.name}.any-name.{subject}") == live
        for act in ("CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE", "MSG.GET"):
            assert not _may(gateway.publish, f"$JS.API.STREAM.{act}.{stream.name}")
    for durable, filters in durables.items():
        for stream in STREAMS:
            assert not _may(gateway.publish, f"$JS.API.CONSUMER.CREATE.{stream.name}.{durable}")
            assert not _may(gateway.publish, f"$JS.API.CONSUMER.MSG.NEXT.{stream.name}.{durable}")
            assert not _may(gateway.publish, f"$JS.API.CONSUMER.DELETE.{stream.name}.{durable}")
            assert not _may(gateway.publish, f"$JS.ACK.{stream.name}.{durable}.1.2.3.4.5")
            for one in filters:
                create = f"$JS.API.CONSUMER.CREATE.{stream.name}.{durable}.{one}"
                assert not _may(gateway.publish, create) or _may(gateway.not_publish, create), create
