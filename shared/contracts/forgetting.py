"""Forgetting a person: what every service answers when directory has stated that somebody is erased."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Audience, Fact, Slug, View, described


class Deed(StrEnum):
    """What became of something that was held of a person."""

    ERASED = "erased"
    ANONYMISED = "anonymised"
    KEPT = "kept"


class Thing(StrEnum):
    """The kinds of things that services tell of. The gateway has words for each in every language it speaks.

    On the wire it is any word: who reads it may be older than who tells it.
    """

    PERSON = "person"
    MEMBERSHIPS = "memberships"
    SESSIONS = "sessions"
    API_TOKENS = "api-tokens"
    LOOKS = "looks"
    BOOKINGS_AHEAD = "bookings-ahead"
    BOOKINGS = "bookings"
    BOOKINGS_FOR_OTHERS = "bookings-for-others"
    ROOMS_OF_EVENTS = "rooms-of-events"
    DRAFTS = "drafts"
    PLACES_AHEAD = "places-ahead"
    SIGN_UPS = "sign-ups"
    ORGANISED = "organised"
    EVENTS_STARTED = "events-started"
    DECISIONS = "decisions"
    PUBLISHED_TEXTS = "published-texts"
    ANSWERS_TO_THE_HUB = "answers-to-the-hub"
    FEEDS = "feeds"
    PROFILES = "profiles"
    INTRODUCTIONS = "introductions"
    SUGGESTIONS = "suggestions"
    TARGETS = "targets"
    CHOICES = "choices"
    NOTICES = "notices"
    MESSAGES = "messages"
    STOPPED_ADDRESSES = "stopped-addresses"
    SIGN_INS = "sign-ins"
    EVENTS = "events"
    DONE_FOR_OTHERS = "done-for-others"
    WEBHOOKS = "webhooks"
    KEPT_ANSWERS = "kept-answers"
    ID = "id"
    FACTS = "facts"


class Reason(StrEnum):
    """Why something is kept: docs/erasure.md explains each, the gateway says it in words."""

    STAYS_FORGOTTEN = "stays-forgotten"
    THIRTY_DAYS = "thirty-days"
    PROGRAMME_OF_THE_HUB = "programme-of-the-hub"


class Told(View):
    """What became of one kind of thing a service held of a person."""

    what: Slug = described("The kind of thing, for example `bookings`.")
    deed: Deed
    count: int | None = Field(
        default=None, ge=0, description="How many of them; null where that is not counted."
    )
    because: Slug | None = described("Why it was kept, as a word docs/erasure.md explains.", default=None)


class PersonForgotten(Fact):
    """Base of the services' answers: the service holds nothing of the person any more but what it says it kept.

    A service may answer more than once, when something of the person was still on its way: what it says adds up.
    """

    audience = Audience.PERSONS

    person: UUID
    erased: dict[Slug, int] = described("How many of each kind are gone.", default={})
    anonymised: dict[Slug, int] = described("How many of each kind go on with nobody in them.", default={})
    kept: dict[Slug, Slug] = described(
        "What is kept, with a word for why; docs/erasure.md explains.", default={}
    )

    @property
    def told(self) -> tuple[Told, ...]:
        """The same, a line for each kind."""
        return (
            *(Told(what=what, deed=Deed.ERASED, count=count) for what, count in self.erased.items()),
            *(Told(what=what, deed=Deed.ANONYMISED, count=count) for what, count in self.anonymised.items()),
            *(Told(what=what, deed=Deed.KEPT, because=why) for what, why in self.kept.items()),
        )
