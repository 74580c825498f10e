"""Taking and leaving offered places."""

from __future__ import annotations

import random
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.line import leave, load, state_next
from services.events.queries.sign_ups import no_such_sign_up
from services.events.rules.line import Line, new_code
from services.events.rules.refusals import EventState, LinkUsed, NotOpen, OfferLapsed
from services.events.tables import Event, SignUp
from shared.contracts.events.facts import PlaceTakenV1
from shared.contracts.events.sign_ups import AcceptOffer, DeclineOffer
from shared.contracts.events.words import EventStatus, SignUpStatus
from shared.kit.ids import Ids
from shared.kit.principal import Principal


async def accept(
    session: AsyncSession,
    wanted: AcceptOffer,
    who: Principal,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> SignUp:
    """Take the offered place; accepting twice changes nothing, unless it is by a link, which works once."""
    line, mine = await _mine(session, wanted, who)
    if mine.status == SignUpStatus.ATTENDING:
        return mine
    _refuse_unless_offered(mine)
    if not line.takes(now):
        raise NotOpen("This event does not take place as it was planned, or has begun.")
    if mine.offer_until is None or mine.offer_until <= now:
        # Its timer, due by now, gives the place to the next in line: this transaction ends with the refusal.
        raise _lapsed()
    mine.status, mine.offer_until = SignUpStatus.ATTENDING, None
    mine.code = mine.code or new_code(chance)
    await state_next(session, PlaceTakenV1, mine, line.starts_at, by=who.person, now=now, ids=ids)
    return mine


async def decline(
    session: AsyncSession, wanted: DeclineOffer, who: Principal, *, now: datetime, ids: Ids
) -> SignUp:
    """Leave the offered place to the next; declining twice changes nothing, unless it is by a link."""
    _, mine = await _mine(session, wanted, who)
    if mine.status != SignUpStatus.DECLINED:
        _refuse_unless_offered(mine)
        await leave(session, mine, SignUpStatus.DECLINED, by=who.person, now=now, ids=ids)
    return mine


async def lapse(session: AsyncSession, sign_up: UUID, *, now: datetime, ids: Ids) -> bool:
    """End an offer whose time is up; False when there is nothing to end, or the event is cancelled."""
    place = select(SignUp.hub, SignUp.event, Event.status).join(Event, Event.id == SignUp.event)
    found = (await session.execute(place.where(SignUp.id == sign_up))).first()
    if found is None:
        return False
    _, offered = await load(session, found.hub, found.event, sign_up)
    if offered.status != SignUpStatus.OFFERED or offered.offer_until is None or offered.offer_until > now:
        return False
    # Read again under the lock of the places, without which no event is cancelled.
    if await session.scalar(select(Event.status).where(Event.id == found.event)) == EventStatus.CANCELLED:
        return False
    await leave(session, offered, SignUpStatus.LAPSED, by=None, now=now, ids=ids)
    return True


async def _mine(
    session: AsyncSession, wanted: AcceptOffer | DeclineOffer, who: Principal
) -> tuple[Line, SignUp]:
    line, mine = await load(session, wanted.hub, wanted.event, wanted.sign_up)
    if mine.person != who.person:
        raise no_such_sign_up(wanted.sign_up)
    if wanted.version is not None and wanted.version != mine.version:
        raise _lapsed() if mine.status == SignUpStatus.LAPSED else used()
    return line, mine


def used() -> LinkUsed:
    """The link's one use is over."""
    return LinkUsed("This link has been used, or something has changed since it was sent.")


def _lapsed() -> OfferLapsed:
    return OfferLapsed("The place was kept for you for a while and has gone to the next in line.")


def _refuse_unless_offered(mine: SignUp) -> None:
    if mine.status == SignUpStatus.LAPSED:
        raise _lapsed()
    if mine.status != SignUpStatus.OFFERED:
        raise EventState(f"No place is offered to you: your sign-up is {mine.status}.")
