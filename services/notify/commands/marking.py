"""Marking what became of messages: told, failed, or free to be looked at again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.rules.differences import Item
from services.notify.rules.states import State
from shared.contracts.notify.words import About, Channel, Hindrance

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=15)
MOST_TRIES = 292
"""With these pauses it takes three days until something is given up that the mail server does not take, or does not say so."""

_NEWER = """
    ON CONFLICT (person, about, thing, channel) DO UPDATE SET
        state = excluded.state, sequence = greatest(told.sequence, excluded.sequence), told_at = excluded.told_at
"""
_TELL = text(f"""
    INSERT INTO told (person, about, thing, channel, state, sequence, told_at)
    SELECT one.person, one.about, one.thing, one.channel, CAST(one.state AS jsonb), one.sequence, :now
    FROM unnest(CAST(:persons AS uuid[]), CAST(:abouts AS text[]), CAST(:things AS uuid[]), CAST(:channels AS text[]),
                CAST(:states AS text[]), CAST(:sequences AS int[])) AS one (person, about, thing, channel, state, sequence)
    ORDER BY one.person, one.about, one.thing, one.channel
    {_NEWER}
""")  # noqa: S608  # constants


def _over(settled: str, values: str, columns: str) -> TextClause:
    """Messages are done with: their notices go, and what they have told is known.

    Only what is still ours: whoever took it over marks it. Of one thing the last word counts. It is known as of the moment the
    message was made: what somebody was told before they left is of that time, whenever the mail arrived.
    """
    return text(f"""
        WITH ours AS (
            UPDATE message SET claimed_until = NULL, {settled}
            FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS timestamptz[]){values}) AS one (id, lease{columns})
            WHERE message.id = one.id AND message.claimed_until = one.lease AND sent_at IS NULL AND failed_at IS NULL
            RETURNING message.id, message.created_at
        ), done AS (
            DELETE FROM notice USING ours WHERE notice.message = ANY(:ids) AND notice.message = ours.id
        )
        INSERT INTO told (person, about, thing, channel, state, sequence, told_at)
        SELECT DISTINCT ON (one.person, one.about, one.thing, one.channel)
               one.person, one.about, one.thing, one.channel, CAST(one.state AS jsonb), one.sequence, ours.created_at
        FROM unnest(CAST(:messages AS uuid[]), CAST(:persons AS uuid[]), CAST(:abouts AS text[]), CAST(:things AS uuid[]),
                    CAST(:channels AS text[]), CAST(:states AS text[]), CAST(:sequences AS int[]))
             WITH ORDINALITY one (message, person, about, thing, channel, state, sequence, place)
        JOIN ours ON ours.id = one.message
        ORDER BY one.person, one.about, one.thing, one.channel, one.place DESC
        {_NEWER}
    """)  # noqa: S608  # constants


_SENT = _over("sent_at = :now, problem = NULL", "", "")
_FAILED = _over("failed_at = :now, problem = one.problem", ", CAST(:problems AS text[])", ", problem")
_UNSURE = text("""
    UPDATE message SET claimed_until = one.later, problem = one.problem
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS timestamptz[]), CAST(:laters AS timestamptz[]),
                CAST(:problems AS text[])) AS one (id, lease, later, problem)
    WHERE message.id = one.id AND message.claimed_until = one.lease AND sent_at IS NULL AND failed_at IS NULL
""")
_HELD = text("""
    SELECT id FROM message m
    JOIN unnest(CAST(:ids AS uuid[]), CAST(:leases AS timestamptz[])) AS one (id, lease) USING (id)
    WHERE m.claimed_until = one.lease AND m.sent_at IS NULL AND m.failed_at IS NULL
    ORDER BY id FOR UPDATE OF m
""")
# A newer notice of the same stands for the older, too; it keeps what the older has been through.
_MERGED = text("""
    WITH twins AS (
        SELECT free.id AS newer, sent.id AS older, sent.first_at, sent.attempts FROM notice sent
        JOIN notice free ON free.message IS NULL AND free.person = sent.person AND free.about = sent.about
             AND free.thing = sent.thing AND free.channel = sent.channel
        WHERE sent.message = ANY(:ids)
    ), kept AS (
        UPDATE notice SET first_at = least(notice.first_at, twins.first_at),
                          attempts = greatest(notice.attempts, twins.attempts)
        FROM twins WHERE notice.id = twins.newer
    )
    DELETE FROM notice USING twins WHERE notice.id = twins.older
""")
_FREED = text("""
    UPDATE notice SET message = NULL, claimed_until = NULL, attempts = attempts + 1,
        due_at = CAST(:now AS timestamptz)
            + least(CAST(:first AS interval) * power(2, least(attempts, 10)), CAST(:longest AS interval))
    WHERE message = ANY(:ids) RETURNING person, hub, channel, digest, due_at
""")
_DIGESTS_AGAIN = """
    INSERT INTO digest (person, hub, channel, pace, due_at)
    SELECT one.person, one.hub, one.channel, one.pace, one.due_at
    FROM unnest(CAST(:persons AS uuid[]), CAST(:hubs AS text[]), CAST(:channels AS text[]), CAST(:paces AS text[]),
                CAST(:dues AS timestamptz[])) AS one (person, hub, channel, pace, due_at)
    ORDER BY one.person, one.hub, one.channel, one.pace
    ON CONFLICT (person, hub, channel, pace) DO UPDATE SET due_at = least(digest.due_at, excluded.due_at)
