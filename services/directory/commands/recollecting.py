"""After the database went back in time: hubs and memberships are stated again as they are, and what was ended stays so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.erasing import erase
from services.directory.commands.hubs import state_again
from services.directory.commands.members import about, membership_of
from services.directory.commands.sessions import WENT_BACK
from services.directory.rules.hubs import words_of
from services.directory.rules.members import is_more
from services.directory.tables import Hub, Membership, Person
from shared.contracts.base import Fact
from shared.contracts.directory.facts import (
    ApiTokenRevokedV1,
    MemberJoinedV1,
    MemberLeftV1,
    PersonErasedV1,
    RoleChangedV1,
)
from shared.contracts.directory.requests import HubProfile
from shared.contracts.directory.words import Role
from shared.contracts.streams import HUB_FACTS, MEMBER_FACTS
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import emit
from shared.kit.timers import set_timer

_REVOKED = text("UPDATE api_token SET revoked_at = :at WHERE id = :id AND revoked_at IS NULL")
_STATED = text("UPDATE erasure SET stated = greatest(stated, :version) WHERE person = :person")


async def recollect(session: AsyncSession, facts: Sequence[Fact], *, clock: Clock, ids: Ids) -> None:
    """State each hub and membership as it is now, after the version others have heard; hubs first. Sessions from before end."""
    now = clock()
    for fact in facts:
        if isinstance(fact, HUB_FACTS):
            await _hub(session, fact, now=now, ids=ids)
    for fact in facts:
        if isinstance(fact, MEMBER_FACTS):
            await _membership(session, fact, now=now, ids=ids)
    for fact in facts:
        if isinstance(fact, PersonErasedV1):
            await _erasure(session, fact, now=now, ids=ids)
        if isinstance(fact, ApiTokenRevokedV1):
            # What was ended must not open anything again.
            await session.execute(_REVOKED, {"id": fact.holder, "at": fact.occurred_at})
    if facts:
        # Sessions state nothing, so which of them were ended since is not known. Those begun since are later than any of these.
        before = max(fact.occurred_at for fact in facts)
        await set_timer(session, WENT_BACK, before.isoformat(), now)


async def _hub(session: AsyncSession, told: Any, *, now: datetime, ids: Ids) -> None:
    """A hub nobody remembers is the hub that was told of: its slug is given away, and others keep rows of it."""
    hub = await session.get(Hub, told.hub, with_for_update=True)
    if hub is None:
        profile = HubProfile.model_validate(
            {name: getattr(told, name) for name in HubProfile.model_fields if hasattr(told, name)}
            | {"id": told.hub}
        )
        columns = profile.model_dump(exclude={"id"}, mode="json") | {"words": words_of(profile)}
        hub = Hub(slug=told.hub, cell=told.cell, version=told.subject_version, **columns)
        session.add(hub)
    hub.version = max(hub.version, told.subject_version) + 1
    await session.flush()
    await state_again(session, hub, now=now, ids=ids)


async def _membership(session: AsyncSession, told: Any, *, now: datetime, ids: Ids) -> None:
    """Who is no member as far as we know has left; whoever is, is told of with the role they have.

    What was given is not given any more; what was ended or taken away stays so.
    """
    membership = await membership_of(session, told.hub, told.person)
    left = isinstance(told, MemberLeftV1)
    if membership is None:
        await _forgotten(session, told, left=left, now=now, ids=ids)
        return
    had = Role(membership.role)
    ended = _end_again(membership, told)
    gone = membership.left_at is not None
    same = not ended and (gone if left else not gone and membership.role == told.role)
    membership.version = max(membership.version, told.subject_version) + (0 if same else 1)
    await session.flush()
    if same:
        return  # the next fact comes right after the one that was heard
    said = about(membership, now, ids)
    if gone:
        await emit(session, MemberLeftV1(**said))
    elif left:
        await emit(session, MemberJoinedV1(**said, role=Role(membership.role)))
    else:
        previous = had if ended else told.role
        await emit(session, RoleChangedV1(**said, role=Role(membership.role), previous=previous))


def _end_again(membership: Membership, told: Any) -> bool:
    """Put out again who had left, unless they have come since, and take what rights were taken; whether it was so."""
    if membership.left_at is not None:
        return False
    if isinstance(told, MemberLeftV1):
        if membership.since > told.occurred_at:
            return False
        membership.left_at = told.occurred_at
        return True
    taken = told.role != membership.role and not is_more(told.role, than=Role(membership.role))
    if taken:
        membership.role = told.role
    return taken


async def _forgotten(session: AsyncSession, told: Any, *, left: bool, now: datetime, ids: Ids) -> None:
    version = told.subject_version + (0 if left else 1)
    if await session.get(Person, told.person) is not None and await session.get(Hub, told.hub) is not None:
        # Joining again goes on counting from here.
        role = Role.VISITOR if left else told.role
        session.add(
            Membership(hub=told.hub, person=told.person, role=role, since=now, left_at=now, version=version)
        )
        await session.flush()
    if left:
        return
    fact = MemberLeftV1(
        id=ids(),
        hub=told.hub,
        occurred_at=now,
        subject=told.subject,
        subject_version=version,
        person=UUID(str(told.person)),
    )
    await emit(session, fact)


async def _erasure(session: AsyncSession, told: PersonErasedV1, *, now: datetime, ids: Ids) -> None:
    """Somebody who was erased is here again, and is erased again; nobody has the new receipt's number."""
    if await session.get(Person, told.person) is not None:
        await erase(session, told.person, ids().hex, now=now, ids=ids)
    await session.execute(_STATED, {"person": told.person, "version": told.subject_version})
