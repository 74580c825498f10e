"""Guests: asked to follow a link, and then like everybody."""

from __future__ import annotations

import random
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import line as lines
from services.events.commands.line import Entrant, fact_of
from services.events.commands.loading import load
from services.events.commands.offers import used
from services.events.queries.sign_ups import no_such_sign_up
from services.events.rules.line import PENDING_FOR, STATED_AGAIN_AFTER, first_way
from services.events.rules.refusals import AlreadySignedUp, EventFull, NotOpen, OfferLapsed
from services.events.tables import SignUp
from shared.contracts.events.facts import OfferLapsedV1, SignUpPendingV1
from shared.contracts.events.sign_ups import ConfirmSignUp, SignUpGuest
from shared.contracts.events.views import GuestAnswer, SignUpView
from shared.contracts.events.words import SignUpStatus, Visibility, Way
from shared.kit.errors import FociError
from shared.kit.ids import Ids
from shared.kit.outbox import emit
from shared.kit.principal import Principal
from shared.kit.timers import set_timer

PENDING = "pending-lapses"
"""Kind of the timer that ends the sign-up of a guest who has not followed the link; its key is `<sign-up>/<version>`."""

_PLACES = text("""
    SELECT way, open AND closes_at > :now AS takes, NOT waits AND (waiting > 0 OR taken >= capacity) AS is_full
    FROM places WHERE event = :event
""")


async def request(
    session: AsyncSession, wanted: SignUpGuest, who: Principal | None, *, now: datetime, ids: Ids
) -> GuestAnswer:
    """Note that a guest wants to come, and have a link sent; no place is taken before it has been followed.

    The answer is the same whether the guest is new, has been asked already, or attends: who asks need not be the guest.
    """
    event = await load(session, wanted.hub, wanted.event, who, lock=False)
    if event.visibility != Visibility.PUBLIC:
        raise NotOpen("Guests can sign up for public events only.")
    way = await _way(session, wanted, now)
    pending = await _noted(session, wanted, way, now=now, ids=ids)
    until = now + PENDING_FOR
    if pending is not None:
        await emit(
            session,
            fact_of(SignUpPendingV1, pending, event.starts_at, by=None, now=now, ids=ids, until=until),
        )
        await set_timer(session, PENDING, f"{pending.id}/{pending.version}", until)
    return GuestAnswer(event=event.id, until=until)


async def _way(session: AsyncSession, wanted: SignUpGuest, now: datetime) -> Way:
    """How the guest takes part; refuses as signing up would, from what is known now."""
    rows = (await session.execute(_PLACES, {"event": wanted.event, "now": now})).all()
    ways = {Way(row.way): row for row in rows}
    way = wanted.way or first_way(tuple(ways))
    if way not in ways:
        raise lines.no_such_way(wanted.event)
    if not ways[way].takes:
        raise NotOpen("Nobody can sign up for this event now.")
    if ways[way].is_full:
        raise EventFull("All places are taken, and this event has no waiting line.")
    return way


async def _noted(
    session: AsyncSession, wanted: SignUpGuest, way: Way, *, now: datetime, ids: Ids
) -> SignUp | None:
    """The pending sign-up that is to be told of; None when the guest takes part already or has just been asked."""
    new = insert(SignUp).values(
        id=ids(),
        hub=wanted.hub,
        event=wanted.event,
        way=way,
        person=wanted.guest,
        guest=True,
        status=SignUpStatus.PENDING,
        pending_until=now + PENDING_FOR,
        signed_up_at=now,
        changed_at=now,
    )
    made = await session.scalar(new.on_conflict_do_nothing().returning(SignUp.id))
    mine = select(SignUp).where(SignUp.event == wanted.event, SignUp.person == wanted.guest)
    known = await session.scalar(mine.with_for_update().execution_options(populate_existing=True))
    if made is not None or known is None:
        return known
    asked_lately = known.status == SignUpStatus.PENDING and known.changed_at > now - STATED_AGAIN_AFTER
    if known.status in lines.LIVE or asked_lately:
        return None
    known.status, known.way, known.number = SignUpStatus.PENDING, way, None
    known.pending_until = now + PENDING_FOR
    known.version, known.changed_at = known.version + 1, now
    await session.flush()
    return known


async def confirm(
    session: AsyncSession,
    wanted: ConfirmSignUp,
    who: Principal,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> SignUpView:
    """The guest has followed the link: now they sign up like everybody. A link works once."""
    asked = select(SignUp).where(
        SignUp.hub == wanted.hub, SignUp.event == wanted.event, SignUp.id == wanted.sign_up
    )
    pending = await session.scalar(asked)  # unlocked: the places come first
    if pending is None or pending.person != who.person:
        raise no_such_sign_up(wanted.sign_up)
    if pending.status != SignUpStatus.PENDING or wanted.version not in (None, pending.version):
        raise used()
    if pending.pending_until is None or pending.pending_until <= now:
        raise OfferLapsed("You have not confirmed in time. Sign up again if there is still a place.")
    entrant = Entrant(who.person, pending.guest, who.within(wanted.hub) is not None)
    way = Way(pending.way)
    [outcome] = await lines.enter(
        session, wanted.hub, wanted.event, way, [entrant], now=now, ids=ids, chance=chance
    )
    if isinstance(outcome, AlreadySignedUp):
        raise used()
    if isinstance(outcome, FociError):
        raise outcome
    return outcome


async def lapse(session: AsyncSession, sign_up: UUID, *, now: datetime, ids: Ids) -> bool:
    """End a guest's sign-up that nobody has confirmed in time; False when there is nothing to end."""
    place = (await session.execute(select(SignUp.hub, SignUp.event).where(SignUp.id == sign_up))).first()
    if place is None:
        return False
    line, pending = await lines.load(session, place.hub, place.event, sign_up)
    if pending.status != SignUpStatus.PENDING or pending.pending_until is None or pending.pending_until > now:
        return False
    pending.status, pending.pending_until = SignUpStatus.LAPSED, None
    await lines.state_next(session, OfferLapsedV1, pending, line.starts_at, by=None, now=now, ids=ids)
    return True