"""
_DIGESTS = text(_DIGESTS_AGAIN)
_UNMADE = text("DELETE FROM message WHERE id = ANY(:ids)")
_STOP = text("""
    INSERT INTO stopped_address (address_hash, because, since) VALUES (:hash, :because, :now) ON CONFLICT DO NOTHING
""")


class Known(NamedTuple):
    """What somebody knows of a thing from now on."""

    person: UUID
    about: About
    thing: UUID
    channel: Channel
    state: State
    sequence: int

    @classmethod
    def of(cls, person: UUID, channel: Channel, item: Item) -> Known:
        """What a message has told."""
        return cls(person, item.about, item.thing, channel, item.now, item.sequence)


@dataclass(frozen=True)
class Sending:
    """A message in the hands of one who sends; `lease` is until when, and the mark that it is theirs."""

    id: UUID
    person: UUID
    hub: str
    items: tuple[Item, ...]
    created_at: datetime
    lease: datetime
    attempts: int
    """How often it may have been sent before."""
    tries: int
    """How often the mail server would not take it before."""
    address_hash: bytes

    @property
    def known(self) -> list[Known]:
        """What the person knows when it has arrived."""
        return [Known.of(self.person, Channel.EMAIL, item) for item in self.items]


async def tell(session: AsyncSession, known: Iterable[Known], *, now: datetime) -> None:
    """Keep what people know; of one thing the last word counts."""
    rows = {(one.person, one.about, one.thing, one.channel): one for one in known}
    if not rows:
        return
    ordered = [rows[key] for key in sorted(rows)]
    await session.execute(_TELL, _columns(ordered) | {"now": now})


def _columns(known: Sequence[Known]) -> dict[str, object]:
    return {
        "persons": [one.person for one in known],
        "abouts": [one.about for one in known],
        "things": [one.thing for one in known],
        "channels": [one.channel for one in known],
        "states": [one.state.model_dump_json() for one in known],
        "sequences": [one.sequence for one in known],
    }


async def sent(session: AsyncSession, messages: Sequence[Sending], *, now: datetime) -> None:
    """The mail server has taken these."""
    if messages:
        await session.execute(_SENT, _told_by(messages) | {"now": now})


async def failed(session: AsyncSession, messages: Sequence[tuple[Sending, str]], *, now: datetime) -> None:
    """These will not be sent, for the reason given; nobody is told of the same again."""
    if messages:
        problems = [problem for _, problem in messages]
        asked = _told_by([one for one, _ in messages]) | {"problems": problems, "now": now}
        await session.execute(_FAILED, asked)


def _told_by(messages: Sequence[Sending]) -> dict[str, object]:
    """The messages, and what people know when they have them."""
    told = [(one.id, known) for one in messages for known in one.known]
    return {
        "ids": [one.id for one in messages],
        "leases": [one.lease for one in messages],
        "messages": [message for message, _ in told],
        **_columns([known for _, known in told]),
    }


async def unsure(session: AsyncSession, messages: Sequence[tuple[Sending, str]], *, now: datetime) -> None:
    """Nobody knows whether these arrived: they go again as they are, later."""
    if messages:
        asked = {
            "ids": [one.id for one, _ in messages],
            "leases": [one.lease for one, _ in messages],
            "laters": [now + pause_after(one.attempts) for one, _ in messages],
            "problems": [problem for _, problem in messages],
        }
        await session.execute(_UNSURE, asked)


async def unsent(session: AsyncSession, messages: Sequence[Sending], *, now: datetime) -> None:
    """These were surely not taken: what they would have told is looked at again later, as it is then."""
    if not messages:
        return
    asked = {"ids": [one.id for one in messages], "leases": [one.lease for one in messages]}
    ids = [row.id for row in await session.execute(_HELD, asked)]
    await session.execute(_MERGED, {"ids": ids})
    freed = (
        await session.execute(
            _FREED, {"ids": ids, "now": now, "first": FIRST_PAUSE, "longest": LONGEST_PAUSE}
        )
    ).all()
    due = {(row.person, row.hub, row.channel, row.digest): row.due_at for row in freed if row.digest}
    await back_into_digests(session, [(*key, due_at) for key, due_at in due.items()])
    await session.execute(_UNMADE, {"ids": ids})


async def back_into_digests(
    session: AsyncSession, rows: Sequence[tuple[UUID, str, str, str, datetime]]
) -> None:
    """Digests of (person, hub, channel, pace) that come at that time, or sooner if they would anyway."""
    if rows:
        names = ("persons", "hubs", "channels", "paces", "dues")
        columns = zip(*sorted(rows), strict=True)
        await session.execute(
            _DIGESTS, {name: list(column) for name, column in zip(names, columns, strict=True)}
        )


async def stop(session: AsyncSession, address_hash: bytes, because: Hindrance, *, now: datetime) -> None:
    """Mail nothing to the address any more."""
    await session.execute(_STOP, {"hash": address_hash, "because": because, "now": now})


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many tries."""
    return min(FIRST_PAUSE * (1 << min(attempts, 10)), LONGEST_PAUSE)
