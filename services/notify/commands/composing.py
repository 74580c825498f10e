"""Composing: notices that are due become messages, frozen before they are sent, or go where they wait."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands import lanes, marking
from services.notify.commands.claiming import Claim, Notice
from services.notify.commands.marking import Known, Sending
from services.notify.queries.listeners import Place, Told, listeners, told
from services.notify.queries.states import Key, Seen, states
from services.notify.rules.addresses import address_hash, lane_of
from services.notify.rules.deciding import (
    Decision,
    Drop,
    Gather,
    Matter,
    Tell,
    Wait,
    decide,
)
from services.notify.rules.differences import Item
from shared.contracts.directory.requests import Contact
from shared.contracts.notify.words import About, Channel
from shared.kit.ids import Ids

MARGIN = timedelta(seconds=5)
"""Between the longest a mail can take and the moment another may take it over."""
REMINDED_OF = (About.BOOKING, About.SIGN_UP)
"""What begins, of which a reminder has the id."""

_HOLD = text("""
    SELECT id FROM notice WHERE id = ANY(:ids) AND message IS NULL AND digest IS NULL AND claimed_until = :until
    AND due_at <= :now ORDER BY id FOR UPDATE SKIP LOCKED
""")
_LET_GO = text("""
    UPDATE notice SET claimed_until = NULL WHERE id IN
        (SELECT id FROM notice WHERE id = ANY(:ids) AND claimed_until = :until FOR UPDATE SKIP LOCKED)
""")
_DROP = text("DELETE FROM notice WHERE id = ANY(:ids)")
_WAIT = text("""
    UPDATE notice SET due_at = one.due_at, claimed_until = NULL, digest = NULL
    FROM unnest(CAST(:ids AS uuid[]), CAST(:dues AS timestamptz[])) AS one (id, due_at) WHERE notice.id = one.id
""")
_GATHER = text("""
    UPDATE notice SET digest = one.pace, claimed_until = NULL
    FROM unnest(CAST(:ids AS uuid[]), CAST(:paces AS text[])) AS one (id, pace) WHERE notice.id = one.id
""")
_MESSAGES = text("""
    INSERT INTO message (id, person, hub, channel, kinds, items, created_at, claimed_until, sent_at, address_hash,
                         trace)
    SELECT one.id, one.person, one.hub, one.channel, string_to_array(one.kinds, ','), CAST(one.items AS jsonb), :now,
           one.lease, one.sent_at, one.address_hash, one.trace
    FROM unnest(CAST(:ids AS uuid[]), CAST(:persons AS uuid[]), CAST(:hubs AS text[]), CAST(:channels AS text[]),
                CAST(:kinds AS text[]), CAST(:items AS text[]), CAST(:leases AS timestamptz[]),
                CAST(:sents AS timestamptz[]), CAST(:hashes AS bytea[]), CAST(:traces AS text[]))
         AS one (id, person, hub, channel, kinds, items, lease, sent_at, address_hash, trace)
""")
_LINK = text("""
    UPDATE notice SET message = one.message, claimed_until = NULL
    FROM unnest(CAST(:ids AS uuid[]), CAST(:messages AS uuid[])) AS one (id, message) WHERE notice.id = one.id
""")


@dataclass(frozen=True)
class Terms:
    """What composing goes by; `contacts` are those directory has just given."""

    now: datetime
    contacts: Mapping[Place, Contact]
    secret: str
    rates: lanes.Rates
    longest: timedelta
    """From the moment a mail may go until it has gone, one way or another."""
    ids: Ids
    tally: Counter[str] = field(default_factory=Counter)
    """How many notices became of what."""

    def lease(self, slot: datetime) -> datetime:
        """Until when a mail is in its sender's hands that goes at `slot`."""
        return slot + self.longest + MARGIN


@dataclass(frozen=True)
class Letter:
    """A frozen message on its way to a mail: to whom, and not before when."""

    sending: Sending
    contact: Contact
    at: datetime
    traces: tuple[str, ...] = ()
    """The recorded traces of what it tells of."""


