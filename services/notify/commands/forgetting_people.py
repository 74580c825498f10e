"""Forgetting a person: what they chose, what waited for them, what they were told, and what notify mirrors of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import NOBODY
from shared.contracts.forgetting import Deed, Thing, Told
from shared.kit.forgetting import done, forget_keys

_ERASED: tuple[tuple[Thing, tuple[str, ...]], ...] = (
    (
        Thing.CHOICES,
        ("DELETE FROM choice WHERE person = :person", "DELETE FROM habit WHERE person = :person"),
    ),
    (
        Thing.NOTICES,
        (
            "DELETE FROM notice WHERE person = :person",
            "DELETE FROM digest WHERE person = :person",
            "DELETE FROM told WHERE person = :person",
        ),
    ),
    # That an address is not written to any more is kept with the message that came back; both are about the person.
    (
        Thing.STOPPED_ADDRESSES,
        (
            """
            DELETE FROM stopped_address WHERE address_hash IN (
                SELECT address_hash FROM message WHERE person = :person AND address_hash IS NOT NULL)
            """,
        ),
    ),
    (Thing.MESSAGES, ("DELETE FROM message WHERE person = :person",)),
    (Thing.MEMBERSHIPS, ("DELETE FROM member WHERE person = :person",)),
    (Thing.BOOKINGS, ("DELETE FROM booking WHERE person = :person",)),
    (Thing.SIGN_UPS, ("DELETE FROM sign_up WHERE person = :person",)),
    (Thing.SIGN_INS, ("DELETE FROM sign_in WHERE person = :person",)),
)
_ANONYMISED: tuple[tuple[Thing, tuple[str, ...]], ...] = (
    (
        Thing.EVENTS,
        (
            "UPDATE event SET organisers = array_remove(organisers, :person) WHERE organisers @> ARRAY[CAST(:person AS uuid)]",
            "UPDATE event SET by = :nobody WHERE by = :person",
        ),
    ),
    (
        Thing.DONE_FOR_OTHERS,
        (
            "UPDATE booking SET by = :nobody WHERE by = :person AND by <> person",
            "UPDATE sign_up SET by = :nobody WHERE by = :person AND by <> person",
        ),
    ),
    (
        Thing.INTRODUCTIONS,
        (
            "UPDATE introduction SET one = :nobody WHERE one = :person",
            "UPDATE introduction SET other = :nobody WHERE other = :person",
        ),
    ),
    (Thing.WEBHOOKS, ("UPDATE webhook SET created_by = :nobody WHERE created_by = :person",)),
)


async def forget_person(session: AsyncSession, person: UUID, now: datetime) -> list[Told]:  # noqa: ARG001  # all services are asked alike
    """Erase what is the person's own and take them out of what is others'; what became of what."""
    told: list[Told] = []
    for what, statements in _ERASED:
        told += await done(session, what, Deed.ERASED, person, *statements)
    for what, statements in _ANONYMISED:
        told += await done(session, what, Deed.ANONYMISED, person, *statements, nobody=NOBODY)
    return told + await forget_keys(session, person)
