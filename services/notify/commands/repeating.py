"""Mails of which nobody knows whether they have arrived: sent again as they are, unless nobody wants them any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands import lanes, marking
from services.notify.commands.claiming import Claim, Frozen
from services.notify.commands.composing import Letter, Terms
from services.notify.commands.marking import MOST_TRIES, Sending
from services.notify.queries.listeners import listeners
from services.notify.rules.addresses import address_hash, lane_of
from services.notify.rules.deciding import Listener, still_wanted
from shared.contracts.notify.words import ALWAYS

_HOLD = text("""
    SELECT id FROM message WHERE id = ANY(:ids) AND claimed_until = :until AND sent_at IS NULL AND failed_at IS NULL
    ORDER BY id FOR UPDATE SKIP LOCKED
""")
_ERASE_NOTICES = text("DELETE FROM notice WHERE message = ANY(:ids)")
_ERASE = text("DELETE FROM message WHERE id = ANY(:ids)")
_LEASE = text("""
    UPDATE message SET claimed_until = one.lease, address_hash = coalesce(one.address_hash, message.address_hash)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS timestamptz[]), CAST(:hashes AS bytea[]))
         AS one (id, lease, address_hash)
    WHERE message.id = one.id
""")


async def compose_again(session: AsyncSession, claimed: Claim, terms: Terms) -> list[Letter]:
    """The mails that are to go again, each the same as before; those nobody wants any more are given up."""
    if not claimed.again:
        return []
    asked = {"ids": [one.id for one in claimed.again], "until": claimed.until}
    held = {row.id for row in await session.execute(_HOLD, asked)}
    messages = [one for one in claimed.again if one.id in held]
    places = {(one.hub, one.person) for one in messages}
    who = await listeners(session, places, terms.contacts, secret=terms.secret)
    go, over, erased, later = [], [], [], []
    for one in messages:
        listener = who[one.hub, one.person]
        why, quiet = _why_not(one, listener), listener.quiet_until(terms.now)
        if listener.contact is None:
            erased.append(one.id)
        elif why is not None:
            over.append((_sending(one, claimed.until, b""), why))
        elif quiet is not None and not any(item.kind in ALWAYS for item in one.items):
            later.append((one, quiet))
        else:
            go.append(one)
    await session.execute(_ERASE_NOTICES, {"ids": erased})
    await session.execute(_ERASE, {"ids": erased})
    await marking.failed(session, over, now=terms.now)
    letters, late = await _letters(session, go, terms)
    later += [(one, terms.now + lanes.PATIENCE) for one in late]
    leases = [(letter.sending.id, letter.sending.lease, letter.sending.address_hash) for letter in letters]
    await _lease(session, [*leases, *((one.id, until, None) for one, until in later)])
    terms.tally["again"] += len(letters)
    return letters


def _why_not(message: Frozen, listener: Listener) -> str | None:
    # By tries and not by age: while nobody was there to send it, it only waited.
    if message.attempts >= MOST_TRIES:
        return "nobody knows whether it arrived"
    return still_wanted(
        message.hub, frozenset(item.kind for item in message.items), message.created_at, listener
    )


async def _letters(
    session: AsyncSession, messages: Sequence[Frozen], terms: Terms
) -> tuple[list[Letter], list[Frozen]]:
    contacts = [terms.contacts[one.hub, one.person] for one in messages]
    wanted = [lane_of(contact.email or "", terms.secret) for contact in contacts]
    taken = await lanes.take(session, wanted, now=terms.now, rates=terms.rates)
    letters, late = [], []
    for one, contact, slot in zip(messages, contacts, taken, strict=True):
        if slot is None:
            late.append(one)
            continue
        hashed = address_hash(contact.email or "", terms.secret)
        traces = () if one.trace is None else (one.trace,)
        letters.append(Letter(_sending(one, terms.lease(slot), hashed), contact, slot, traces))
    return letters, late


def _sending(message: Frozen, lease: datetime, hashed: bytes) -> Sending:
    return Sending(
        id=message.id,
        person=message.person,
        hub=message.hub,
        items=message.items,
        created_at=message.created_at,
        lease=lease,
        attempts=message.attempts,
        tries=0,
        address_hash=hashed,
    )


async def _lease(session: AsyncSession, leases: Sequence[tuple[object, datetime, bytes | None]]) -> None:
    if leases:
        ids, untils, hashes = (list(column) for column in zip(*leases, strict=True))
        await session.execute(_LEASE, {"ids": ids, "leases": untils, "hashes": hashes})