class Draft(NamedTuple):
    """Items for one person that become one message, and the notices they come from."""

    person: UUID
    hub: str
    items: tuple[Item, ...]
    notices: tuple[Notice, ...]

    @property
    def traces(self) -> tuple[str, ...]:
        """The recorded traces of what it tells of."""
        return tuple(notice.trace for notice in self.notices if notice.trace is not None)


async def compose_notices(session: AsyncSession, claimed: Claim, terms: Terms) -> list[Letter]:
    """Judge each notice by how things are now; the mails that are to go are returned, all else is done."""
    ids = [notice.id for notice in claimed.notices]
    asked = {"ids": ids, "until": claimed.until, "now": terms.now}
    held = {row.id for row in await session.execute(_HOLD, asked)}
    if moved_on := {*ids} - held:  # facts have put these off since
        await session.execute(_LET_GO, {"ids": sorted(moved_on), "until": claimed.until})
    notices = [notice for notice in claimed.notices if notice.id in held]
    judged = await judge(session, notices, terms)
    now = [(notice, one.item) for notice, one in judged if isinstance(one, Tell)]
    mails = [
        Draft(notice.person, notice.hub, (item,), (notice,))
        for notice, item in now
        if notice.channel is Channel.EMAIL
    ]
    await drop(session, judged, terms)
    await wait(session, [(notice, one) for notice, one in judged if isinstance(one, Wait)], terms)
    await _gather(session, [(notice, one) for notice, one in judged if isinstance(one, Gather)], terms)
    await _put_into_inboxes(session, [pair for pair in now if pair[0].channel is Channel.INBOX], terms)
    letters, late = await write_mails(session, mails, terms)
    patient = Wait(terms.now + lanes.PATIENCE, "pace")
    await wait(session, [(notice, patient) for draft in late for notice in draft.notices], terms)
    return letters


async def judge(
    session: AsyncSession, notices: Sequence[Notice], terms: Terms, *, digesting: bool = False
) -> list[tuple[Notice, Decision]]:
    """What becomes of each of these."""
    if not notices:
        return []
    places = {(notice.hub, notice.person) for notice in notices}
    who = await listeners(session, places, terms.contacts, secret=terms.secret)
    seen = await states(session, [notice.key for notice in notices])
    known = await told(session, [one for notice in notices for one in _known_by(notice)])
    return [
        (
            notice,
            decide(
                _matter(notice, seen.get(notice.key), known),
                who[notice.hub, notice.person],
                terms.now,
                digesting=digesting,
            ),
        )
        for notice in notices
    ]


def _known_by(notice: Notice) -> list[tuple[Key, Channel]]:
    """Where it stands what somebody knows of the matter; of what they are reminded of they were told as something else."""
    abouts = (notice.about, *REMINDED_OF) if notice.about is About.REMINDER else (notice.about,)
    return [(notice.key._replace(about=about), notice.channel) for about in abouts]


def _matter(notice: Notice, seen: Seen | None, told_of: Mapping[tuple[Key, Channel], Told]) -> Matter:
    known = told_of.get((notice.key, notice.channel))
    told_at = [told_of[one].told_at for one in _known_by(notice) if one in told_of]
    return Matter(
        about=notice.about,
        thing=notice.thing,
        hub=notice.hub,
        hub_name=notice.hub if seen is None else seen.hub_name,
        hub_zone="UTC" if seen is None else seen.hub_zone,
        channel=notice.channel,
        first_at=notice.first_at,
        now=None if seen is None else seen.now,
        before=None if known is None else known.state,
        sequence=0 if known is None else known.sequence + 1,
        told_at=min(told_at, default=None),
    )


async def drop(session: AsyncSession, judged: Iterable[tuple[Notice, Decision]], terms: Terms) -> None:
    """Say nothing of these; people know how it is now all the same."""
    dropped = [(notice, one) for notice, one in judged if isinstance(one, Drop)]
    if not dropped:
        return
    known: dict[datetime, list[Known]] = defaultdict(list)
    for notice, one in dropped:
        if one.keep is not None:
            kept = Known(notice.person, notice.about, notice.thing, notice.channel, one.keep, 0)
            known[one.since or terms.now].append(kept)
    for since, ones in known.items():
        await marking.tell(session, ones, now=since)
    await session.execute(_DROP, {"ids": sorted(notice.id for notice, _ in dropped)})
    terms.tally.update(one.why for _, one in dropped)


