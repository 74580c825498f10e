"""Choosing when one is told of what, over which channel."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, time
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.reminding import remind_anew
from services.notify.rules import kinds
from services.notify.tables import Habit
from shared.contracts.notify.notices import ChangeMyChoices, NewChoice
from shared.contracts.notify.words import ALWAYS, Channel, NoticeKind, Pace
from shared.kit.database import to_be_announced
from shared.kit.errors import Invalid, NotFound, VersionMismatch
from shared.kit.ids import Ids

Place = tuple[str, NoticeKind, Channel]

_CHOOSE = text("""
    INSERT INTO choice (person, hub, kind, channel, pace, chosen_at)
    SELECT :person, one.hub, one.kind, one.channel, one.pace, :now
    FROM unnest(CAST(:hubs AS text[]), CAST(:kinds AS text[]), CAST(:channels AS text[]), CAST(:paces AS text[]))
         AS one (hub, kind, channel, pace)
    ON CONFLICT (person, hub, kind, channel) DO UPDATE SET pace = excluded.pace, chosen_at = excluded.chosen_at
    WHERE choice.pace <> excluded.pace
    RETURNING kind
""")
_UNCHOOSE = text("""
    DELETE FROM choice USING unnest(CAST(:hubs AS text[]), CAST(:kinds AS text[]), CAST(:channels AS text[]))
         AS one (hub, kind, channel)
    WHERE choice.person = :person AND choice.hub = one.hub AND choice.kind = one.kind AND choice.channel = one.channel
    RETURNING choice.kind
""")
_UNKNOWN = text("""
    SELECT one.hub FROM unnest(CAST(:hubs AS text[])) AS one (hub)
    WHERE NOT EXISTS (SELECT 1 FROM hub WHERE slug = one.hub) LIMIT 1
""")
# What waits for its digest or the end of the night is judged by what is chosen now. Reminders have a time of their own.
_JUDGE_ANEW = text("""
    UPDATE notice SET digest = NULL, due_at = :now
    WHERE person = :person AND message IS NULL AND about <> 'reminder'
      AND (digest IS NOT NULL OR due_at > first_at + interval '2 minutes')
""")
_MAIL_AGAIN = text("""
    DELETE FROM stopped_address WHERE address_hash IN (
        SELECT address_hash FROM message WHERE person = :person AND address_hash IS NOT NULL)
""")


async def change_choices(
    session: AsyncSession, request: ChangeMyChoices, *, by: UUID, now: datetime, ids: Ids
) -> None:
    """Choose differently from now on, also for what waits to be told.

    Raises VersionMismatch when something has been chosen meanwhile, AlwaysSent and PaceNotPossible for what cannot be
    chosen, NotFound for a hub nobody knows.
    """
    _check_times(request)
    for one in request.choices:
        kinds.check(one.kind, one.channel, one.when)
    await _check_hubs(session, request.choices)
    habit = await _locked(session, by)
    if habit.version != request.version:
        raise VersionMismatch(
            f"The choices are at version {habit.version} now, not {request.version}: read them again."
        )
    changed = await _choose(session, by, _wanted(request.choices), now)
    changed |= _keep_habits(habit, request)
    if changed:
        habit.version += 1
    await session.flush()
    if request.remind_minutes is not None:
        await remind_anew(session, by, now=now, ids=ids)
    if request.mail_again:
        await session.execute(_MAIL_AGAIN, {"person": by})
    if changed:
        await _judge_anew(session, by, now)


async def unsubscribe(
    session: AsyncSession, hub: str, off: Collection[NoticeKind], *, by: UUID, now: datetime
) -> None:
    """No mail of these kinds from this hub any more; what is always sent stays. Twice changes nothing."""
    places = {(hub, kind, Channel.EMAIL): Pace.OFF for kind in off if kind not in ALWAYS}
    habit = await _locked(session, by)
    if await _choose(session, by, places, now):
        habit.version += 1
        await session.flush()
        await _judge_anew(session, by, now)


async def _locked(session: AsyncSession, person: UUID) -> Habit:
    # Who has chosen nothing yet has no row to lock; two changes at once shall see each other.
    await session.execute(insert(Habit).values(person=person).on_conflict_do_nothing())
    return await session.get_one(Habit, person, with_for_update=True, populate_existing=True)


async def _judge_anew(session: AsyncSession, person: UUID, now: datetime) -> None:
    await session.execute(_JUDGE_ANEW, {"person": person, "now": now})
    to_be_announced(session)


def _wanted(choices: Collection[NewChoice]) -> dict[Place, Pace | None]:
    """The last word on each place: a statement can touch a row only once."""
    return {(one.hub or kinds.EVERYWHERE, one.kind, one.channel): one.when for one in choices}


async def _check_hubs(session: AsyncSession, choices: Collection[NewChoice]) -> None:
    named = sorted({one.hub for one in choices if one.hub is not None and one.when is not None})
    unknown = (await session.execute(_UNKNOWN, {"hubs": named})).scalar() if named else None
    if unknown is not None:
        raise NotFound(f"There is no hub {unknown!r}.", field="hub")


async def _choose(
    session: AsyncSession, person: UUID, wanted: Mapping[Place, Pace | None], now: datetime
) -> bool:
    """Whether anything is chosen differently than before."""
    changed = False
    for statement, places in (
        (_CHOOSE, {place: pace for place, pace in wanted.items() if pace is not None}),
        (_UNCHOOSE, {place: None for place, pace in wanted.items() if pace is None}),
    ):
        if places:
            hubs, of_kinds, channels = (list(column) for column in zip(*places, strict=True))
            asked = {"person": person, "hubs": hubs, "kinds": of_kinds, "channels": channels}
            if statement is _CHOOSE:
                asked |= {"paces": list(places.values()), "now": now}
            changed |= (await session.execute(statement, asked)).first() is not None
    return changed


def _check_times(request: ChangeMyChoices) -> None:
    given = {"digest_at": request.digest_at}
    if request.quiet is not None:
        given |= {"quiet.start": request.quiet.start, "quiet.end": request.quiet.end}
    for field, wall in given.items():
        if wall is not None and wall.tzinfo is not None:
            raise Invalid(f"{field} is the time on the person's wall: leave the offset out.", field=field)


def _minutes(wall: time) -> time:
    return wall.replace(second=0, microsecond=0)


def _keep_habits(habit: Habit, request: ChangeMyChoices) -> bool:
    before = (habit.quiet_start, habit.quiet_end, habit.digest_at, habit.remind_minutes)
    if request.quiet is not None:
        habit.quiet_start, habit.quiet_end = _minutes(request.quiet.start), _minutes(request.quiet.end)
    if request.digest_at is not None:
        habit.digest_at = _minutes(request.digest_at)
    if request.remind_minutes is not None:
        habit.remind_minutes = request.remind_minutes
    return before != (habit.quiet_start, habit.quiet_end, habit.digest_at, habit.remind_minutes)
