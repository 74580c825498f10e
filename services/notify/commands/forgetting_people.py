"""Forgetting a person: what they chose, what waited for them, what they were told, and what notify mirrors of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import NOBODY
from shared.contracts.forgetting import Deed, Told
from shared.kit.forgetting import done, forget_keys

_ERASED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("choices", ("DELETE FROM choice WHERE person = :person", "DELETE FROM habit WHERE person = :person")),
    (
        "notices",
        (
            "DELETE FROM notice WHERE person = :person",
            "DELETE FROM digest WHERE person = :person",
            "DELETE FROM told WHERE person = :person",
        ),
    ),
    # That an address is not written to any more is kept with the message that came back; both are about the person.
    (
        "stopped-addresses",
        (
            """
            DELETE FROM stopped_address WHERE address_hash IN (
                SELECT address_hash FROM message WHERE person = :person AND address_hash IS NOT NULL)
            """,
        ),
    ),
    ("messages", ("DELETE FROM message WHERE person = :person",)),
    ("memberships", ("DELETE FROM member WHERE person = :person",)),
    ("bookings", ("DELETE FROM booking WHERE person = :person",)),
    ("sign-ups", ("DELETE FROM sign_up WHERE person = :person",)),
    ("sign-ins", ("DELETE FROM sign_in WHERE person = :person",)),
)
_ANONYMISED: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "events",
        (
            "UPDATE event SET organisers = array_remove(organisers, :person) WHERE organisers @> ARRAY[CAST(:person AS uuid)]",
            "UPDATE event SET by = :nobody WHERE by = :person",
        ),
    ),
    (
        "done-for-others",
        (
            "UPDATE booking SET by = :nobody WHERE by = :person",
            "UPDATE sign_up SET by = :nobody WHERE by = :person",
        ),
    ),
    (
        "introductions",
        (
            "UPDATE introduction SET one = :nobody WHERE one = :person",
            "UPDATE introduction SET other = :nobody WHERE other = :person",
        ),
    ),
    ("webhooks", ("UPDATE webhook SET created_by = :nobody WHERE created_by = :person",)),
)


async def forget_person(session: AsyncSession, person: UUID, now: datetime) -> list[Told]:  # noqa: ARG001  # all services are asked alike
    """Erase what is the person's own and take them out of what is others'; what became of what."""
    told: list[Told] = []
    for what, statements in _ERASED:
        told += await done(session, what, Deed.ERASED, person, *statements)
    for what, statements in _ANONYMISED:
        told += await done(session, what, Deed.ANONYMISED, person, *statements, nobody=NOBODY)
    return told + await forget_keys(session, person)
