"""Introductions: asking for one, suggesting one, answering, and ending those whose two may not see each other any more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.learning import grounds
from services.matching.commands.stating import next_version
from services.matching.queries.handles import handles_for
from services.matching.queries.seeing import may_see, seen
from services.matching.rules.introductions import NOT_AGAIN_FOR, OPEN, WAITING, after_reply
from services.matching.rules.refusals import (
    CannotIntroduce,
    IntroductionOver,
    NotOpenYourself,
    TooManyIntroductions,
)
from services.matching.tables import Introduction
from shared.contracts.matching.facts import (
    IntroductionAgreedV1,
    IntroductionDeclinedV1,
    IntroductionLapsedV1,
    IntroductionMetV1,
    IntroductionSuggestedV1,
    IntroductionWithdrawnV1,
    OutcomeSaidV1,
)
from shared.contracts.matching.introductions import AskIntroduction, ReplyToIntroduction, SuggestIntroduction
from shared.contracts.matching.words import IntroductionStatus, Reply
from shared.kit.errors import Invalid, NotFound
from shared.kit.ids import Ids
from shared.kit.outbox import emit
from shared.kit.timers import cancel_timer, set_timer

LAPSES = "introduction-lapses"
"""Kind of the timer; its key is the introduction's id."""
IntroductionFact = (
    IntroductionSuggestedV1
    | IntroductionAgreedV1
    | IntroductionDeclinedV1
    | IntroductionLapsedV1
    | IntroductionWithdrawnV1
    | IntroductionMetV1
    | OutcomeSaidV1
)

# Whoever takes a consent back holds their profile, too: either they wait for this, and end it, or this sees it gone.
_LOCK = text("""
    SELECT person, coalesce(kept_by, person) AS owner, hub, paused FROM profile
    WHERE person = ANY(:people) ORDER BY person FOR UPDATE
""")
_PAIR = text("""
    SELECT id, status, created_at FROM introduction
    WHERE one = :one AND other = :other AND (status = ANY(:open) OR created_at > :since)
    ORDER BY status = ANY(:open) DESC, id DESC LIMIT 1
""")
_WAITING = text("""
    SELECT count(*) FROM introduction WHERE status = 'suggested' AND (one = :person OR other = :person)
""")
# Where both are at home, if they are; else where the one who asks is.
_SHARED = text("""
    SELECT a.hub FROM membership a LEFT JOIN membership b ON b.hub = a.hub AND b.person = :theirs AND b.left_at IS NULL
    WHERE a.person = :mine AND a.left_at IS NULL ORDER BY b.hub IS NULL, a.joined_at, a.hub LIMIT 1
""")
_IN_HUB = text(f"""
    SELECT p.person FROM profile p WHERE p.person = ANY(:people) AND NOT p.paused AND EXISTS (
        SELECT 1 FROM consent c JOIN membership m ON m.person = coalesce(p.kept_by, p.person) AND m.hub = c.hub
        WHERE c.person = p.person AND c.hub = :hub AND c.withdrawn_at IS NULL AND m.left_at IS NULL
    ) AND EXISTS (SELECT 1 FROM profile q WHERE q.person = ANY(:people) AND {may_see("p", "coalesce(q.kept_by, q.person)")})
""")  # noqa: S608  # constants


@dataclass(frozen=True)
class Terms:
    """How long an introduction waits for two yeses, and how many may wait for one person's."""

    lapse_after: timedelta
    most_open: int


TERMS = Terms(lapse_after=timedelta(days=14), most_open=10)
"""Unless the settings say otherwise."""


@dataclass(frozen=True)
class Party:
    """One of the two: the profile, and the person who speaks for it."""

    profile: UUID
    owner: UUID


def nobody_there(field: str = "match") -> NotFound:
    """Said alike for an id that is nobody's, and for everybody one may not be shown."""
    return NotFound("There is nobody with this id whom you could be introduced to.", field=field)


