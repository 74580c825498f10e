"""Changing, publishing and cancelling several dates of a series; one that cannot be changed does not stop the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import changing
from services.events.commands.publishing import publish_drafts, refuse_nowhere
from services.events.commands.series import (
    AHEAD,
    EXTENDED_EVERY,
    RULE,
    SERIES_EXTENDS,
    THEME,
    make_dates,
    not_there,
    remember_skipped,
    upcoming,
    wall_of,
)
from services.events.rules import texts
from services.events.rules.authority import is_staff, viewer_of
from services.events.rules.recurrence import wall_text
from services.events.tables import Event, Series
from shared.contracts.events.given import EventChange
from shared.contracts.events.requests import ChangeSeries
from shared.contracts.events.views import SeriesRefusal
from shared.contracts.events.words import EventStatus
from shared.kit.errors import FociError, Invalid, NotFound
from shared.kit.ids import Ids
from shared.kit.moments import moment
from shared.kit.principal import Principal
from shared.kit.timers import cancel_timer, set_timer

_TEXTS = {"title", "text", "language", "texts"}
_OF_ONE_DATE = {"start", "end", "losing"}
_ENDED = (EventStatus.CANCELLED, EventStatus.HELD)


@dataclass(frozen=True)
class Scope:
    """Which dates are meant: from one on, or all ahead, up to a day."""

    from_event: UUID | None
    until: date | None

    @property
    def to_the_end(self) -> bool:
        """True when the dates still to be made are meant too."""
        return self.until is None


async def _events_in(session: AsyncSession, series: Series, scope: Scope, now: datetime) -> list[Event]:
    """The dates in scope that are ahead, locked, first to last; one that goes its own way only when it is named."""
    asked = select(Event).where(Event.series == series.id, Event.ends_at > now, Event.status.not_in(_ENDED))
    found = (await session.scalars(asked.order_by(Event.id).with_for_update())).all()
    events = sorted(found, key=lambda event: (event.starts_at, event.id))
    if scope.from_event is not None:
        named = [event for event in events if event.id == scope.from_event]
        if not named:
            raise NotFound(f"There is no date {scope.from_event} ahead in this series.", field="from_event")
        events = [event for event in events if event.starts_at >= named[0].starts_at]
    if scope.until is not None:
        events = [event for event in events if wall_of(event).date() <= scope.until]
    return [event for event in events if not event.detached or event.id == scope.from_event]


async def _change_each(
    session: AsyncSession,
    events: Sequence[Event],
    each: Mapping[UUID, EventChange],
    who: Principal,
    *,
    now: datetime,
    ids: Ids,
) -> tuple[SeriesRefusal, ...]:
    """Change each date by itself; what stood against it where it could not be done.

    All together at first: a savepoint for each would take longer than all the rest, and hardly ever is one refused.
    """
    rooms = await changing.venues_of(session, events)
    try:
        async with session.begin_nested():
            done = [
                await changing.apply(session, one, each[one.id], who, rooms, now=now, ids=ids)
                for one in events
            ]
    except FociError as error:
        if error.status >= 500:
            raise
        done, refused = await _one_by_one(session, events, each, who, now=now, ids=ids)
    else:
        refused = ()
    await changing.tell(session, done, by=who.person, now=now, ids=ids)
    return refused


async def _one_by_one(
    session: AsyncSession,
    events: Sequence[Event],
    each: Mapping[UUID, EventChange],
    who: Principal,
    *,
    now: datetime,
    ids: Ids,
) -> tuple[list[changing.Order], tuple[SeriesRefusal, ...]]:
    done, refused = [], []
    for event in events:
        await session.refresh(event)  # what was done to it has been taken back
        start = event.starts_at.astimezone(ZoneInfo(event.time_zone))
        rooms = await changing.venues_of(session, [event])
        try:
            async with session.begin_nested():
                done.append(
                    await changing.apply(session, event, each[event.id], who, rooms, now=now, ids=ids)
                )
        except FociError as error:
            await session.refresh(event)
            refused.append(_refusal(event, start, error))
    return done, tuple(refused)


def _refusal(event: Event, start: datetime, error: FociError) -> SeriesRefusal:
    return SeriesRefusal(event=event.id, start=start, because=error.code, detail=error.detail)


async def change(
    session: AsyncSession, series: Series, request: ChangeSeries, who: Principal, *, now: datetime, ids: Ids
) -> tuple[SeriesRefusal, ...]:
    """Change the dates in scope, each by its own clock; then the rule, if it is another. Says what could not be done."""
    scope = Scope(request.from_event, request.until)
    if request.rule is not None and (series.kind != RULE or not scope.to_the_end):
        raise Invalid("A new rule is for a series by a rule, and goes on without `until`.", field="rule")
    events = await _events_in(session, series, scope, now)
    wanted = _of_dates(series, request.change)
    each = {event.id: _by_own_clock(event, wanted, series) for event in events}

    refused = await _change_each(session, events, each, who, now=now, ids=ids)
    _remember(series, request.change, scope)
    if request.rule is not None:
        await _follow_rule(session, series, request.rule, events, who, now=now, ids=ids)
    series.version += 1
    await session.flush()
    return refused


def _of_dates(series: Series, change: EventChange) -> EventChange:
    """What is said to each date; a theme's title is its own, not its events'."""
    left_out = _TEXTS if series.kind == THEME else set[str]()
    return EventChange.model_validate(change.model_dump(exclude_unset=True, exclude=left_out))


def _by_own_clock(event: Event, change: EventChange, series: Series) -> EventChange:
    """The change with its start and end on the date's own day."""
    zone = ZoneInfo(series.time_zone)
    day = wall_of(event).date()
    given: dict[str, str] = {}
    begins = None
    if change.start is not None:
        begins = moment(change.start, zone, "start").astimezone(zone)
        given["start"] = wall_text(datetime.combine(day, begins.time()))
    if change.end is not None:
        ends = moment(change.end, zone, "end").astimezone(zone)
        later = (ends.date() - begins.date()).days if begins else _nights(event)
        given["end"] = wall_text(datetime.combine(day + timedelta(days=later), ends.time()))
    return change.model_copy(update=given)


