"""Noting that somebody may have to be told of a thing, or that they know it already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.queries.states import Key, states
from services.notify.rules.moments import LONGEST_GATHER, gathered
from shared.contracts.base import NOBODY
from shared.contracts.notify.words import About, Channel
from shared.kit.causes import cause_of
from shared.kit.database import to_be_announced
from shared.kit.ids import Ids

BOTH = (Channel.EMAIL, Channel.INBOX)
MAIL_ONLY = (Channel.EMAIL,)
"""For guests, who have nothing to look into."""
INBOX_ALONE = (Channel.INBOX,)
"""For what nobody is disturbed with."""


@dataclass(frozen=True)
class Look:
    """Look at `thing` for `person`: there may be something to tell.

    It is looked at when edits have had time to gather, an `urgent` one at once, one with `due_at` then: only reminders have
    one, and for them the latest word counts.
    """

    person: UUID
    hub: str
    about: About
    thing: UUID
    urgent: bool = False
    due_at: datetime | None = None
    channels: tuple[Channel, ...] = BOTH

    @property
    def key(self) -> Key:
        """What the person is told of."""
        return Key(self.person, self.about, self.thing)


# What has been judged already waits for its digest, the end of the night or the mail server: there the edits of now gather
# anew, as if it were the first notice. It may be another matter now, so it leaves its digest.
_LOOK = text("""
    INSERT INTO notice (id, person, hub, about, thing, channel, due_at, first_at, trace)
    SELECT one.id, one.person, one.hub, one.about, one.thing, one.channel, one.due_at, :now, one.trace
    FROM unnest(CAST(:ids AS uuid[]), CAST(:persons AS uuid[]), CAST(:hubs AS text[]), CAST(:abouts AS text[]),
                CAST(:things AS uuid[]), CAST(:channels AS text[]), CAST(:dues AS timestamptz[]),
                CAST(:traces AS text[]))
         WITH ORDINALITY one (id, person, hub, about, thing, channel, due_at, trace, place)
    ORDER BY one.place
    ON CONFLICT (person, about, thing, channel) WHERE message IS NULL DO UPDATE SET
        due_at = CASE
            WHEN excluded.about = 'reminder' OR notice.digest IS NOT NULL
                 OR notice.due_at > notice.first_at + CAST(:longest AS interval) THEN excluded.due_at
            ELSE least(excluded.due_at, notice.first_at + CAST(:longest AS interval)) END,
        digest = NULL, claimed_until = NULL, trace = coalesce(excluded.trace, notice.trace)
""")
_KNOW = text("""
    INSERT INTO told (person, about, thing, channel, state, told_at)
    SELECT one.person, one.about, one.thing, one.channel, CAST(one.state AS jsonb), :now
    FROM unnest(CAST(:persons AS uuid[]), CAST(:abouts AS text[]), CAST(:things AS uuid[]), CAST(:channels AS text[]),
                CAST(:states AS text[])) WITH ORDINALITY one (person, about, thing, channel, state, place)
    WHERE NOT EXISTS (SELECT 1 FROM notice n WHERE n.person = one.person AND n.about = one.about AND n.thing = one.thing
                      AND n.channel = one.channel)
    ORDER BY one.place
    ON CONFLICT (person, about, thing, channel) DO UPDATE SET state = excluded.state, told_at = excluded.told_at
""")


async def look_at(
    session: AsyncSession, looks: Iterable[Look], *, now: datetime, gather: timedelta, ids: Ids
) -> None:
    """Note these, once per person, thing and channel; a notice that waits already waits for the edits of now, too."""
    rows = [
        (look.person, look.hub, look.about, look.thing, channel, _due(look, now, gather), _cause(look))
        for look in _merged(looks)
        if look.person != NOBODY
        for channel in look.channels
    ]
    if not rows:
        return
    rows.sort(key=lambda row: (row[0], row[2], row[3], row[4]))  # everybody locks in the same order
    columns = zip(*rows, strict=True)
    names = ("persons", "hubs", "abouts", "things", "channels", "dues", "traces")
    values: dict[str, object] = {name: list(column) for name, column in zip(names, columns, strict=True)}
    await session.execute(
        _LOOK, values | {"ids": [ids() for _ in rows], "now": now, "longest": LONGEST_GATHER}
    )
    to_be_announced(session)


def _merged(looks: Iterable[Look]) -> Iterable[Look]:
    """One per thing and person, the more urgent and later ones winning: a statement can touch a row only once."""
    merged: dict[Key, Look] = {}
    for look in looks:
        known = merged.get(look.key)
        if known is None or look.urgent or not known.urgent:
            merged[look.key] = look
    return merged.values()


def _due(look: Look, now: datetime, gather: timedelta) -> datetime:
    if look.due_at is not None:
        return look.due_at
    return now if look.urgent else gathered(now, now, gather)


def _cause(look: Look) -> str | None:
    # A reminder comes because of the time, days after whoever booked.
    return None if look.due_at is not None else cause_of(look.thing)


async def know(
    session: AsyncSession, keys: Sequence[Key], *, now: datetime, channels: Sequence[Channel] = BOTH
) -> None:
    """Nobody needs to be told how these are: they know, or it was too long ago.

    What waits to be told is told all the same, as it is then.
    """
    seen = await states(session, keys)
    rows = sorted(
        (key.person, key.about, key.thing, channel, known.now.model_dump_json())
        for key, known in seen.items()
        if known.now is not None and key.person != NOBODY
        for channel in channels
    )
    if rows:
        names = ("persons", "abouts", "things", "channels", "states")
        columns = zip(*rows, strict=True)
        values: dict[str, object] = {name: list(column) for name, column in zip(names, columns, strict=True)}
        await session.execute(_KNOW, values | {"now": now})