async def ask(
    session: AsyncSession, wanted: AskIntroduction, by: UUID, *, terms: Terms, now: datetime, ids: Ids
) -> UUID:
    """Ask to meet somebody, which is also the asker's yes; the pair's open introduction if there is one.

    Two who ask for each other at once have both said yes. Raises NotFound, NotOpenYourself, CannotIntroduce and
    TooManyIntroductions.
    """
    whom = (await handles_for(session, by)).person(wanted.match)
    found = await _locked(session, [by, whom])
    theirs, mine = found.get(whom), found.get(by)
    if theirs is None or theirs.paused or not await seen(session, by, [whom]):
        raise nobody_there()
    if mine is None or not await seen(session, theirs.owner, [by]):
        raise NotOpenYourself(
            "They would be told nothing of you. Consent for a hub of yours and let its people see your profile."
        )
    pair = Party(by, by), Party(whom, theirs.owner)
    known = await _known(session, pair, now)
    if known is not None:
        if IntroductionStatus(known.status) is IntroductionStatus.SUGGESTED:
            await _say(session, await load(session, known.id), by, Reply.YES, now=now, ids=ids)
        return UUID(str(known.id))
    await _refuse_too_many(session, by, whom, terms)
    places = {"mine": by, "theirs": theirs.owner}
    hub: str = (await session.execute(_SHARED, places)).scalar() or mine.hub
    made = _introduction(pair, hub, by=by, by_host=False, terms=terms, now=now, ids=ids)
    _set_said(made, by, Reply.YES)
    return await _begin(session, made, now=now, ids=ids)


async def suggest(
    session: AsyncSession, wanted: SuggestIntroduction, by: UUID, *, terms: Terms, now: datetime, ids: Ids
) -> Introduction:
    """Suggest that two of the hub's people meet. Raises NotFound for whom the hub's people may not be shown."""
    if wanted.one == wanted.other:
        raise Invalid("Nobody is introduced to themselves.", field="other")
    found = await _locked(session, [wanted.one, wanted.other])
    asked = {"people": [wanted.one, wanted.other], "hub": wanted.hub}
    there = set((await session.execute(_IN_HUB, asked)).scalars())
    for field in ("one", "other"):
        if getattr(wanted, field) not in there:
            raise NotFound("They cannot be suggested to anybody in this hub.", field=field)
    one, other = (Party(person, found[person].owner) for person in (wanted.one, wanted.other))
    if await _known(session, (one, other), now) is not None:
        raise CannotIntroduce(_CANNOT)
    for person in (wanted.one, wanted.other):
        if await _waiting(session, person) >= terms.most_open:
            raise CannotIntroduce(_CANNOT)
    made = _introduction((one, other), wanted.hub, by=by, by_host=True, terms=terms, now=now, ids=ids)
    await _begin(session, made, now=now, ids=ids)
    return made


_CANNOT = "These two cannot be introduced to each other now."


async def _locked(session: AsyncSession, people: Collection[UUID]) -> dict[UUID, Row[Any]]:
    rows = (await session.execute(_LOCK, {"people": list(people)})).all()
    return {row.person: row for row in rows}


async def _known(session: AsyncSession, pair: tuple[Party, Party], now: datetime) -> Row[Any] | None:
    """The pair's open introduction; raises CannotIntroduce when one has not come about lately."""
    one, other = sorted(party.profile for party in pair)
    asked = {"one": one, "other": other, "open": sorted(OPEN), "since": now - NOT_AGAIN_FOR}
    row = (await session.execute(_PAIR, asked)).first()
    if row is not None and row.status not in OPEN and row.status != IntroductionStatus.CLOSED:
        raise CannotIntroduce(_CANNOT)
    return row if row is not None and row.status in OPEN else None


async def _waiting(session: AsyncSession, person: UUID) -> int:
    number: int = (await session.execute(_WAITING, {"person": person})).scalar_one()
    return number


async def _refuse_too_many(session: AsyncSession, asker: UUID, asked: UUID, terms: Terms) -> None:
    if await _waiting(session, asker) >= terms.most_open:
        raise TooManyIntroductions(
            f"{terms.most_open} introductions of yours wait for an answer. Answer those you can, or give them time."
        )
    if await _waiting(session, asked) >= terms.most_open:
        raise CannotIntroduce(_CANNOT)


