"""Who listens: how people are reached, what they have chosen, and what they know already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.queries.states import Key
from services.notify.rules import kinds
from services.notify.rules.addresses import address_hash
from services.notify.rules.deciding import Listener
from services.notify.rules.states import State, state_from_json
from shared.contracts.directory.requests import Contact
from shared.contracts.notify.words import Channel, NoticeKind, Pace

Place = tuple[str, UUID]
"""A hub and a person."""

_CHOICES = text("SELECT person, hub, kind, channel, pace FROM choice WHERE person = ANY(:people)")
_HABITS = text("""
    SELECT person, coalesce(quiet_start, :quiet_start) AS quiet_start, coalesce(quiet_end, :quiet_end) AS quiet_end,
           coalesce(digest_at, :digest_at) AS digest_at
    FROM habit WHERE person = ANY(:people)
""")
_STOPPED = text("SELECT address_hash FROM stopped_address WHERE address_hash = ANY(:hashes)")
_TOLD = text("""
    SELECT t.person, t.about, t.thing, t.channel, t.state::text AS state, t.sequence, t.told_at FROM told t
    JOIN unnest(CAST(:persons AS uuid[]), CAST(:abouts AS text[]), CAST(:things AS uuid[]), CAST(:channels AS text[]))
         AS one (person, about, thing, channel) USING (person, about, thing, channel)
""")


@dataclass(frozen=True)
class Habits:
    """When somebody does not want to be disturbed, and when digests come."""

    quiet_start: time = kinds.QUIET_START
    quiet_end: time = kinds.QUIET_END
    digest_at: time = kinds.DIGEST_AT


@dataclass(frozen=True)
class Told:
    """What somebody knows of a thing, and since when."""

    state: State
    sequence: int
    told_at: datetime


async def listeners(
    session: AsyncSession, places: Collection[Place], contacts: Mapping[Place, Contact], *, secret: str
) -> dict[Place, Listener]:
    """All of these people; those without a contact are nobody any more."""
    people = sorted({person for _, person in places})
    choices: dict[UUID, dict[tuple[str, NoticeKind, Channel], Pace]] = defaultdict(dict)
    for row in await session.execute(_CHOICES, {"people": people}):
        choices[row.person][row.hub, NoticeKind(row.kind), Channel(row.channel)] = Pace(row.pace)
    usual = Habits()
    asked = {"people": people, **vars(usual)}
    habits = {
        row.person: Habits(row.quiet_start, row.quiet_end, row.digest_at)
        for row in await session.execute(_HABITS, asked)
    }
    hashes = {
        place: address_hash(contact.email, secret) for place, contact in contacts.items() if contact.email
    }
    found = await session.execute(_STOPPED, {"hashes": sorted(set(hashes.values()))})
    stopped = {bytes(row.address_hash) for row in found}
    made = {}
    for place in places:
        habit = habits.get(place[1], usual)
        made[place] = Listener(
            contact=contacts.get(place),
            choices=choices.get(place[1], {}),
            quiet=(habit.quiet_start, habit.quiet_end),
            digest_at=habit.digest_at,
            stopped=hashes.get(place) in stopped,
        )
    return made


async def told(session: AsyncSession, keys: Sequence[tuple[Key, Channel]]) -> dict[tuple[Key, Channel], Told]:
    """What is known of each of these; one nobody has heard of is missing."""
    if not keys:
        return {}
    rows = await session.execute(
        _TOLD,
        {
            "persons": [key.person for key, _ in keys],
            "abouts": [key.about for key, _ in keys],
            "things": [key.thing for key, _ in keys],
            "channels": [channel for _, channel in keys],
        },
    )
    wanted = {(key.person, str(key.about), key.thing, str(channel)): (key, channel) for key, channel in keys}
    found = {}
    for row in rows:
        key, channel = wanted[row.person, row.about, row.thing, row.channel]
        found[key, channel] = Told(state_from_json(key.about, row.state), row.sequence, row.told_at)
    return found
