"""Changing profiles: what somebody says in general, offers and needs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.introductions import withdraw_unseen
from services.matching.commands.stating import state_change
from services.matching.queries.profiles import FIRST_VERSION, no_such_organisation
from services.matching.rules.refusals import BelongsNowhere, TooManyOrganisations, TooManyStatements
from services.matching.tables import Profile
from shared.contracts.matching.profiles import (
    MOST_STATEMENTS,
    ChangeMyProfile,
    MakeOrganisation,
    State,
    TakeBack,
)
from shared.contracts.matching.words import OwnerKind, ProfileChange, Side
from shared.kit.database import changed_rows
from shared.kit.errors import Invalid, NotFound, VersionMismatch
from shared.kit.ids import Ids

MOST_ORGANISATIONS = 20
"""Profiles of organisations one person keeps."""
PART = {Side.OFFER: ProfileChange.OFFERS, Side.NEED: ProfileChange.NEEDS}

_HOME = text("""
    SELECT hub FROM membership WHERE person = :person AND left_at IS NULL ORDER BY joined_at, hub LIMIT 1
""")
_KEPT = text("SELECT count(*) FROM profile WHERE kept_by = :person")
_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('organisations of ' || :person, 1))")
_CONCEPT = text("SELECT active FROM concept WHERE id = :concept")
_SAID = text("""
    SELECT count(*) AS number, coalesce(bool_or(concept = :concept), false) AS this
    FROM statement WHERE person = :person AND side = :side
""")
_STATE = text("""
    INSERT INTO statement AS s (id, person, side, concept, level, words, until, created_at)
    VALUES (:id, :person, :side, :concept, :level, :words, :until, :now)
    ON CONFLICT (person, side, concept) DO UPDATE
        SET level = excluded.level, words = excluded.words, until = excluded.until
    WHERE (s.level, s.words, s.until) IS DISTINCT FROM (excluded.level, excluded.words, excluded.until)
""")
_TAKE_BACK = text("DELETE FROM statement WHERE person = :person AND side = :side AND concept = :concept")


async def locked(session: AsyncSession, by: UUID, organisation: UUID | None, *, now: datetime) -> Profile:
    """The profile, locked: of an organisation the person keeps, or their own, made if it is not there."""
    if organisation is not None:
        kept = await _lock(session, organisation)
        if kept is None or kept.kept_by != by:
            raise no_such_organisation(organisation)
        return kept
    known = await _lock(session, by)
    if known is not None:
        return known
    home = (await session.execute(_HOME, {"person": by})).scalar()
    if home is None:
        raise BelongsNowhere("Profiles are for people of a hub. Join one, then tell what you offer and need.")
    await session.execute(
        insert(Profile)
        .values(person=by, owner_kind=OwnerKind.PERSON, hub=home, changed_at=now, version=FIRST_VERSION)
        .on_conflict_do_nothing()
    )
    made = await _lock(session, by)
    if made is None:  # erased by its owner in the same moment
        raise VersionMismatch("The profile has just been erased. Read it again.")
    return made


async def _lock(session: AsyncSession, person: UUID) -> Profile | None:
    wanted = select(Profile).where(Profile.person == person).with_for_update()
    found: Profile | None = await session.scalar(wanted.execution_options(populate_existing=True))
    return found


async def touched(
    session: AsyncSession, profile: Profile, *changes: ProfileChange, now: datetime, ids: Ids
) -> None:
    """Count the profile's version up and state what is another now."""
    profile.version += 1
    profile.changed_at = now
    await session.flush()
    await state_change(session, profile, *changes, now=now, ids=ids)


async def change_profile(
    session: AsyncSession, request: ChangeMyProfile, by: UUID, *, now: datetime, ids: Ids
) -> None:
    """Say something else in general; what is not named stays. Raises VersionMismatch when it has changed meanwhile."""
    profile = await locked(session, by, request.organisation, now=now)
    if profile.version != request.version:
        raise VersionMismatch(
            f"The profile is at version {profile.version} now, not {request.version}: read it again."
        )
    changes = _keep(profile, request)
    if changes:
        await touched(session, profile, *sorted(changes), now=now, ids=ids)
    if ProfileChange.VISIBILITY in changes:
        await withdraw_unseen(session, [profile.person], now=now, ids=ids)


