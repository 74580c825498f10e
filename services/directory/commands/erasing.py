"""Erasing a person: asked twice, done at once, stated to every service, and their answers gathered."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.members import end_all
from services.directory.rules.erasure import (
    CONFIRM_WITHIN,
    OVERDUE_AFTER,
    ConfirmationLapsed,
    added_up,
    hash_of,
)
from shared.contracts.base import EVERYWHERE, NOBODY
from shared.contracts.directory.erasure import Erased, ErasureStep
from shared.contracts.directory.facts import PersonErasedV1
from shared.contracts.forgetting import Deed, PersonForgotten, Thing, Told
from shared.contracts.streams import FORGETS
from shared.kit.errors import NotFound
from shared.kit.forgetting import KEPT_EVERYWHERE, done
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import emit
from shared.kit.timers import cancel_timer, set_timer

RESTATED_AT_ONCE = 500
OVERDUE = "erasure-overdue"
"""Kind of the timer; its key is the person's id."""

_DONE = text("SELECT number_hash FROM erasure WHERE person = :person")
_KNOWN = text("SELECT id FROM person WHERE id = :person")
_LOCK = text("SELECT id FROM person WHERE id = :person FOR UPDATE")
_LAPSED = text("DELETE FROM erasure_wish WHERE confirm_by < :now")
_WISH = text("""
    INSERT INTO erasure_wish (person, number_hash, confirm_by) VALUES (:person, :hash, :confirm_by)
    ON CONFLICT (person) DO UPDATE SET number_hash = excluded.number_hash, confirm_by = excluded.confirm_by
""")
_CONFIRMS = text("""
    SELECT 1 FROM erasure_wish WHERE person = :person AND number_hash = :hash AND confirm_by >= :now
""")
_ERASE = text("""
    INSERT INTO erasure (person, number_hash, erased_at, told) VALUES (:person, :hash, :now, :told)
""").bindparams(bindparam("told", type_=JSONB))
_RECEIPT_AGAIN = text("""
    UPDATE erasure SET number_hash = :hash, erased_at = least(erased_at, :at) WHERE person = :person
""")
_FOLLOWING = text("SELECT person FROM erasure WHERE person > :after ORDER BY person LIMIT :most")
_STATE = text("UPDATE erasure SET stated = stated + 1 WHERE person = :person RETURNING stated")
# The receipt before its answers: who hears two at once adds them up one after the other.
_RECEIPT = text("SELECT completed_at FROM erasure WHERE person = :person FOR UPDATE")
_ANSWERED = text("SELECT told FROM erasure_answer WHERE person = :person AND service = :service").columns(
    told=JSONB
)
_ANSWER = text("""
    INSERT INTO erasure_answer (person, service, answered_at, told) VALUES (:person, :service, :at, :told)
    ON CONFLICT (person, service) DO UPDATE SET told = excluded.told
""").bindparams(bindparam("told", type_=JSONB))
_COMPLETE = text("""
    UPDATE erasure e SET completed_at = :now WHERE person = :person AND completed_at IS NULL
      AND (SELECT count(*) FROM erasure_answer a WHERE a.person = e.person) = :services
    RETURNING person
""")
_THEIRS: tuple[tuple[Thing, Deed, tuple[str, ...]], ...] = (
    (Thing.MEMBERSHIPS, Deed.ERASED, ("DELETE FROM membership WHERE person = :person",)),
    (
        Thing.SESSIONS,
        Deed.ERASED,
        (
            "DELETE FROM session WHERE person = :person",
            "DELETE FROM sign_in WHERE person = :person",
            "DELETE FROM identity WHERE person = :person",
        ),
    ),
    (
        Thing.API_TOKENS,
        Deed.ANONYMISED,
        # They are the hub's and go on.
        (f"UPDATE api_token SET created_by = CAST('{NOBODY}' AS uuid) WHERE created_by = :person",),  # noqa: S608  # a constant
    ),
    (
        Thing.KEPT_ANSWERS,
        Deed.ERASED,
        # Those given to others, too: staff who let them in were shown their name and address.
        (
            "DELETE FROM idempotency_key WHERE person = :person OR strpos(answer, CAST(CAST(:person AS uuid) AS text)) > 0",
        ),
    ),
    # Each gets an id that was never anybody's: two who are erased may have looked at the same in the same hour.
    (Thing.LOOKS, Deed.ANONYMISED, ("UPDATE look SET viewer = gen_random_uuid() WHERE viewer = :person",)),
    (Thing.PERSON, Deed.ERASED, ("DELETE FROM person WHERE id = :person",)),
)
"""What directory holds of a person, in the order in which it goes."""


