"""Digests that are due, each one mail of everything that waited for it and is still worth telling."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands import lanes
from services.notify.commands.claiming import Claim, Digest, Notice
from services.notify.commands.composing import Draft, Letter, Terms, drop, judge, wait, write_mails
from services.notify.queries.listeners import listeners
from services.notify.rules.deciding import Tell, Wait

LARGEST = 200
"""Items of one mail; the rest comes in the next one."""
REST_AFTER = timedelta(minutes=1)

Recipient = tuple[UUID, str]
"""A person and a hub: whose digests of several paces that are due together become one mail."""

_COLUMNS = """unnest(CAST(:persons AS uuid[]), CAST(:hubs AS text[]), CAST(:channels AS text[]), CAST(:paces AS text[]))
              AS one (person, hub, channel, pace)"""
_HOLD = text(f"""
    SELECT d.person, d.hub, d.channel, d.pace FROM digest d JOIN {_COLUMNS} USING (person, hub, channel, pace)
    WHERE d.claimed_until = :until ORDER BY person, hub, channel, pace FOR UPDATE OF d SKIP LOCKED
""")  # noqa: S608  # constants
_NOTICES = text(f"""
    SELECT n.* FROM {_COLUMNS} CROSS JOIN LATERAL (
        SELECT n.id, n.person, n.hub, n.about, n.thing, n.channel, n.due_at, n.first_at, n.attempts, n.trace
        FROM notice n
        WHERE n.person = one.person AND n.hub = one.hub AND n.channel = one.channel AND n.digest = one.pace
              AND n.message IS NULL
        ORDER BY n.first_at, n.id LIMIT :most FOR UPDATE OF n SKIP LOCKED
    ) n
""")  # noqa: S608  # constants
_PUT_OFF = text("""
    UPDATE digest d SET claimed_until = NULL, due_at = one.due_at
    FROM unnest(CAST(:persons AS uuid[]), CAST(:hubs AS text[]), CAST(:channels AS text[]), CAST(:paces AS text[]),
                CAST(:dues AS timestamptz[])) AS one (person, hub, channel, pace, due_at)
    WHERE (d.person, d.hub, d.channel, d.pace) = (one.person, one.hub, one.channel, one.pace)
""")
_WAITS = """EXISTS (SELECT 1 FROM notice n WHERE n.person = d.person AND n.hub = d.hub AND n.channel = d.channel
                    AND n.digest = d.pace AND n.message IS NULL)"""
_OVER = text(f"""
    DELETE FROM digest d USING {_COLUMNS}
    WHERE (d.person, d.hub, d.channel, d.pace) = (one.person, one.hub, one.channel, one.pace) AND NOT {_WAITS}
""")  # noqa: S608  # constants


async def compose_digests(session: AsyncSession, claimed: Claim, terms: Terms) -> list[Letter]:
    """A mail for each person and hub whose digest is due and has anything to tell."""
    if not claimed.digests:
        return []
    rows = await session.execute(_HOLD, _columns(claimed.digests) | {"until": claimed.until})
    held = {(row.person, row.hub, row.channel, row.pace) for row in rows}
    digests = [one for one in claimed.digests if one[:4] in held]
    quiet = await _quiet(session, digests, terms)
    await _put_off(session, [(one, quiet[one]) for one in digests if one in quiet])
    due = [one for one in digests if one not in quiet]
    notices = await _notices(session, due)
    judged = await judge(session, notices, terms, digesting=True)
    await drop(session, judged, terms)
    await wait(session, [(notice, one) for notice, one in judged if isinstance(one, Wait)], terms)
    told: dict[Recipient, list[tuple[Notice, Tell]]] = defaultdict(list)
    for notice, one in judged:
        if isinstance(one, Tell):
            told[notice.person, notice.hub].append((notice, one))
    letters, late = await write_mails(session, [_draft(pairs[:LARGEST]) for pairs in told.values()], terms)
    crowded = {(draft.person, draft.hub) for draft in late}
    await session.execute(_OVER, _columns(due))
    await _put_off(session, [(one, _later(one, crowded, terms)) for one in due])
    return letters


def _later(digest: Digest, crowded: set[Recipient], terms: Terms) -> datetime:
    """When what has not fitted in is looked at; a digest of which all is told is gone by then."""
    patience = lanes.PATIENCE if (digest.person, digest.hub) in crowded else REST_AFTER
    return terms.now + patience


async def _quiet(session: AsyncSession, digests: Sequence[Digest], terms: Terms) -> dict[Digest, datetime]:
    """Until when those wait whose person does not want to be disturbed now."""
    places = {(one.hub, one.person) for one in digests}
    who = await listeners(session, places, terms.contacts, secret=terms.secret)
    ends = {one: who[one.hub, one.person].quiet_until(terms.now) for one in digests}
    return {one: end for one, end in ends.items() if end is not None}


async def _notices(session: AsyncSession, digests: Sequence[Digest]) -> list[Notice]:
    if not digests:
        return []
    rows = await session.execute(_NOTICES, _columns(digests) | {"most": LARGEST})
    return sorted((Notice.of(row) for row in rows), key=lambda one: (one.first_at, one.id))


def _draft(pairs: Sequence[tuple[Notice, Tell]]) -> Draft:
    first = pairs[0][0]
    items = tuple(one.item for _, one in pairs)
    return Draft(first.person, first.hub, items, tuple(notice for notice, _ in pairs))


async def _put_off(session: AsyncSession, digests: Sequence[tuple[Digest, datetime]]) -> None:
    if digests:
        asked = _columns([one for one, _ in digests]) | {"dues": [due_at for _, due_at in digests]}
        await session.execute(_PUT_OFF, asked)


def _columns(digests: Sequence[Digest]) -> dict[str, Any]:
    return {
        "persons": [one.person for one in digests],
        "hubs": [one.hub for one in digests],
        "channels": [one.channel for one in digests],
        "paces": [one.pace for one in digests],
    }