def _nights(event: Event) -> int:
    """How many midnights the event lasts over."""
    return (event.ends_at.astimezone(ZoneInfo(event.time_zone)).date() - wall_of(event).date()).days


def _remember(series: Series, change: EventChange, scope: Scope) -> None:
    """Dates still to be made are made as the others are now."""
    said = change.model_fields_set
    if said & _TEXTS and scope.to_the_end and scope.from_event is None:
        series.texts, series.language = texts.changed(series.texts, series.language, change)
    if series.kind != RULE or not scope.to_the_end:
        return
    given = change.model_dump(mode="json", exclude_unset=True, exclude=_OF_ONE_DATE | _TEXTS)
    template = dict(series.template or {})
    present = dict(template["given"])
    if said & _TEXTS:
        known, own = texts.changed(*_texts_of(series, present), change)
        for name in _TEXTS:
            present.pop(name, None)
        present |= {"texts": known, "language": own}
    # What was taken away is left out: a new date then has what one has that says nothing of it.
    given = {name: value for name, value in (present | given).items() if value is not None}
    series.template = template | {"given": given}
    _remember_time(series, change)


def _texts_of(series: Series, given: dict[str, object]) -> tuple[texts.Texts, str]:
    known = given.get("texts")
    own = str(given.get("language") or series.language)
    if isinstance(known, dict):
        return known, own if own in known else next(iter(known))
    return {own: {"title": str(given.get("title")), "text": str(given.get("text") or "")}}, own


