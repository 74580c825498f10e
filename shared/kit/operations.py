"""Answers what every service answers for the platform's operator: dead letters and republishing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact, Request
from shared.contracts.operations import (
    DeadLetter,
    DeadLetterPage,
    ListDeadLetters,
    Mend,
    Mended,
    ReplayDeadLetter,
    Republish,
    Republished,
    ShowDeadLetter,
)
from shared.kit import dead_letters
from shared.kit.bus import Consumer, FollowerFailed
from shared.kit.delivery import Delivery
from shared.kit.errors import Conflict, NotFound
from shared.kit.rpc import Call, Handler

Restate = Callable[[AsyncSession, str], Awaitable[tuple[int, str | None]]]
"""States snapshots of the next chunk of one kind after a cursor (empty at first): how many, and where to go on."""

Mending = Callable[[AsyncSession, Mend, Call], Awaitable[Mended]]
"""Mends a chunk of what is apart after the service's database went back in time."""


def handlers(
    consumers: Sequence[Consumer], entities: Mapping[str, Restate], mend: Mending | None = None
) -> dict[type[Request[Any]], Handler]:
    """The handlers of one service, with its consumers, the entities it can state again, and how it mends."""
    by_name = {consumer.durable: consumer for consumer in consumers}

    async def replay_dead_letter(session: AsyncSession, request: ReplayDeadLetter, _: Call) -> DeadLetter:
        letter = await dead_letters.show(session, request.id)
        consumer = by_name.get(letter.consumer)
        if consumer is None:
            raise NotFound(f"This service has no consumer {letter.consumer} any more.")
        fact = consumer.known(Delivery(letter.subject, (letter.body or "").encode(), {}, 1))
        if fact is None:
            raise Conflict(f"This release does nothing about the fact on {letter.subject}.")
        # In this one transaction: either the effect and the mark, or neither.
        await consumer.act(session, fact, letter.body)
        await _let_follow(session, consumer, fact)
        return await dead_letters.mark_replayed(session, request.id)

    async def republish(session: AsyncSession, request: Republish, _: Call) -> Republished:
        restate = entities.get(request.entity)
        if restate is None:
            raise NotFound(
                f"Nothing called {request.entity!r} to republish here; there is: {', '.join(entities)}."
            )
        stated, cursor = await restate(session, request.cursor or "")
        return Republished(entity=request.entity, stated=stated, cursor=cursor)

    return {
        ListDeadLetters: _list_dead_letters,
        ShowDeadLetter: _show_dead_letter,
        ReplayDeadLetter: replay_dead_letter,
        Republish: republish,
        Mend: mend or _nothing_to_mend,
    }


async def _nothing_to_mend(_: AsyncSession, __: Mend, ___: Call) -> Mended:
    raise NotFound("This service tells the world nothing that it could forget.")


async def _list_dead_letters(session: AsyncSession, request: ListDeadLetters, _: Call) -> DeadLetterPage:
    return await dead_letters.page(
        session, limit=request.limit, before=request.cursor, replayed=request.replayed
    )


async def _show_dead_letter(session: AsyncSession, request: ShowDeadLetter, _: Call) -> DeadLetter:
    return await dead_letters.show(session, request.id)


async def _let_follow(session: AsyncSession, consumer: Consumer, fact: Fact) -> None:
    """Take in what was parked behind a replayed fact; one that fails is a dead letter of its own."""
    following = True
    while following:
        try:
            async with session.begin_nested():
                following = await consumer.follow(session, fact)
        except FollowerFailed as error:
            failed = Delivery(error.subject, error.body.encode(), {}, 1)
            await consumer.bury(session, failed, error.__cause__ or error, 1)
            return
