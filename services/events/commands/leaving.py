"""Not coming after all: giving a place back, and what people who leave a hub give back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.line import LIVE, leave, load
from services.events.commands.loading import organisers_of
from services.events.queries.sign_ups import no_such_sign_up
from services.events.rules.authority import may_run, viewer_of
from services.events.rules.refusals import EventState
from services.events.tables import Event, SignUp
from shared.contracts.events.sign_ups import GiveBackPlace
from shared.contracts.events.words import EventStatus, SignUpStatus, Visibility
from shared.kit.ids import Ids
from shared.kit.principal import Principal

STAYS = frozenset({*LIVE, SignUpStatus.PENDING})
"""States there is something to give back in."""


async def give_back(
    session: AsyncSession, wanted: GiveBackPlace, who: Principal, *, now: datetime, ids: Ids
) -> SignUp:
    """The person, or who runs the event, gives the place back; twice changes nothing."""
    _, sign_up = await load(session, wanted.hub, wanted.event, wanted.sign_up)
    if sign_up.person != who.person and not may_run(
        viewer_of(who, wanted.hub), await organisers_of(session, wanted.event)
    ):
        raise no_such_sign_up(wanted.sign_up)
    if sign_up.status not in STAYS:
        return sign_up
    if sign_up.came_at is not None:
        raise EventState("The person has come already.")
    if await session.scalar(select(Event.status).where(Event.id == wanted.event)) == EventStatus.HELD:
        raise EventState("The event is over.")
    await leave(session, sign_up, SignUpStatus.CANCELLED, by=who.person, now=now, ids=ids)
    return sign_up


async def give_back_all(
    session: AsyncSession, hub: str, person: UUID, *, since: datetime, now: datetime, ids: Ids
) -> int:
    """Give back what somebody who left the hub had, before leaving, in its own people's events ahead; how many."""
    mine = (
        select(SignUp.event, SignUp.id)
        .join(Event, Event.id == SignUp.event)
        .where(
            SignUp.person == person,
            SignUp.hub == hub,
            SignUp.status.in_(STAYS),
            SignUp.came_at.is_(None),
            SignUp.signed_up_at <= since,
            Event.visibility == Visibility.HUB,
            Event.starts_at > since,
            Event.status != EventStatus.HELD,
        )
    )
    given_back = 0
    for event, id_ in (await session.execute(mine.order_by(SignUp.event))).all():
        _, sign_up = await load(session, hub, event, id_)
        if sign_up.status in STAYS and sign_up.came_at is None:
            await leave(session, sign_up, SignUpStatus.CANCELLED, by=person, now=now, ids=ids)
            given_back += 1
    return given_back