async def wait(session: AsyncSession, waiting: Sequence[tuple[Notice, Wait]], terms: Terms) -> None:
    """Look at these again later, each for itself."""
    if waiting:
        asked = {"ids": [notice.id for notice, _ in waiting], "dues": [one.until for _, one in waiting]}
        await session.execute(_WAIT, asked)
        terms.tally.update(one.why for _, one in waiting)


async def _gather(session: AsyncSession, gathered: Sequence[tuple[Notice, Gather]], terms: Terms) -> None:
    if not gathered:
        return
    asked = {"ids": [notice.id for notice, _ in gathered], "paces": [one.pace for _, one in gathered]}
    await session.execute(_GATHER, asked)
    due = {
        (notice.person, notice.hub, notice.channel.value, one.pace.value): one.due_at
        for notice, one in gathered
    }
    await marking.back_into_digests(session, [(*key, due_at) for key, due_at in due.items()])
    terms.tally["digest"] += len(gathered)


async def _put_into_inboxes(
    session: AsyncSession, told_now: Sequence[tuple[Notice, Item]], terms: Terms
) -> None:
    if not told_now:
        return
    rows = [
        _row(terms.ids(), Draft(notice.person, notice.hub, (item,), (notice,)), Channel.INBOX)
        | {"sents": terms.now}
        for notice, item in told_now
    ]
    await _insert(session, rows, terms)
    known = [Known.of(notice.person, Channel.INBOX, item) for notice, item in told_now]
    await marking.tell(session, known, now=terms.now)
    await session.execute(_DROP, {"ids": sorted(notice.id for notice, _ in told_now)})
    terms.tally["inbox"] += len(told_now)


async def write_mails(
    session: AsyncSession, drafts: Sequence[Draft], terms: Terms
) -> tuple[list[Letter], list[Draft]]:
    """Freeze these; those for which the pace leaves no room yet are handed back."""
    if not drafts:
        return [], []
    addresses = [terms.contacts[draft.hub, draft.person].email or "" for draft in drafts]
    wanted = [lane_of(address, terms.secret) for address in addresses]
    taken = await lanes.take(session, wanted, now=terms.now, rates=terms.rates)
    letters, late, rows = [], [], []
    links: list[tuple[UUID, UUID]] = []
    for draft, address, slot in zip(drafts, addresses, taken, strict=True):
        if slot is None:
            late.append(draft)
            continue
        letter = _letter(draft, address, slot, terms)
        letters.append(letter)
        more = {"leases": letter.sending.lease, "hashes": letter.sending.address_hash}
        rows.append(_row(letter.sending.id, draft, Channel.EMAIL) | more)
        links += [(notice.id, letter.sending.id) for notice in draft.notices]
    await _insert(session, rows, terms)
    await session.execute(_LINK, {"ids": [one for one, _ in links], "messages": [one for _, one in links]})
    terms.tally["mail"] += len(links)
    return letters, late


def _letter(draft: Draft, address: str, slot: datetime, terms: Terms) -> Letter:
    sending = Sending(
        id=terms.ids(),
        person=draft.person,
        hub=draft.hub,
        items=draft.items,
        created_at=terms.now,
        lease=terms.lease(slot),
        attempts=0,
        tries=max(notice.attempts for notice in draft.notices),
        address_hash=address_hash(address, terms.secret),
    )
    return Letter(sending, terms.contacts[draft.hub, draft.person], slot, draft.traces)


def _row(message: UUID, draft: Draft, channel: Channel) -> dict[str, object]:
    return {
        "ids": message,
        "persons": draft.person,
        "hubs": draft.hub,
        "channels": channel,
        "kinds": ",".join(sorted({item.kind for item in draft.items})),
        "items": orjson.dumps([item.to_json() for item in draft.items]).decode(),
        "leases": None,
        "sents": None,
        "hashes": None,
        "traces": draft.traces[0] if draft.traces else None,
    }


async def _insert(session: AsyncSession, rows: Sequence[dict[str, object]], terms: Terms) -> None:
    if rows:
        columns: dict[str, object] = {name: [row[name] for row in rows] for name in rows[0]}
        await session.execute(_MESSAGES, columns | {"now": terms.now})
