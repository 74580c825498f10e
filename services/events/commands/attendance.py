"""Who has come: by code, from the list, or as people without names."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.line import load, state_next
from services.events.commands.loading import load_to_run
from services.events.rules.authority import is_operator, viewer_of
from services.events.rules.line import compared_code, doors_open
from services.events.rules.refusals import EventState, NotAttending, WrongEvent
from services.events.tables import Event, SignUp
from shared.contracts.events.facts import AttendeeCameV1
from shared.contracts.events.sign_ups import RegisterArrival
from shared.contracts.events.words import OPEN, EventStatus, SignUpStatus
from shared.kit.errors import Invalid, NotFound
from shared.kit.ids import Ids
from shared.kit.principal import Principal

_CAME = text("SELECT coalesce(sum(came), 0)::int FROM places WHERE event = :event")


async def register(
    session: AsyncSession, wanted: RegisterArrival, who: Principal, *, now: datetime, ids: Ids
) -> tuple[int, int, UUID | None]:
    """Check somebody in: how many have come with a name and without, and the sign-up it was about."""
    event = await load_to_run(session, wanted.hub, wanted.event, who)
    _refuse_shut_doors(event, who, now)
    sign_up = None
    if wanted.walk_ins is not None:
        await _count(session, event, wanted.walk_ins)
    else:
        sign_up = await _meant(session, event, wanted)
        await _check_in(session, event, sign_up, by=who.person, now=now, ids=ids)
    came = (await session.execute(_CAME, {"event": event.id})).scalar_one()
    return came, event.walk_ins, sign_up


def _refuse_shut_doors(event: Event, who: Principal, now: datetime) -> None:
    if event.status not in OPEN and event.status != EventStatus.HELD:
        raise EventState(f"Nobody comes to an event that is {event.status}.")
    anytime = is_operator(viewer_of(who, event.hub))
    if not anytime and not doors_open(event.starts_at, event.ends_at, now):
        raise EventState(
            "Arrivals are taken down from two hours before the start until a week after the end. "
            "The hub's operators can at any time."
        )


async def _count(session: AsyncSession, event: Event, people: int) -> None:
    if event.walk_ins + people < 0:
        raise Invalid(f"Only {event.walk_ins} have been counted.", field="walk_ins")
    event.walk_ins += people
    await session.flush()


async def _meant(session: AsyncSession, event: Event, wanted: RegisterArrival) -> UUID:
    """Whom the code or the line of the list means."""
    if wanted.sign_up is not None:
        return wanted.sign_up
    code = compared_code(wanted.code or "")
    coded = select(SignUp.id, SignUp.event).where(SignUp.hub == event.hub, SignUp.code == code)
    row = (await session.execute(coded)).first()
    if row is None:
        raise NotFound("Nobody has this code.", field="code")
    sign_up: UUID = row.id
    if row.event != event.id:
        raise WrongEvent("This code is for another event.", field="code")
    return sign_up


async def _check_in(
    session: AsyncSession, event: Event, sign_up: UUID, *, by: UUID, now: datetime, ids: Ids
) -> None:
    line, attendee = await load(session, event.hub, event.id, sign_up)
    if attendee.status != SignUpStatus.ATTENDING:
        raise NotAttending(f"This person has no place: their sign-up is {attendee.status}.")
    if attendee.came_at is None:
        attendee.came_at, attendee.came_by = now, by
        await state_next(session, AttendeeCameV1, attendee, line.starts_at, by=by, now=now, ids=ids)
