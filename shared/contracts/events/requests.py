"""Requests events answers about events, series and figures."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts.base import Body, Language, Plain, Request, ShownLine, ShownText, Slug, When, described
from shared.contracts.events.given import EventChange, NewEvent, NewTheme
from shared.contracts.events.views import EventFigures, EventPage, EventSettingsView, EventView, SeriesView
from shared.contracts.events.words import EventStatus


class StartEvent(NewEvent, Request[EventView]):
    """Start an event, or the first of a series; any member may."""

    service = "events"
    operation = "start-event"
    reply = EventView
    changes = True
    created = True

    hub: Slug


class StartTheme(NewTheme, Request[SeriesView]):
    """Start a theme with its events."""

    service = "events"
    operation = "start-theme"
    reply = SeriesView
    changes = True
    created = True

    hub: Slug


class _OneEvent(Request[EventView]):
    service = "events"
    reply = EventView

    hub: Slug
    event: UUID


class GetEvent(_OneEvent):
    """One event, for those who may see it."""

    operation = "get-event"

    language: Language | None = None


class ChangeEvent(EventChange, _OneEvent):
    """Change one event; a new time or room waits until booking has agreed."""

    operation = "change-event"
    changes = True

    version: int


class PublishEvent(_OneEvent):
    """Let people see it; with a space, as soon as booking has confirmed it."""

    operation = "publish-event"
    changes = True


class EventCancellation(Body):
    """Why an event is cancelled; everybody who sees it sees this."""

    reason: ShownLine | None = None


class CancelEvent(EventCancellation, _OneEvent):
    """It does not take place. Cancelling twice changes nothing."""

    operation = "cancel-event"
    changes = True


class EventReason(Body):
    """A reason the author sees."""

    reason: ShownLine


class ApproveEvent(_OneEvent):
    """Let a member's event be published, where the hub approves."""

    operation = "approve-event"
    changes = True


class ReturnEvent(EventReason, _OneEvent):
    """Do not approve, with a reason."""

    operation = "return-event"
    changes = True


class HideEvent(EventReason, _OneEvent):
    """Hide a published event, with a reason its author sees and can answer."""

    operation = "hide-event"
    changes = True


class ShowEvent(_OneEvent):
    """Show a hidden event again."""

    operation = "show-event"
    changes = True


class HidingAnswer(Body):
    """What the author says to the hub."""

    answer: Annotated[ShownText, StringConstraints(min_length=1)]


class AnswerHiding(HidingAnswer, _OneEvent):
    """Answer the hub's reason."""

    operation = "answer-hiding"
    changes = True


class ListEvents(Request[EventPage]):
    """A hub's events by time, those the one who asks may see."""

    service = "events"
    operation = "list-events"
    reply = EventPage

    hub: Slug
    start: When | None = described("Only those that end after this.", default=None)
    end: When | None = described("Only those that start before this.", default=None)
    kind: Plain | None = Field(default=None, max_length=60)
    tag: Plain | None = Field(default=None, max_length=40)
    status: tuple[EventStatus, ...] = Field(default=(), max_length=7)
    series: UUID | None = None
    calendar: Plain | None = described("Only imported from this calendar.", default=None, max_length=200)
    mine: bool = False
    language: Language | None = None
    limit: int = Field(default=50, ge=1, le=100)
    cursor: Plain | None = Field(default=None, max_length=200)


class ListMyEvents(Request[EventPage]):
    """Events the signed-in person has signed up for or runs, in all hubs of this cell."""

    service = "events"
    operation = "list-my-events"
    reply = EventPage

    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    language: Language | None = None
    limit: int = Field(default=50, ge=1, le=100)
    cursor: Plain | None = Field(default=None, max_length=200)


class _OneSeries(Request[SeriesView]):
    service = "events"
    reply = SeriesView

    hub: Slug
    series: UUID


class GetSeries(_OneSeries):
    """A series with the dates it left out."""

    operation = "get-series"

    language: Language | None = None


class _Scope(Body):
    from_event: UUID | None = described("This date and those after it; null: all ahead.", default=None)
    until: date | None = described("The last day concerned.", default=None)


class SeriesChange(_Scope):
    """A change of several dates; `start` and `end` give the new wall time of each."""

    change: EventChange = EventChange()
    rule: Annotated[Plain, StringConstraints(min_length=6, max_length=500)] | None = None


class ChangeSeries(SeriesChange, _OneSeries):
    """Change this and following, or a range; a date that cannot be changed does not stop the others."""

    operation = "change-series"
    changes = True

    version: int


class SeriesCancellation(_Scope):
    """Which dates do not take place, and why."""

    reason: ShownLine | None = None


class CancelSeries(SeriesCancellation, _OneSeries):
    """Cancel this and following, or a range."""

    operation = "cancel-series"
    changes = True


class PublishSeries(_OneSeries):
    """Publish every draft of it."""

    operation = "publish-series"
    changes = True


class NewDate(Body):
    """A date to add: a new one, or one that was left out."""

    start: When
    end: When | None = None


class AddDate(NewDate, Request[EventView]):
    """Add a date to a series."""

    service = "events"
    operation = "add-date"
    reply = EventView
    changes = True
    created = True

    hub: Slug
    series: UUID


class GetEventSettings(Request[EventSettingsView]):
    """A hub's choices about events; open to everybody."""

    service = "events"
    operation = "get-event-settings"
    reply = EventSettingsView

    hub: Slug


class EventSettingsChange(Body):
    """What shall be different."""

    approval: bool | None = None


class ChangeEventSettings(EventSettingsChange, Request[EventSettingsView]):
    """Change a hub's choices about events. For operators and admins."""

    service = "events"
    operation = "change-event-settings"
    reply = EventSettingsView
    changes = True

    hub: Slug
    version: int


class GetEventFigures(Request[EventFigures]):
    """Meetups and participants of a year, and how little stood in the way."""

    service = "events"
    operation = "get-event-figures"
    reply = EventFigures

    hub: Slug
    year: int = Field(ge=1990, le=2199)
