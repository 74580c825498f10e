"""Everything that is published: which facts and requests exist, by service."""

from __future__ import annotations

from types import ModuleType

from shared.contracts import exporting, operations
from shared.contracts.base import Fact, Request
from shared.contracts.booking import facts as booking_facts
from shared.contracts.booking import requests as booking_requests
from shared.contracts.directory import api_tokens as directory_api_tokens
from shared.contracts.directory import erasure as directory_erasure
from shared.contracts.directory import facts as directory_facts
from shared.contracts.directory import identities as directory_identities
from shared.contracts.directory import requests as directory_requests
from shared.contracts.directory import sessions as directory_sessions
from shared.contracts.events import calendars as event_calendars
from shared.contracts.events import facts as event_facts
from shared.contracts.events import requests as event_requests
from shared.contracts.events import sign_ups as event_sign_ups
from shared.contracts.matching import facts as matching_facts
from shared.contracts.matching import gaps as matching_gaps
from shared.contracts.matching import introductions as matching_introductions
from shared.contracts.matching import matches as matching_matches
from shared.contracts.matching import members as matching_members
from shared.contracts.matching import outcomes as matching_outcomes
from shared.contracts.matching import profiles as matching_profiles
from shared.contracts.matching import skills as matching_skills
from shared.contracts.notify import facts as notify_facts
from shared.contracts.notify import notices as notify_notices
from shared.contracts.notify import webhooks as notify_webhooks


def _public(module: ModuleType, base: type) -> list[type]:
    return [
        member
        for name, member in vars(module).items()
        if isinstance(member, type)
        and issubclass(member, base)
        and member.__module__ == module.__name__
        and not name.startswith("_")
        # pydantic leaves `Request[SomeView]` in the module too; only what names itself is published.
        and ("fact" in vars(member) or "operation" in vars(member))
    ]


FACTS: dict[str, tuple[type[Fact], ...]] = {
    "directory": tuple(_public(directory_facts, Fact)),
    "booking": tuple(_public(booking_facts, Fact)),
    "events": tuple(_public(event_facts, Fact)),
    "matching": tuple(_public(matching_facts, Fact)),
    "notify": tuple(_public(notify_facts, Fact)),
}
"""Fact classes by the service that states them."""

REQUESTS: dict[str, tuple[type[Request], ...]] = {  # type: ignore[type-arg]
    "directory": tuple(
        request
        for module in (
            directory_requests,
            directory_sessions,
            directory_api_tokens,
            directory_erasure,
            directory_identities,
        )
        for request in _public(module, Request)
    ),
    "booking": tuple(_public(booking_requests, Request)),
    "events": tuple(
        request
        for module in (event_requests, event_sign_ups, event_calendars)
        for request in _public(module, Request)
    ),
    "matching": tuple(
        request
        for module in (
            matching_profiles,
            matching_introductions,
            matching_members,
            matching_matches,
            matching_gaps,
            matching_outcomes,
            matching_skills,
        )
        for request in _public(module, Request)
    ),
    "notify": tuple(
        request for module in (notify_notices, notify_webhooks) for request in _public(module, Request)
    ),
}
"""Request classes by the service that answers them."""

_EXPORTS: tuple[type[Request], ...] = tuple(_public(exporting, Request))  # type: ignore[type-arg]
for _service, _known in REQUESTS.items():
    REQUESTS[_service] = (*_known, *(one for one in _EXPORTS if one.service == _service))

OPERATIONS: tuple[type[Request], ...] = tuple(_public(operations, Request))  # type: ignore[type-arg]
"""Requests every service answers for the platform's operator."""


def fact_class(subject: str) -> type[Fact] | None:
    """The class of the fact on this NATS subject, or None when this release does not know it."""
    _, _, service, fact, version = subject.split(".")
    for known in FACTS.get(service, ()):
        if known.fact == fact and f"v{known.version}" == version:
            return known
    return None
