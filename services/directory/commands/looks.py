"""Noting who was shown whose name or address, in the transaction that reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.past import forget_some, past
from services.directory.queries.people import name_people
from shared.contracts.directory.requests import NamedPeople, NamePeople
from shared.kit.principal import Principal
from shared.kit.rpc import ADMIN

KEPT = timedelta(days=365)
STRANGER = "none"
"""Stands for the role of somebody who has none in the hub."""
PLATFORM = "platform"
"""Stands for the role of whoever runs the platform; they are no person in the directory."""
HUB_EXPORT = "hub-export"

# Whoever looks at themselves looks at nobody. Sorted: two who look at the same list must not wait for each other. Locked: who
# is being erased at this moment is left out, where a reference to them would refuse the whole list.
_NOTE = text("""
    INSERT INTO look (person, hour, viewer, hub, what, role)
    SELECT p.id, date_trunc('hour', CAST(:now AS timestamptz)), :viewer, :hub, :what, :role
    FROM person p WHERE p.id = ANY(CAST(:people AS uuid[])) AND p.id <> :viewer ORDER BY p.id FOR KEY SHARE
    ON CONFLICT DO NOTHING
""")
_FORGET = past("look", "hour < :before")


async def show_names(
    session: AsyncSession, request: NamePeople, viewer: Principal | None, *, now: datetime
) -> NamedPeople:
    """Names for a list, and a note for each of them that this viewer was shown them in this hour."""
    shown = await name_people(session, request)
    if viewer is not None and shown.items:
        noted = {
            "people": [one.person for one in shown.items],
            "viewer": viewer.person,
            "hub": request.hub,
            "what": "contacts" if request.contact else request.what,
            "role": viewer.within(request.hub) or STRANGER,
            "now": now,
        }
        await session.execute(_NOTE, noted)
    return shown


async def note_export(session: AsyncSession, hub: str, people: Sequence[UUID], *, now: datetime) -> None:
    """Note that the platform's operator has written out what the hub knows of these people, names and addresses."""
    noted = {"people": people, "viewer": ADMIN, "hub": hub, "what": HUB_EXPORT, "role": PLATFORM, "now": now}
    await session.execute(_NOTE, noted)


async def forget_looks(session: AsyncSession, *, now: datetime) -> bool:
    """Forget a chunk of what is a year ago; whether there may be more."""
    return await forget_some(session, _FORGET, now - KEPT)
