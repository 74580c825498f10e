"""What logs and dead letters say of errors: what went wrong and where, and nothing that somebody has written."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
from fastapi.exceptions import ResponseValidationError
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.contracts.directory.facts import HubRegisteredV1
from shared.kit import telemetry
from shared.kit.bus import ATTEMPTS, Consumer
from shared.kit.database import Database, driver_of
from shared.kit.failures import last_words, said
from shared.kit.ids import new_id
from tests.kit.consuming import DURABLE, dead, message_of
from tests.kit.hubs import registered

SOMEBODYS = "signe.obemarkt@example.org"


class Named(BaseModel):
    """Takes no address for a name."""

    name: str = Field(max_length=5)


async def taken_twice(database: Database) -> None:
    """As the ORM's sessions hear it."""
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE address (email text CONSTRAINT one_each UNIQUE)"))
        for _ in range(2):
            await session.execute(text("INSERT INTO address (email) VALUES (:email)"), {"email": SOMEBODYS})


async def taken_twice_beside_the_orm(database: Database) -> None:
    """As the one statement of a reservation hears it."""
    async with database.engine.begin() as connection:
        driver = await driver_of(connection)
        await driver.execute("CREATE TEMPORARY TABLE address (email text CONSTRAINT one_each UNIQUE)")
        for _ in range(2):
            await driver.execute("INSERT INTO address (email) VALUES ($1)", SOMEBODYS)


async def not_of_its_type(database: Database) -> None:
    """PostgreSQL's message itself repeats it."""
    async with database.transaction() as session:
        await session.execute(text("SELECT CAST(CAST(:given AS text) AS int)"), {"given": SOMEBODYS})


async def not_of_its_type_for_the_driver(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("SELECT CAST(:given AS int)"), {"given": SOMEBODYS})


async def not_as_declared(_: Database) -> None:
    Named(name=SOMEBODYS)


async def answered_not_as_declared(_: Database) -> None:
    raise ResponseValidationError([{"type": "int", "loc": ("name",), "msg": SOMEBODYS, "input": SOMEBODYS}])


Failing = Callable[[Database], Awaitable[None]]


async def failed(failing: Failing, database: Database) -> ExceptionGroup[Exception]:
    """What comes of it, by way of an error of ours and in a group, as a task group would have it."""
    try:
        await failing(database)
    except Exception as error:  # noqa: BLE001  # whatever it is, is looked at
        passed_on = ConnectionError("not carried out")
        passed_on.__cause__ = error
        return ExceptionGroup("side by side", [passed_on])
    raise AssertionError


@pytest.mark.parametrize(
    ("failing", "words"),
    [
        (taken_twice, "IntegrityError: UniqueViolationError: duplicate key value violates unique constraint"),
        (
            taken_twice_beside_the_orm,
            'UniqueViolationError: duplicate key value violates unique constraint "one',
        ),
        (not_of_its_type, "DBAPIError: InvalidTextRepresentationError"),
        (not_of_its_type_for_the_driver, "DBAPIError: DataError"),
        (not_as_declared, "ValidationError: name: string_too_long"),
        (answered_not_as_declared, "ResponseValidationError: name: int"),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
async def test_an_error_says_what_went_wrong_and_where_without_anybodys_words(
    directory: Database, failing: Failing, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    group = await failed(failing, directory)
    last_words(type(group), group, group.__traceback__)
    whole = capsys.readouterr().err
    assert SOMEBODYS not in whole
    assert f"in {failing.__name__}" in whole, "where it went wrong"
    assert words in whole
    assert "ConnectionError: not carried out" in whole
    cause = group.exceptions[0].__cause__
    assert cause is not None
    assert said(cause).startswith(words)
    assert SOMEBODYS not in said(cause)


class Ill(Exception):
    """Fails when it is asked what it says."""

    def __str__(self) -> str:
        raise RuntimeError(SOMEBODYS)


def test_an_error_that_cannot_be_asked_does_not_break_the_log() -> None:
    assert said(Ill()) == "Ill: what it says cannot be said"
    assert said(TimeoutError()) == "TimeoutError"


async def test_however_an_error_comes_into_the_log_its_values_do_not(
    directory: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    group = await failed(taken_twice, directory)
    with as_in_production():
        log = telemetry.logger("a.module")
        log.error("ours, with its traceback", exc_info=group)
        log.warning("ours, in passing", error=group.exceptions[0].__cause__)
        logging.getLogger("a.library").error("a library's", exc_info=group)
        asyncio.get_running_loop().call_exception_handler(
            {"message": "asyncio's", "exception": group, "future": _ended_with(group.exceptions[0])}
        )
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == [
        "ours, with its traceback",
        "ours, in passing",
        "a library's",
        "asyncio's",
    ]
    assert all("UniqueViolationError" in json.dumps(line) for line in lines)
    assert SOMEBODYS not in json.dumps(lines)


@contextmanager
def as_in_production() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    telemetry.set_up_logs("booking", "INFO")
    try:
        yield
    finally:
        root.handlers[:], root.level = before


def _ended_with(error: Exception) -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_exception(error)
    assert future.exception()
    return future


async def test_a_dead_letter_does_not_repeat_the_row_that_the_database_refused(booking: Database) -> None:
    async def takes_it_twice(session: AsyncSession, _: Fact) -> None:
        await session.execute(text("CREATE TABLE address (email text CONSTRAINT one_each UNIQUE)"))
        driver = await driver_of(await session.connection())
        for _number in range(2):
            await driver.execute("INSERT INTO address (email) VALUES ($1)", SOMEBODYS)

    fact = registered("ystad")
    consumer = Consumer(DURABLE, booking, {HubRegisteredV1: takes_it_twice}, ids=new_id, in_order=True)
    outcomes = [await consumer.handle(message_of(fact)) for _ in range(ATTEMPTS)]
    assert outcomes[-1] == "dead"
    [letter] = await dead(booking)
    assert letter["reason"] == (
        'UniqueViolationError: duplicate key value violates unique constraint "one_each"'
    )