def _remember_time(series: Series, change: EventChange) -> None:
    zone = ZoneInfo(series.time_zone)
    first = datetime.fromisoformat(series.first_start or "")
    length = timedelta(minutes=series.minutes or 0)
    if change.start is not None:
        moved = datetime.combine(first.date(), moment(change.start, zone, "start").astimezone(zone).time())
        length -= moved - first if change.end is None else timedelta()
        first = moved
        series.first_start = wall_text(first)
    if change.end is not None:
        ends = moment(change.end, zone, "end").astimezone(zone).time()
        length = datetime.combine((first + length).date(), ends) - first
        length += timedelta(days=1) if length <= timedelta() else timedelta()
    series.minutes = max(int(length / timedelta(minutes=1)), 1)


async def _follow_rule(
    session: AsyncSession,
    series: Series,
    rule: str,
    events: Sequence[Event],
    who: Principal,
    *,
    now: datetime,
    ids: Ids,
) -> None:
    """Dates the new rule gives stay, others are cancelled, missing ones are made."""
    zone = ZoneInfo(series.time_zone)
    begins = wall_of(events[0]) if events else now.astimezone(zone).replace(tzinfo=None)
    time = datetime.fromisoformat(series.first_start or "").time()
    series.rule, series.first_start = rule, wall_text(datetime.combine(begins.date(), time))
    until = now.astimezone(zone).date() + AHEAD
    dates = upcoming(series, until=until)
    given = {wall for wall, _ in dates.moments}
    present = {wall_text(wall_of(event)): event for event in events}
    superfluous = [event for wall, event in present.items() if wall not in given]
    await changing.cancel_all(session, superfluous, reason=None, by=who.person, now=now, ids=ids)
    for event in superfluous:
        # No date of the rule any more: should it ever give that day again, there is a new one.
        event.series_start = None
    await session.flush()
    ahead = [one for one in dates.moments if one[0] not in present and one[1] > now]
    await remember_skipped(session, series, dates.skipped, now=now)
    missing = await not_there(session, series, ahead)
    await make_dates(session, series, missing, who, now=now, ids=ids)
    series.made_until = until
    if dates.goes_on:
        await set_timer(session, SERIES_EXTENDS, str(series.id), now + EXTENDED_EVERY)
    else:
        await cancel_timer(session, SERIES_EXTENDS, str(series.id))


async def cancel(
    session: AsyncSession,
    series: Series,
    scope: Scope,
    reason: str | None,
    who: Principal,
    *,
    now: datetime,
    ids: Ids,
) -> None:
    """Call off the dates in scope; without an end, no more are made."""
    events = await _events_in(session, series, scope, now)
    await changing.cancel_all(session, events, reason=reason, by=who.person, now=now, ids=ids)
    if scope.to_the_end:
        await cancel_timer(session, SERIES_EXTENDS, str(series.id))
    series.version += 1
    await session.flush()


async def publish_all(
    session: AsyncSession, series: Series, who: Principal, *, now: datetime, ids: Ids
) -> tuple[SeriesRefusal, ...]:
    """Publish every draft of it, and the dates still to be made; staff publish what waits for them, too."""
    staff = is_staff(viewer_of(who, series.hub))
    statuses = [EventStatus.DRAFT, *((EventStatus.AWAITING,) if staff else ())]
    asked = select(Event).where(Event.series == series.id, Event.status.in_(statuses))
    found = (await session.scalars(asked.order_by(Event.id).with_for_update())).all()
    ready, refused = [], []
    for event in sorted(found, key=lambda event: (event.starts_at, event.id)):
        try:
            refuse_nowhere(event)
            ready.append(event)
        except Invalid as error:
            refused.append(_refusal(event, event.starts_at.astimezone(ZoneInfo(event.time_zone)), error))
    await publish_drafts(session, ready, who, now=now, ids=ids)
    if series.template is not None:
        series.template = series.template | {"publish": True}
    series.version += 1
    await session.flush()
    return tuple(refused)