def _introduction(
    pair: tuple[Party, Party], hub: str, *, by: UUID, by_host: bool, terms: Terms, now: datetime, ids: Ids
) -> Introduction:
    one, other = sorted(party.profile for party in pair)
    return Introduction(
        id=ids(),
        hub=hub,
        one=one,
        other=other,
        suggested_by=by,
        by_host=by_host,
        status=IntroductionStatus.SUGGESTED,
        one_said=None,
        other_said=None,
        met_at=None,
        lapse_at=now + terms.lapse_after,
        created_at=now,
        version=0,
    )


async def _begin(session: AsyncSession, made: Introduction, *, now: datetime, ids: Ids) -> UUID:
    session.add(made)
    await session.flush()
    await set_timer(session, LAPSES, str(made.id), made.lapse_at)
    asked_by = None if made.by_host else made.suggested_by
    told = {"by_host": made.by_host, "asked_by": asked_by, "lapses_at": made.lapse_at}
    await tell(session, IntroductionSuggestedV1, made, now=now, ids=ids, **told)
    return made.id


async def tell(
    session: AsyncSession,
    kind: type[IntroductionFact],
    about: Introduction,
    *,
    now: datetime,
    ids: Ids,
    **more: Any,
) -> None:
    """State what became of an introduction, and count its version up; what is said of it goes to those who speak for the two."""
    owner = await owners(session, about)
    about.version = await next_version(session, str(about.id))
    fact = kind(
        id=ids(),
        hub=about.hub,
        occurred_at=now,
        subject=str(about.id),
        subject_version=about.version,
        introduction=about.id,
        one=owner[about.one],
        other=owner[about.other],
        **more,
    )
    await emit(session, fact)


async def load(session: AsyncSession, introduction: UUID) -> Introduction:
    """The introduction, locked until the transaction ends; NotFound when there is none."""
    wanted = select(Introduction).where(Introduction.id == introduction).with_for_update()
    found: Introduction | None = await session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise no_such_introduction(introduction)
    return found


def no_such_introduction(introduction: UUID) -> NotFound:
    """Said alike when there is none and when it is others'."""
    return NotFound(f"You have no introduction {introduction}.")


_OWNERS = text("SELECT person, kept_by FROM profile WHERE person IN (:one, :other) AND kept_by IS NOT NULL")


async def owners(session: AsyncSession, about: Introduction) -> dict[UUID, UUID]:
    """Who speaks for each of the two profiles: the person, or who keeps the organisation's."""
    kept = await session.execute(_OWNERS, {"one": about.one, "other": about.other})
    return {about.one: about.one, about.other: about.other} | {row.person: row.kept_by for row in kept}


async def load_mine(session: AsyncSession, introduction: UUID, by: UUID) -> tuple[Introduction, UUID, UUID]:
    """One's introduction, locked, with the profile one speaks for in it and the person who speaks for the other.

    Raises NotFound, and IntroductionOver while the row does not yet say that the two may not see each other any more.
    """
    about = await load(session, introduction)
    owner = await owners(session, about)
    mine = next((profile for profile in (about.one, about.other) if owner[profile] == by), None)
    if mine is None:
        raise no_such_introduction(introduction)
    theirs = about.other if mine == about.one else about.one
    if about.status in WAITING and not (
        await seen(session, by, [theirs]) and await seen(session, owner[theirs], [mine])
    ):
        raise IntroductionOver("The introduction did not come about.")
    return about, mine, owner[theirs]


async def reply(
    session: AsyncSession, wanted: ReplyToIntroduction, by: UUID, *, now: datetime, ids: Ids
) -> None:
    """Answer yes or no; the same again changes nothing. Raises IntroductionOver for a yes that comes too late."""
    about, mine, _ = await load_mine(session, wanted.introduction, by)
    if about.status == IntroductionStatus.SUGGESTED and about.lapse_at <= now and wanted.answer is Reply.YES:
        # Its timer, due by now, ends it: this transaction ends with the refusal.
        raise IntroductionOver("The introduction did not come about.")
    await _say(session, about, mine, wanted.answer, now=now, ids=ids)