async def wish(session: AsyncSession, person: UUID, number: str, *, now: datetime) -> ErasureStep:
    """Note that somebody wants to be erased, once they confirm it with this number; NotFound for nobody we know."""
    if (await session.execute(_KNOWN, {"person": person})).first() is None:
        raise NotFound("This person is not in the directory.")
    confirm_by = now + CONFIRM_WITHIN
    await session.execute(_LAPSED, {"now": now})
    await session.execute(_WISH, {"person": person, "hash": hash_of(number), "confirm_by": confirm_by})
    return ErasureStep(number=number, confirmed=False, confirm_by=confirm_by)


async def confirm(
    session: AsyncSession, person: UUID, number: str, *, now: datetime, ids: Ids
) -> ErasureStep:
    """Erase whoever confirms it in time; confirming twice hears the same. ConfirmationLapsed for any other number."""
    hashed = hash_of(number)
    await end_all(session, person, now=now, ids=ids)
    await session.execute(_LOCK, {"person": person})
    if (await session.execute(_DONE, {"person": person})).scalar() == hashed:
        return ErasureStep(number=number, confirmed=True)
    asked = {"person": person, "hash": hashed, "now": now}
    if (await session.execute(_CONFIRMS, asked)).first() is None:
        raise ConfirmationLapsed(
            "This number confirms nothing: it is too old, or you have been given another. Ask again without one.",
            field="confirmation",
        )
    await _erase(session, person, hashed, now=now, ids=ids)
    return ErasureStep(number=number, confirmed=True)


async def erase(session: AsyncSession, person: UUID, number: str, *, now: datetime, ids: Ids) -> ErasureStep:
    """Erase somebody on the operator's word; NotFound for nobody we know."""
    await end_all(session, person, now=now, ids=ids)
    if (await session.execute(_LOCK, {"person": person})).first() is None:
        raise NotFound("This person is not in the directory.", field="person")
    await _erase(session, person, hash_of(number), now=now, ids=ids)
    return ErasureStep(number=number, confirmed=True)


async def erase_again(session: AsyncSession, one: Erased, *, now: datetime, ids: Ids) -> bool:
    """Erase somebody whom a backup has brought back, under the receipt they were given; whether they were here."""
    await end_all(session, one.person, now=now, ids=ids)
    here = (await session.execute(_LOCK, {"person": one.person})).first() is not None
    hashed = bytes.fromhex(one.receipt)
    if (await session.execute(_DONE, {"person": one.person})).first() is None:
        # Also of somebody nobody knows here any more: other services may.
        await _erase(session, one.person, hashed, now=now, ids=ids)
    await session.execute(_RECEIPT_AGAIN, {"person": one.person, "hash": hashed, "at": one.erased_at})
    return here


async def _erase(session: AsyncSession, person: UUID, hashed: bytes, *, now: datetime, ids: Ids) -> None:
    told: list[Told] = []
    for what, deed, statements in _THEIRS:
        told += await done(session, what, deed, person, *statements)
    told += KEPT_EVERYWHERE
    await session.execute(_ERASE, {"person": person, "hash": hashed, "now": now, "told": _plain(told)})
    await state(session, person, now=now, ids=ids)
    await set_timer(session, OVERDUE, str(person), now + OVERDUE_AFTER)


async def state(session: AsyncSession, person: UUID, *, now: datetime, ids: Ids) -> None:
    """State that the person is erased, or state it once more for those who have not answered."""
    stated = (await session.execute(_STATE, {"person": person})).scalar_one()
    fact = PersonErasedV1(
        id=ids(),
        hub=EVERYWHERE,
        occurred_at=now,
        subject=str(person),
        subject_version=stated,
        person=person,
    )
    await emit(session, fact)


async def restate_erasures(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next erasures again, for a service that has come back from before them: how many, and where to go on."""
    asked = {"after": UUID(after) if after else UUID(int=0), "most": RESTATED_AT_ONCE}
    people = (await session.execute(_FOLLOWING, asked)).scalars().all()
    for person in people:
        await state(session, person, now=clock(), ids=ids)
    return len(people), str(people[-1]) if len(people) == RESTATED_AT_ONCE else None


async def take_answer(session: AsyncSession, fact: PersonForgotten, *, now: datetime) -> None:
    """Add a service's answer to the receipt; with the last one it is complete. An answer to nothing known is dropped."""
    if (await session.execute(_RECEIPT, {"person": fact.person})).first() is None:
        return
    named = {"person": fact.person, "service": fact.service}
    before = (await session.execute(_ANSWERED, named)).scalar() or []
    told = added_up((Told.model_validate(one) for one in before), fact.told)
    answer = named | {"at": fact.occurred_at, "told": _plain(told)}
    await session.execute(_ANSWER, answer)
    completed = {"person": fact.person, "now": now, "services": len(FORGETS)}
    if (await session.execute(_COMPLETE, completed)).first() is not None:
        await cancel_timer(session, OVERDUE, str(fact.person))


def _plain(told: list[Told]) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in told]
