"""Forgetting a person in one service: once heard it is done, answered, done again a little later, and kept so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import EVERYWHERE, NOBODY, Fact
from shared.contracts.directory.facts import PersonErasedV1
from shared.contracts.forgetting import Deed, PersonForgotten, Reason, Thing, Told
from shared.contracts.streams import FORGETS
from shared.kit.bus import BatchEffect, Effect
from shared.kit.database import changed_rows
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import emit
from shared.kit.timers import Duty, set_timer

FORGET_AGAIN = "forget-again"
"""Kind of the timer; its key is the person's id."""
AGAIN_AFTER = timedelta(minutes=15)
"""Longer than a token lasts that was given before the erasure: whatever the person did meanwhile is swept up then."""


def kept(what: Thing, because: Reason) -> Told:
    """That something is kept, and why."""
    return Told(what=what.value, deed=Deed.KEPT, because=because.value)


def told(what: Thing, deed: Deed, count: int) -> list[Told]:
    """What there is to tell of one kind of thing: nothing where there was nothing."""
    return [Told(what=what.value, deed=deed, count=count)] if count else []


KEPT_EVERYWHERE = (kept(Thing.ID, Reason.STAYS_FORGOTTEN), kept(Thing.FACTS, Reason.THIRTY_DAYS))
"""Every service keeps the id, and for a while what it has stated, in which there is nothing but ids."""

_REMEMBER = text("""
    INSERT INTO forgotten_person (person, forgotten_at) VALUES (:person, :now) ON CONFLICT DO NOTHING
""")
_COUNT = text("UPDATE forgotten_person SET stated = stated + 1 WHERE person = :person RETURNING stated")
_GONE = text("SELECT person FROM forgotten_person WHERE person = ANY(:ids)")
_OWN_KEYS = text("DELETE FROM idempotency_key WHERE person = :person")

F = TypeVar("F", bound=Fact)
Forget = Callable[[AsyncSession, UUID, datetime], Awaitable[list[Told]]]
"""Forgets what the service holds of a person, in the caller's transaction; a second time there is nothing left to tell."""


async def done(
    session: AsyncSession, what: Thing, deed: Deed, person: UUID, *statements: str, **more: Any
) -> list[Told]:
    """Run statements about `:person` on one kind of thing; what there is to tell of it, nothing where there was nothing."""
    values = {"person": person, **more}
    count = 0
    for statement in statements:
        named = {name: value for name, value in values.items() if f":{name}" in statement}
        count += changed_rows(await session.execute(text(statement), named))
    return told(what, deed, count)


async def forget_keys(session: AsyncSession, person: UUID) -> list[Told]:
    """Answers kept for a person who asks again with the same key."""
    count = changed_rows(await session.execute(_OWN_KEYS, {"person": person}))
    return told(Thing.KEPT_ANSWERS, Deed.ERASED, count)


async def is_forgotten(session: AsyncSession, person: UUID) -> bool:
    """Whether this service has heard that the person is erased: nothing is written about them any more, whatever proves them."""
    return (await session.execute(_GONE, {"ids": [person]})).first() is not None


class Forgetting:
    """What one service does when it hears that a person is erased."""

    def __init__(self, service: str, forget: Forget, *, clock: Clock, ids: Ids) -> None:
        self.durable = f"{service}__forgets_people"
        self._answer: type[PersonForgotten] = FORGETS[service]
        self._forget = forget
        self._clock = clock
        self._ids = ids

    def effects(self) -> Mapping[type[Fact], Effect]:
        """Forget, answer, and look once more when nothing of theirs can be on its way any longer."""

        async def on_erased(session: AsyncSession, fact: PersonErasedV1) -> None:
            now = self._clock()
            # First, so that whoever writes about the person at this moment either sees it or is swept up.
            await session.execute(_REMEMBER, {"person": fact.person, "now": now})
            await self._tell(session, fact.person, await self._forget(session, fact.person, now), now)
            await set_timer(session, FORGET_AGAIN, str(fact.person), now + AGAIN_AFTER)

        return {PersonErasedV1: on_erased}

    def duties(self) -> Mapping[str, Duty]:
        """The second look; it says something only if there was something."""

        async def again(session: AsyncSession, key: str, now: datetime) -> None:
            person = UUID(key)
            found = await self._forget(session, person, now)
            if found:
                await self._tell(session, person, found, now)

        return {FORGET_AGAIN: again}

    async def _tell(self, session: AsyncSession, person: UUID, found: list[Told], now: datetime) -> None:
        stated = (await session.execute(_COUNT, {"person": person})).scalar_one()
        fact = self._answer(
            id=self._ids(),
            hub=EVERYWHERE,
            occurred_at=now,
            subject=str(person),
            subject_version=stated,
            person=person,
            **_by_deed([*found, *KEPT_EVERYWHERE]),
        )
        await emit(session, fact)


def _by_deed(found: Sequence[Told]) -> dict[str, dict[str, Any]]:
    said: dict[str, dict[str, Any]] = {deed.value: {} for deed in Deed}
    for one in found:
        said[one.deed][one.what] = one.because if one.deed is Deed.KEPT else one.count
    return said


@cache
def _ids_of(kind: type[Fact]) -> tuple[str, ...]:
    """The fields of a fact that can name a person."""
    return tuple(
        name
        for name, field in kind.model_fields.items()
        if name != "id" and "UUID" in str(field.annotation) and field.annotation is not None
    )


def _ids_in(fact: Fact) -> set[UUID]:
    found: set[UUID] = set()
    for name in _ids_of(type(fact)):
        value = getattr(fact, name)
        found.update(value if isinstance(value, tuple) else (value,))
    return found - {None}


async def _gone_among(session: AsyncSession, facts: Sequence[Fact]) -> set[UUID]:
    ids = set[UUID]().union(*(_ids_in(fact) for fact in facts))
    return set((await session.execute(_GONE, {"ids": list(ids)})).scalars()) if ids else set()


def _without(fact: F, gone: Collection[UUID]) -> F:
    """The fact with nobody where somebody was who is gone."""
    changed: dict[str, Any] = {}
    for name in _ids_of(type(fact)):
        value = getattr(fact, name)
        if isinstance(value, tuple):
            changed[name] = tuple(one for one in value if one not in gone)
        elif value in gone:
            changed[name] = NOBODY
    return fact.model_copy(update=changed)


def _left(facts: Sequence[F], gone: Collection[UUID], *, drops: bool) -> list[F]:
    if not gone:
        return list(facts)
    kept = [fact for fact in facts if not drops or getattr(fact, "person", None) not in gone]
    return [_without(fact, gone) for fact in kept]


def of_the_living(effects: Mapping[type[Fact], Effect], *, drops: bool = True) -> Mapping[type[Fact], Effect]:
    """The same effects, told nothing of people who are gone: facts about them are dropped, elsewhere nobody stands for them.

    With `drops` false a fact whose person is gone is handed on with nobody in their place, for what goes on without them.
    """

    def careful(effect: Effect) -> Effect:
        async def act(session: AsyncSession, fact: Fact) -> None:
            for left in _left([fact], await _gone_among(session, [fact]), drops=drops):
                await effect(session, left)

        return act

    return {kind: careful(effect) for kind, effect in effects.items()}


def all_of_the_living(effect: BatchEffect, *, drops: bool = True) -> BatchEffect:
    """The same for facts that are taken in many at a time."""

    async def act(session: AsyncSession, facts: Sequence[Fact]) -> None:
        left = _left(facts, await _gone_among(session, facts), drops=drops)
        if left:
            await effect(session, left)

    return act
