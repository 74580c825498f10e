"""Starting series and themes, adding dates to them, and going on with a rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.loading import hub_of, organisers_of
from services.events.commands.starting import Origin, Plan, make, welcome
from services.events.rules import texts
from services.events.rules.authority import Viewer, is_staff, may_see, organises, viewer_of
from services.events.rules.changes import LONGEST_EVENT, check_time
from services.events.rules.recurrence import LEFT_OUT, Dates, expand, wall_text
from services.events.rules.refusals import EventState
from services.events.tables import Event, Hub, Series, SeriesSkip
from shared.contracts.base import NOBODY
from shared.contracts.directory.words import Role
from shared.contracts.events.given import Repeat, ThemeEvent
from shared.contracts.events.requests import AddDate, StartEvent, StartTheme
from shared.contracts.events.words import EventStatus
from shared.kit.errors import Forbidden, Invalid, NotFound
from shared.kit.ids import Ids
from shared.kit.moments import Span, moment, span
from shared.kit.principal import Principal
from shared.kit.timers import set_timer

RULE, THEME = "rule", "theme"
SERIES_EXTENDS = "series-extends"
"""Timer per series whose rule goes on: its next dates are made long before they come."""
AHEAD = timedelta(days=365)
EXTENDED_EVERY = timedelta(days=30)
_OF_ONE_DATE = {"hub", "start", "end", "repeat", "publish", "source", "theme"}
"""What of the order to start a series is not true of each of its dates."""

Moment = tuple[str, datetime]
"""A date of a rule: its wall time, which is what it is known by, and the moment."""


def no_such_series(series: UUID) -> NotFound:
    """Said alike when there is none and when it is not yours to see."""
    return NotFound(f"There is no series {series} here.")


async def start(
    session: AsyncSession, request: StartEvent, who: Principal, *, now: datetime, ids: Ids
) -> Event:
    """Start a series by its first event, or one more event of a theme; the event."""
    if request.source is not None:
        raise Invalid("An imported event repeats nothing and joins no theme.", field="source")
    if request.repeat is None:
        return await _join(session, request, who, now=now, ids=ids)
    if request.theme is not None:
        raise Invalid("A series by a rule joins no theme.", field="theme")
    return await _start_rule(session, request, request.repeat, who, now=now, ids=ids)


async def _join(
    session: AsyncSession, request: StartEvent, who: Principal, *, now: datetime, ids: Ids
) -> Event:
    hub = await welcome(session, request.hub, who)
    theme = await load_to_run(session, request.hub, request.theme or UUID(int=0), who)
    if theme.kind != THEME:
        raise Invalid("That is a series by a rule: add a date to it instead.", field="theme")
    plan = _plan_in(theme, request, ZoneInfo(hub.time_zone), now)
    [event] = await make(session, hub, [plan], who, publish=request.publish, now=now, ids=ids)
    theme.version += 1
    return event


def _plan_in(theme: Series, given: ThemeEvent, zone: ZoneInfo, now: datetime) -> Plan:
    wanted = span(given.start, given.end, zone, longest=LONGEST_EVENT)
    check_time(wanted, now, imported=False)
    return Plan(given, wanted, Origin(theme.id))


async def start_theme(
    session: AsyncSession, request: StartTheme, who: Principal, *, now: datetime, ids: Ids
) -> Series:
    """Start a theme with its events, several a day if need be."""
    hub = await welcome(session, request.hub, who)
    said, own = texts.of_new(request, hub.languages)
    theme = _series(hub, THEME, said, own, who, now=now, ids=ids)
    session.add(theme)
    await session.flush()
    zone = ZoneInfo(hub.time_zone)
    plans = [_plan_in(theme, given, zone, now) for given in request.events]
    await make(session, hub, plans, who, publish=request.publish, now=now, ids=ids)
    return theme


def _series(
    hub: Hub, kind: str, said: texts.Texts, own: str, who: Principal, *, now: datetime, ids: Ids, **more: Any
) -> Series:
    return Series(
        id=ids(),
        hub=hub.slug,
        kind=kind,
        texts=said,
        language=own,
        time_zone=hub.time_zone,
        created_by=who.person,
        created_at=now,
        version=1,
        **more,
    )


async def _start_rule(
    session: AsyncSession, request: StartEvent, repeat: Repeat, who: Principal, *, now: datetime, ids: Ids
) -> Event:
    hub = await welcome(session, request.hub, who)
    zone = ZoneInfo(hub.time_zone)
    wanted = span(request.start, request.end, zone, longest=LONGEST_EVENT)
    check_time(wanted, now, imported=False)
    first = wanted[0].astimezone(zone).replace(tzinfo=None)
    until = max(now, wanted[0]).astimezone(zone).date() + AHEAD
    also, without = _walls(repeat.also, zone, "also"), _walls(repeat.without, zone, "without")
    dates = expand(repeat.rule, first, also, without, zone=zone, until=until)
    if not dates.moments:
        raise Invalid("Every date of the rule is left out.", field="without")
    said, own = texts.of_new(request, hub.languages)
    series = _series(
        hub,
        RULE,
        said,
        own,
        who,
        now=now,
        ids=ids,
        rule=repeat.rule,
        first_start=wall_text(first),
        minutes=max(int((wanted[1] - wanted[0]) / timedelta(minutes=1)), 1),
        template=_template(request, who),
        made_until=until,
    )
    session.add(series)
    await session.flush()
    later = [(wall_text(one), LEFT_OUT) for one in without if one.date() > until]
    await remember_skipped(session, series, [*dates.skipped, *later], now=now)
    made = await make_dates(session, series, dates.moments, who, now=now, ids=ids)
    if dates.goes_on:
        await set_timer(session, SERIES_EXTENDS, str(series.id), now + EXTENDED_EVERY)
    return made[0]


def _template(request: StartEvent, who: Principal) -> dict[str, Any]:
    """What every date of the series is made of, those of later years too."""
    return {
        "given": request.model_dump(mode="json", exclude_unset=True, exclude=_OF_ONE_DATE),
        "publish": request.publish,
        "staff": is_staff(viewer_of(who, request.hub)),
    }


def _walls(given: Sequence[str], zone: ZoneInfo, name: str) -> list[datetime]:
    """Starts as wall times that still say which of two equal ones is meant."""
    return [moment(one, zone, name).astimezone(zone).replace(tzinfo=None) for one in given]


async def remember_skipped(
    session: AsyncSession, series: Series, skipped: Sequence[tuple[str, str]], *, now: datetime
) -> None:
    """Keep which dates were left out and why, so that they can be added again."""
    rows = [
        {"hub": series.hub, "series": series.id, "wall_start": wall, "because": because, "since": now}
        for wall, because in skipped
    ]
    if rows:
        await session.execute(insert(SeriesSkip).values(rows).on_conflict_do_nothing())


async def not_there(session: AsyncSession, series: Series, moments: Sequence[Moment]) -> list[Moment]:
    """Those dates that neither have been made nor are to be left out."""
    made = select(Event.series_start).where(Event.series == series.id, Event.series_start.is_not(None))
    left_out = select(SeriesSkip.wall_start).where(
        SeriesSkip.series == series.id, SeriesSkip.because == LEFT_OUT
    )
    known = {*(await session.scalars(made)).all(), *(await session.scalars(left_out)).all()}
    return [one for one in moments if one[0] not in known]


async def make_dates(
    session: AsyncSession,
    series: Series,
    moments: Sequence[Moment],
    who: Principal,
    *,
    now: datetime,
    ids: Ids,
) -> list[Event]:
    """An event for each date, published if the series is; each asks for its own room."""
    length = timedelta(minutes=series.minutes or 0)
    spans = [(wall, (starts_at, starts_at + length)) for wall, starts_at in moments]
    return await _make_each(session, series, spans, who, now=now, ids=ids)


async def _make_each(
    session: AsyncSession,
    series: Series,
    spans: Sequence[tuple[str, Span]],
    who: Principal,
    *,
    now: datetime,
    ids: Ids,
) -> list[Event]:
    hub = await hub_of(session, series.hub)
    template = series.template or {}
    plans = []
    for wall, (start, end) in spans:
        said = {"start": start.isoformat(), "end": end.isoformat()}
        given = ThemeEvent.model_validate(template["given"] | said)
        plans.append(Plan(given, (start, end), Origin(series.id, wall)))
    events = await make(session, hub, plans, who, publish=template["publish"], now=now, ids=ids)
    for event in events:
        event.time_zone = series.time_zone  # its clocks are those the series was started by
    await session.flush()
    return events


async def load_to_run(session: AsyncSession, hub: str, series: UUID, who: Principal) -> Series:
    """The series, locked; NotFound unless it may be seen, Forbidden unless one may run it."""
    wanted = select(Series).where(Series.hub == hub, Series.id == series).with_for_update()
    found = await session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise no_such_series(series)
    viewer = viewer_of(who, hub)
    if is_staff(viewer) or found.created_by == viewer.person:
        return found
    events = (await session.scalars(_of(found).order_by(Event.starts_at, Event.id))).all()
    if events and organises(viewer, await organisers_of(session, events[0].id)):
        return found
    if not await _any_visible(session, viewer, events):
        raise no_such_series(series)
    raise Forbidden("Only those who organise its first event, and the hub's staff, may do this.")


async def _any_visible(session: AsyncSession, viewer: Viewer, events: Sequence[Event]) -> bool:
    for event in events:
        if may_see(viewer, event, await organisers_of(session, event.id)):
            return True
    return False


def _of(series: Series) -> Any:
    return select(Event).where(Event.series == series.id)


async def add_date(
    session: AsyncSession, series: Series, request: AddDate, who: Principal, *, now: datetime, ids: Ids
) -> Event:
    """Add a date to a series by a rule: a new one, or one that was left out or cancelled."""
    if series.kind != RULE:
        raise EventState("A theme has no pattern to make a date from. Start an event with `theme`.")
    zone = ZoneInfo(series.time_zone)
    begins = moment(request.start, zone, "start")
    ends = begins + timedelta(minutes=series.minutes or 0)
    wanted = span(begins.isoformat(), request.end or ends.isoformat(), zone, longest=LONGEST_EVENT)
    check_time(wanted, now, imported=False)
    wall = wall_text(begins.astimezone(zone))
    there = await session.scalar(_of(series).where(Event.series_start == wall).with_for_update())
    if there is not None and there.status != EventStatus.CANCELLED:
        raise EventState(f"The series has a date {wall} already.")
    if there is not None:
        there.series_start = None  # what was called off stays so; its date is free again
        await session.flush()
    await _forget_skipped(session, series, wall)
    series.version += 1
    [event] = await _make_each(session, series, [(wall, wanted)], who, now=now, ids=ids)
    return event


async def _forget_skipped(session: AsyncSession, series: Series, wall: str) -> None:
    """The date is not left out any more."""
    skipped = await session.get(SeriesSkip, (series.id, wall))
    if skipped is not None:
        await session.delete(skipped)
        await session.flush()


async def extend(session: AsyncSession, series: Series, *, now: datetime, ids: Ids) -> int:
    """Make the dates of the next year that are not there yet; how many. Whoever started the series starts them too."""
    if series.rule is None or series.made_until is None or series.created_by == NOBODY:
        return 0  # nobody is left to have started what comes next
    until = now.astimezone(ZoneInfo(series.time_zone)).date() + AHEAD
    dates = upcoming(series, until=until, since=series.made_until)
    role = Role.HOST if (series.template or {}).get("staff") else Role.MEMBER
    who = Principal(series.created_by, series.hub, role)
    await remember_skipped(session, series, dates.skipped, now=now)
    missing = await not_there(session, series, dates.moments)
    made = await make_dates(session, series, missing, who, now=now, ids=ids)
    series.made_until = until
    series.version += 1 if made else 0
    await session.flush()
    if dates.goes_on:
        await set_timer(session, SERIES_EXTENDS, str(series.id), now + EXTENDED_EVERY)
    return len(made)


def upcoming(series: Series, *, until: date, since: date | None = None) -> Dates:
    """The dates of the series' rule up to a day, its wall times read in the zone it was started in."""
    first = datetime.fromisoformat(series.first_start or "")
    return expand(series.rule or "", first, zone=ZoneInfo(series.time_zone), until=until, since=since)


def wall_of(event: Event) -> datetime:
    """When the event starts on the clocks of its zone."""
    return event.starts_at.astimezone(UTC).astimezone(ZoneInfo(event.time_zone)).replace(tzinfo=None)