async def _say(
    session: AsyncSession, about: Introduction, mine: UUID, said: Reply, *, now: datetime, ids: Ids
) -> None:
    own, theirs = (about.one_said, about.other_said)[:: 1 if mine == about.one else -1]
    before = IntroductionStatus(about.status)
    after = after_reply(before, _reply(own), _reply(theirs), said)
    if before is not IntroductionStatus.SUGGESTED:
        return
    _set_said(about, mine, said)
    if after is before:
        return
    about.status = after
    await cancel_timer(session, LAPSES, str(about.id))
    kind = IntroductionAgreedV1 if after is IntroductionStatus.AGREED else IntroductionDeclinedV1
    if kind is IntroductionAgreedV1:
        about.reasons = await grounds(session, about, now=now)
    await tell(session, kind, about, now=now, ids=ids)


def _reply(said: str | None) -> Reply | None:
    return None if said is None else Reply(said)


def _set_said(about: Introduction, mine: UUID, said: Reply) -> None:
    if mine == about.one:
        about.one_said = said
    else:
        about.other_said = said


async def lapse(session: AsyncSession, introduction: UUID, *, now: datetime, ids: Ids) -> None:
    """End what nobody, or only one, has answered in time; nothing when there is nothing to end."""
    about = await session.get(Introduction, introduction, with_for_update=True)
    if about is None or about.status != IntroductionStatus.SUGGESTED:
        return
    if about.lapse_at > now:
        await set_timer(session, LAPSES, str(about.id), about.lapse_at)
        return
    about.status = IntroductionStatus.LAPSED
    await tell(session, IntroductionLapsedV1, about, now=now, ids=ids)


async def withdraw_unseen(
    session: AsyncSession, people: Collection[UUID], *, now: datetime, ids: Ids
) -> None:
    """End the introductions of these profiles whose two may not see each other any more.

    For whoever takes a consent back, closes a profile, leaves a hub or says "not this one"; after their change, whose
    rows keep a new introduction waiting until then.
    """
    for about in await _open_ones(session, people):
        owner = await owners(session, about)
        sees = [
            await seen(session, owner[about.one], [about.other]),
            await seen(session, owner[about.other], [about.one]),
        ]
        if not all(sees):
            await _withdraw(session, about, now=now, ids=ids)


async def _open_ones(session: AsyncSession, people: Collection[UUID]) -> list[Introduction]:
    await session.flush()
    wanted = select(Introduction).where(
        or_(Introduction.one.in_(people), Introduction.other.in_(people)),
        Introduction.status.in_(WAITING),
    )
    found = await session.scalars(wanted.order_by(Introduction.id).with_for_update())
    return list(found)


async def _withdraw(session: AsyncSession, about: Introduction, *, now: datetime, ids: Ids) -> None:
    about.status = IntroductionStatus.WITHDRAWN
    await cancel_timer(session, LAPSES, str(about.id))
    await tell(session, IntroductionWithdrawnV1, about, now=now, ids=ids)


_OUTCOMES = text("UPDATE outcome SET person = :nobody WHERE introduction = :id AND person = :person")
_HOSTED = text("UPDATE introduction SET suggested_by = NULL WHERE suggested_by = :person")


async def forget(session: AsyncSession, person: UUID, *, now: datetime, ids: Ids) -> None:
    """End what is open, and put an id that is nobody's in the place of an erased profile's; before it is deleted.

    What came of a meeting stays with the other; who the erased one was, and what the two had for each other, with nobody.
    """
    await session.flush()
    mine = select(Introduction).where(or_(Introduction.one == person, Introduction.other == person))
    for about in await session.scalars(mine.order_by(Introduction.id).with_for_update()):
        if about.status in WAITING:
            await _withdraw(session, about, now=now, ids=ids)
        nobody = ids()
        said = {about.one: about.one_said, about.other: about.other_said}
        said[nobody] = said.pop(person)
        about.one, about.other = sorted(said)
        about.one_said, about.other_said = said[about.one], said[about.other]
        about.suggested_by = None if about.suggested_by == person else about.suggested_by
        about.reasons = []
        await session.flush()
        await session.execute(_OUTCOMES, {"id": about.id, "person": person, "nobody": nobody})
    await session.execute(_HOSTED, {"person": person})
