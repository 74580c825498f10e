"""Same key, same answer: for success and refusal, for twins at once, for a day."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Request, View
from shared.kit import idempotency
from shared.kit.database import Database
from shared.kit.errors import Conflict, IdempotencyKeyReused, Invalid, Unavailable
from shared.kit.idempotency import Answer, Key
from shared.kit.ids import new_id, utc_now
from shared.kit.rpc import Call, carry_out
from tests.kit.hubs import scalar

PERSON = new_id()


class Opened(View):
    number: int
    version: int = 1


class Open(Request[Opened]):
    service = "booking"
    operation = "open"
    reply = Opened
    changes = True
    created = True


class Taken(Conflict):
    code = "taken"


class Opening:
    """An order with an effect that can be counted."""

    def __init__(self, *, outcome: Any = None) -> None:
        self.tries = 0
        self.outcome = outcome

    async def __call__(self, session: AsyncSession, _: Open, __: Call) -> Opened:
        self.tries += 1
        await session.execute(text("INSERT INTO effect (hub) VALUES ('opened')"))
        if self.outcome is not None:
            raise self.outcome
        return Opened(number=self.tries)


def call(key: str = "k-1", *, body: bytes = b"{}", person: Any = PERSON, now: datetime | None = None) -> Call:
    return Call(None, now or utc_now(), Key.of(person, "open", key, body))


async def opened_times(database: Database) -> Any:
    return await scalar(database, "SELECT count(*) FROM effect")


async def test_the_same_key_is_given_the_same_answer_and_has_one_effect(booking: Database) -> None:
    opening = Opening()
    first = await carry_out(booking, opening, Open(), call())
    again = await carry_out(booking, opening, Open(), call())
    assert first == again == Answer(201, 1, '{"number":1,"version":1}')
    assert await opened_times(booking) == 1


async def test_a_refusal_is_given_again_although_it_would_be_granted_by_now(booking: Database) -> None:
    first = await carry_out(booking, Opening(outcome=Taken("It is taken.")), Open(), call())
    granted = Opening()
    again = await carry_out(booking, granted, Open(), call())
    assert first == again
    assert (first.status, orjson.loads(first.body)["code"]) == (409, "taken")
    assert granted.tries == 0
    assert await opened_times(booking) == 0


@pytest.mark.parametrize("passing", [Unavailable("Not now."), ZeroDivisionError("a bug")])
async def test_what_was_not_decided_is_not_stored(booking: Database, passing: Exception) -> None:
    with pytest.raises(type(passing)):
        await carry_out(booking, Opening(outcome=passing), Open(), call())
    assert (await carry_out(booking, Opening(), Open(), call())).status == 201


async def test_the_same_key_with_another_body_is_refused_and_the_first_answer_stays(
    booking: Database,
) -> None:
    first = await carry_out(booking, Opening(), Open(), call())
    with pytest.raises(IdempotencyKeyReused) as caught:
        await carry_out(booking, Opening(), Open(), call(body=b'{"other": 1}'))
    assert caught.value.status == 422
    assert await carry_out(booking, Opening(), Open(), call()) == first


async def test_another_person_with_the_same_key_is_somebody_else(booking: Database) -> None:
    opening = Opening()
    await carry_out(booking, opening, Open(), call())
    await carry_out(booking, opening, Open(), call(person=new_id()))
    assert await opened_times(booking) == 2


@pytest.mark.parametrize("outcome", [None, Taken("It is taken.")])
async def test_twins_at_once_hear_the_same_and_one_has_its_effect(
    booking: Database, outcome: Exception | None
) -> None:
    opening = Opening(outcome=outcome)
    answers = await asyncio.gather(*(carry_out(booking, opening, Open(), call()) for _ in range(5)))
    assert len(set(answers)) == 1
    assert await opened_times(booking) == (1 if outcome is None else 0)


async def test_a_broken_rule_of_the_database_is_not_taken_for_a_twin(booking: Database) -> None:
    async def breaks(session: AsyncSession, request: Open, _: Call) -> Opened:
        await session.execute(text("INSERT INTO heard_version VALUES ('c', 's', 1), ('c', 's', 2)"))
        raise AssertionError

    with pytest.raises(IntegrityError):
        await carry_out(booking, breaks, Open(), call())
    assert await scalar(booking, "SELECT count(*) FROM idempotency_key") == 0


async def test_after_a_day_a_key_is_new_again(booking: Database) -> None:
    opening = Opening()
    now = utc_now()
    await carry_out(booking, opening, Open(), call(now=now))
    almost = now + timedelta(hours=23, minutes=59)
    await carry_out(booking, opening, Open(), call(now=almost))
    assert await opened_times(booking) == 1
    later = now + timedelta(hours=24, minutes=1)
    answer = await carry_out(booking, opening, Open(), call(body=b"other", now=later))
    assert orjson.loads(answer.body)["number"] == 2
    assert await opened_times(booking) == 2


async def test_keys_past_their_day_are_forgotten(booking: Database) -> None:
    await carry_out(booking, Opening(), Open(), call("old"))
    async with booking.transaction() as session:
        assert await idempotency.purge(session, utc_now()) == 0
        assert await idempotency.purge(session, utc_now() + timedelta(hours=25)) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "line\nbreak", "nul\x00"])
async def test_a_key_is_printable_and_of_bounded_length(key: str) -> None:
    with pytest.raises(Invalid):
        Key.of(PERSON, "open", key, b"")


def _several(*keys: str) -> list[tuple[Key, Answer]]:
    return [
        (Key.of(PERSON, "open", key, b"{}"), Answer(201, None if number % 2 else number, f'"{key}"'))
        for number, key in enumerate(keys)
    ]


async def test_many_answers_are_stored_at_once_like_one(booking: Database) -> None:
    several = _several("c", "a", "b")
    async with booking.transaction() as session:
        await idempotency.store_all(session, several)
        await idempotency.store_all(session, [])
    async with booking.reading() as session:
        for key, answer in several:
            assert await idempotency.answered(session, key, now=utc_now()) == answer


async def test_of_many_answers_with_a_known_key_none_is_stored(booking: Database) -> None:
    async with booking.transaction() as session:
        await idempotency.store_all(session, _several("b"))
    with pytest.raises(IntegrityError):
        async with booking.transaction() as session:
            await idempotency.store_all(session, _several("a", "b", "c"))
    assert await scalar(booking, "SELECT count(*) FROM idempotency_key") == 1
