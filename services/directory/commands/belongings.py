"""What directory keeps for a hub, and how a hub from another cell joins this one: as if it and its people came today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.hubs import state_profile
from services.directory.commands.looks import note_export
from services.directory.commands.members import state_joined
from services.directory.rules.hubs import words_of
from services.directory.tables import Hub, Membership
from shared.contracts.directory.facts import HubRegisteredV1
from shared.contracts.directory.requests import HubProfile
from shared.kit.belongings import HubDiffers, Kept
from shared.kit.ids import Clock, Ids

_BELONGS = "EXISTS (SELECT FROM membership m WHERE m.person = t.id AND m.hub = :hub AND m.left_at IS NULL)"
_UNDER_ANOTHER_ID = text("""
    SELECT count(*) FROM jsonb_populate_recordset(NULL::person, CAST(:rows AS jsonb)) given
    JOIN person p ON lower(p.email) = lower(given.email) AND p.id <> given.id AND NOT p.guest AND NOT given.guest
""")
_ERASED = text("""
    SELECT count(*) FROM jsonb_populate_recordset(NULL::person, CAST(:rows AS jsonb)) given JOIN erasure e ON e.person = given.id
""")
PROFILE = (
    "slug", "name", "kind", "address", "municipality", "region", "country", "time_zone", "languages", "modules",
    "offers", "about",
)  # fmt: skip

PERSON = ("id", "name", "email", "language", "time_zone", "guest", "registered_at")


async def _nothing_against_them(session: AsyncSession, _: str, rows: Sequence[Mapping[str, Any]]) -> None:
    given = {"rows": orjson.dumps(rows).decode()}
    others = int((await session.execute(_UNDER_ANOTHER_ID, given)).scalar_one())
    if others:
        raise HubDiffers(
            f"{others} of these people have an account here under another id and the same address."
        )
    erased = int((await session.execute(_ERASED, given)).scalar_one())
    if erased:
        # Nobody comes back by way of an old file.
        raise HubDiffers(f"{erased} of these people have been erased here since. Export the hub again.")


def _people(clock: Clock) -> tuple[Kept, ...]:
    """Those whose names and addresses go along; each of them can see that they did."""

    async def noted(session: AsyncSession, hub: str, rows: Sequence[Mapping[str, Any]]) -> None:
        await note_export(session, hub, [UUID(row["id"]) for row in rows], now=clock())

    return (
        Kept(
            "people",
            "person",
            "Who belongs to the hub, and how to reach them. Who is known in the other cell stays as there.",
            PERSON,
            {"id": "uuid"},
            where=_BELONGS,
            # They are here before what makes them the hub's people.
            holds="true",
            lasting=False,
            shown=noted,
            fits=_nothing_against_them,
        ),
        Kept(
            "guests",
            "person",
            "Guests without an account who have a part in the hub's events.",
            PERSON,
            {"id": "uuid"},
            where="t.guest AND t.id = ANY(CAST(:people AS uuid[]))",
            holds="true",
            lasting=False,
            of_people=True,
            shown=noted,
            fits=_nothing_against_them,
        ),
    )


def kept(cell: str, clock: Clock, ids: Ids) -> tuple[Kept, ...]:
    """The hub, its people and what they are in it, its organisations. Who has left it is not the hub's any more."""

    async def registered(session: AsyncSession, hub: str, _: Sequence[Mapping[str, Any]]) -> None:
        made = await session.get_one(Hub, hub)
        known = {name: getattr(made, name) for name in PROFILE if name != "slug"}
        made.words = words_of(HubProfile.model_validate({"id": hub, **known}))
        await session.flush()
        await state_profile(session, HubRegisteredV1, made, now=clock(), ids=ids)

    async def joined(session: AsyncSession, hub: str, rows: Sequence[Mapping[str, Any]]) -> None:
        people = [UUID(row["person"]) for row in rows]
        found = select(Membership).where(Membership.hub == hub, Membership.person.in_(people))
        for membership in (await session.scalars(found.order_by(Membership.person))).all():
            await state_joined(session, membership, now=clock(), ids=ids)

    return (
        Kept(
            "hub", "hub", "The hub's public profile.", PROFILE, {"slug": "text"}, where="t.slug = :hub",
            hub_in="slug",
            given={"cell": f"'{cell}'", "version": "1", "words": "''"}, taken_in=registered,
        ),
        *_people(clock),
        Kept(
            "memberships", "membership", "What each of them is in the hub, and since when.",
            ("hub", "person", "role", "since"), {"person": "uuid"}, where="t.hub = :hub AND t.left_at IS NULL",
            # What somebody is in a hub that comes from elsewhere was decided there: no sign-in provider here changes it.
            given={"version": "1", "provided": "0"}, taken_in=joined,
        ),
        Kept(
            "organisations", "organisation", "Organisations with a page at the hub.",
            ("id", "hub", "name", "kind", "website"), {"id": "uuid"},
        ),
    )  # fmt: skip