_OWN_FACT = {"visibility": ProfileChange.VISIBILITY, "paused": ProfileChange.PAUSED}


def _keep(profile: Profile, request: ChangeMyProfile) -> Collection[ProfileChange]:
    """Take over what differs; which parts of the profile that were."""
    changed = set()
    for name in ("about", "talk_about", "fields", "languages", "visibility", "paused"):
        wanted: Any = getattr(request, name)
        if wanted is None:
            continue
        if isinstance(wanted, tuple):
            wanted = list(dict.fromkeys(wanted))  # said twice is said once
        if getattr(profile, name) != wanted:
            setattr(profile, name, wanted)
            changed.add(_OWN_FACT.get(name, ProfileChange.PROFILE))
    return changed


async def state(session: AsyncSession, request: State, by: UUID, *, now: datetime, ids: Ids) -> None:
    """Offer or need something. Raises NotFound for what is no skill, TooManyStatements for one above the hundredth."""
    if request.until is not None and request.until < now.date():
        raise Invalid("The last day it holds is over already.", field="until")
    active = (await session.execute(_CONCEPT, {"concept": request.concept})).scalar()
    if not active:
        raise NotFound(
            f"The vocabulary has no skill {request.concept}; look for it at /v1/skills.", field="concept"
        )
    profile = await locked(session, by, request.organisation, now=now)
    named = {"person": profile.person, "side": request.side, "concept": request.concept}
    said = (await session.execute(_SAID, named)).one()
    if said.number >= MOST_STATEMENTS and not said.this:
        raise TooManyStatements(
            f"One profile holds {MOST_STATEMENTS} {request.side}s. Take one back that matters less.",
            field="concept",
        )
    more = {"id": ids(), "level": request.level, "words": request.words, "until": request.until, "now": now}
    if changed_rows(await session.execute(_STATE, named | more)):
        await touched(session, profile, PART[request.side], now=now, ids=ids)


async def take_back(session: AsyncSession, request: TakeBack, by: UUID, *, now: datetime, ids: Ids) -> None:
    """Offer or need it no longer; what is not there is gone already."""
    profile = await locked(session, by, request.organisation, now=now)
    named = {"person": profile.person, "side": request.side, "concept": request.concept}
    if changed_rows(await session.execute(_TAKE_BACK, named)):
        await touched(session, profile, PART[request.side], now=now, ids=ids)


_BELONGS = text("SELECT 1 FROM membership WHERE person = :person AND hub = :hub AND left_at IS NULL")


async def make_organisation(
    session: AsyncSession, request: MakeOrganisation, by: UUID, *, now: datetime, ids: Ids
) -> UUID:
    """An organisation's profile, kept by the person. Raises NotFound for a hub they do not belong to."""
    if (await session.execute(_BELONGS, {"person": by, "hub": request.hub})).first() is None:
        raise NotFound(f"You do not belong to a hub {request.hub}.", field="hub")
    await session.execute(_IN_TURN, {"person": str(by)})
    if (await session.execute(_KEPT, {"person": by})).scalar_one() >= MOST_ORGANISATIONS:
        raise TooManyOrganisations(f"One person keeps the profiles of {MOST_ORGANISATIONS} organisations.")
    made = Profile(
        person=ids(),
        owner_kind=OwnerKind.ORGANISATION,
        kept_by=by,
        name=request.name,
        hub=request.hub,
        changed_at=now,
    )
    session.add(made)
    await session.flush()
    await state_change(session, made, ProfileChange.PROFILE, now=now, ids=ids)
    return made.person


def today(now: datetime) -> date:
    """The day by which it is judged whether a statement still holds; UTC, an hour or two late at midnight."""
    return now.date()
