"""Requests events answers with calendars and linked data."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.base import Body, Language, Plain, Request, Slug, described
from shared.contracts.events.views import CalendarFile, FeedPage, FeedView, LinkedData, NewFeedView


class _Calendar(Request[CalendarFile]):
    service = "events"
    reply = CalendarFile

    seen: Plain | None = described("If-None-Match, as it came.", default=None, max_length=500)
    language: Language | None = None


class GetEventCalendar(_Calendar):
    """One event as an iCalendar file."""

    operation = "get-event-calendar"

    hub: Slug
    event: UUID


class GetProgrammeCalendar(_Calendar):
    """A hub's public programme as an iCalendar feed."""

    operation = "get-programme-calendar"

    hub: Slug


class GetPersonalCalendar(_Calendar):
    """A person's events as an iCalendar feed, for whoever knows the address."""

    operation = "get-personal-calendar"

    secret: Annotated[Plain, StringConstraints(max_length=100)]


class GetLinkedData(Request[LinkedData]):
    """One event as schema.org/Event."""

    service = "events"
    operation = "get-linked-data"
    reply = LinkedData

    hub: Slug
    event: UUID
    language: Language | None = None


class NewFeed(Body):
    """Which of my events: those in this hub, or everywhere in the cell."""

    everywhere: bool = False


class MakeFeed(NewFeed, Request[NewFeedView]):
    """Make a secret calendar address for oneself."""

    service = "events"
    operation = "make-feed"
    reply = NewFeedView
    changes = True
    created = True

    hub: Slug


class ListFeeds(Request[FeedPage]):
    """My calendar addresses, without their secrets."""

    service = "events"
    operation = "list-feeds"
    reply = FeedPage

    limit: int = Field(default=50, ge=1, le=200)
    cursor: Plain | None = Field(default=None, max_length=200)


class RevokeFeed(Request[FeedView]):
    """The address answers nobody any more."""

    service = "events"
    operation = "revoke-feed"
    reply = FeedView
    changes = True

    feed: UUID
