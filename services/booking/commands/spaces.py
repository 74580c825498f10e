"""Opening and changing spaces: units are handed out here, and rules written into history."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.stating import state_space
from services.booking.rules.claims import Units, by_seat
from services.booking.rules.refusals import SpaceExists
from services.booking.rules.times import check_makes_sense
from services.booking.tables import Hub, Space
from shared.contracts.base import ALL_SPACES
from shared.contracts.booking.facts import SpaceOpenedV1, SpaceRulesChangedV1, SpaceSnapshotV1
from shared.contracts.booking.requests import ChangeSpace, OpenSpace
from shared.contracts.booking.space_rules import SpaceRules
from shared.kit.errors import Invalid, NotFound, VersionMismatch
from shared.kit.ids import Ids

SpaceFact = SpaceOpenedV1 | SpaceRulesChangedV1 | SpaceSnapshotV1

# While the flag is turned no booking may slip in with the old answer: writers wait, for as long as this small
# transaction takes; readers do not. A weaker lock would let in those who lock a row first and write it later, and each
# would then wait for the other.
_STOP_WRITERS = text("LOCK TABLE booking IN EXCLUSIVE MODE")
_GUARD_BOOKINGS = text("""
    UPDATE booking b SET kept_from = b.starts_at
    FROM space s WHERE s.hub = :hub AND s.guarded AND b.hub_number = s.hub_number AND b.units && s.units AND b.kept_from IS NULL
      AND b.status IN ('held', 'confirmed', 'checked_in') AND tstzrange(b.starts_at, b.kept_until) && tstzrange(:now, NULL)
""")
_GUARD_SPACES = text("""
    UPDATE space s SET guarded = true, version = version + 1
    WHERE s.hub = :hub AND NOT s.guarded AND EXISTS (
        SELECT 1 FROM space o WHERE o.hub = s.hub AND o.units && s.units
        AND (o.rules ->> 'buffer_before_minutes')::int > 0)
    RETURNING s.slug
""")
_TERMS_AGAIN = text("""
    INSERT INTO space_terms (hub, slug, version, rules, time_zone, since)
    SELECT s.hub, s.slug, s.version, s.rules, h.time_zone, :now FROM space s JOIN hub h ON h.slug = s.hub
    WHERE s.hub = :hub AND s.slug = ANY(:slugs) ON CONFLICT DO NOTHING
""")


async def open_space(session: AsyncSession, request: OpenSpace, *, now: datetime, ids: Ids) -> Space:
    """Make a new space, of new units or of other spaces' units."""
    hub = await session.scalar(select(Hub).where(Hub.slug == request.hub).with_for_update())
    if hub is None:
        raise NotFound(f"There is no hub {request.hub}.", field="hub")
    check_makes_sense(request.rules)
    if request.id == ALL_SPACES:
        raise Invalid(f"{ALL_SPACES} stands for the whole hub; choose another name.", field="id")
    if await session.get(Space, (request.hub, request.id)) is not None:
        raise SpaceExists(f"{request.hub} has a space {request.id} already.", field="id")
    if request.made_of:
        units, people = await _combined(session, request)
    else:
        units = _new_units(hub, request)
        people = len(units)
    space = Space(
        hub=request.hub,
        hub_number=hub.number,
        slug=request.id,
        name=request.name,
        kind=request.kind,
        capacity=request.capacity or people,
        units=units,
        made_of=list(dict.fromkeys(request.made_of)),
        rules=request.rules.model_dump(mode="json"),
        version=1,
        stated=1,
    )
    session.add(space)
    await session.flush()
    await _after_change(session, space, now=now)
    await state_space(session, SpaceOpenedV1, space, now=now, ids=ids)
    return space


def _new_units(hub: Hub, request: OpenSpace) -> Units:
    if request.seats is not None and not by_seat(request.kind):
        raise Invalid(
            f"A space of kind {request.kind} is claimed whole and has no seats; say its capacity.",
            field="seats",
        )
    count = request.seats or 1
    first = hub.next_unit
    hub.next_unit = first + count
    return tuple(range(first, first + count))


async def _combined(session: AsyncSession, request: OpenSpace) -> tuple[Units, int]:
    """The units of the parts, and the people they take together."""
    if request.seats is not None:
        raise Invalid("A combined space has the seats of its parts; leave seats out.", field="seats")
    parts = (
        await session.scalars(select(Space).where(Space.hub == request.hub, Space.slug.in_(request.made_of)))
    ).all()
    found = {part.slug: part.units for part in parts}
    missing = [slug for slug in request.made_of if slug not in found]
    if missing:
        raise Invalid(f"There is no space {', '.join(missing)} in {request.hub} to combine.", field="made_of")
    units = tuple(sorted({unit for units in found.values() for unit in units}))
    return units, sum(part.capacity for part in parts)


async def reopen_closed(session: AsyncSession, hub: Hub, told: SpaceFact, *, now: datetime) -> Space:
    """A space of which only is known what was told of it: closed, with ordinary rules, until an operator looks at it."""
    space = Space(
        hub=hub.slug,
        hub_number=hub.number,
        slug=told.space,
        name=told.name,
        kind=told.kind,
        capacity=told.capacity,
        units=told.units,
        made_of=[],
        rules=SpaceRules().model_dump(mode="json"),
        active=False,
        version=1,
        stated=told.subject_version,
    )
    hub.next_unit = max(hub.next_unit, max(told.units, default=0) + 1)
    session.add(space)
    await session.flush()
    await _after_change(session, space, now=now)
    return space


async def change_space(session: AsyncSession, request: ChangeSpace, *, now: datetime, ids: Ids) -> Space:
    """Change a space; bookings made before keep the rules they were made under."""
    await session.execute(select(Hub).where(Hub.slug == request.hub).with_for_update())
    space = await session.get(Space, (request.hub, request.space), with_for_update=True)
    if space is None:
        raise NotFound(f"There is no space {request.space} in {request.hub}.")
    if space.version != request.version:
        raise VersionMismatch(f"The space is at version {space.version} now. Read it again, then decide.")
    if request.name is not None:
        space.name = request.name
    if request.capacity is not None:
        space.capacity = request.capacity
    if request.active is not None:
        space.active = request.active
    if request.rules is not None:
        check_makes_sense(request.rules)
        space.rules = request.rules.model_dump(mode="json")
    space.version += 1
    space.stated += 1
    await session.flush()
    await _after_change(session, space, now=now)
    await state_space(session, SpaceRulesChangedV1, space, now=now, ids=ids)
    return space


async def _after_change(session: AsyncSession, space: Space, *, now: datetime) -> None:
    slugs = {space.slug}
    if SpaceRules.model_validate(space.rules).buffer_before_minutes > 0 or not space.guarded:
        slugs |= await _guard(session, space, now=now)
    await session.execute(_TERMS_AGAIN, {"hub": space.hub, "slugs": sorted(slugs), "now": now})


async def _guard(session: AsyncSession, space: Space, *, now: datetime) -> set[str]:
    """Bring the spaces that share units with one that wants a buffer before into the second constraint."""
    found = (await session.execute(_GUARD_SPACES, {"hub": space.hub})).scalars().all()
    if found:
        await session.execute(_STOP_WRITERS)
        await session.execute(_GUARD_BOOKINGS, {"hub": space.hub, "now": now})
        await session.refresh(space)
    return set(found)
