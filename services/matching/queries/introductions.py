"""Reading introductions: one's own, as far as one may be told."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.queries.labels import label_of
from services.matching.queries.seeing import holds, may_see
from services.matching.rules.introductions import NAMED, OVER, WAITING, standing
from services.matching.rules.ranking import EXACT, RELATED, Found, Meeting
from services.matching.rules.reasons import reasons
from shared.contracts.matching.introductions import (
    AskedBy,
    IntroductionPage,
    IntroductionView,
    ListMyIntroductions,
    Standing,
)
from shared.contracts.matching.words import IntroductionStatus, Reply, Side
from shared.kit.errors import Invalid, NotFound

# Mine are those in which my profile, or that of an organisation I keep, is one of the two. An erased one has no profile.
_MINE = f"""
    SELECT i.id, i.hub, i.status, i.by_host, i.suggested_by, i.met_at, i.lapse_at, i.created_at, i.version,
           m.side AS mine, CASE WHEN m.side = i.one THEN i.other ELSE i.one END AS theirs,
           CASE WHEN m.side = i.one THEN i.one_said ELSE i.other_said END AS i_said, o.outcome,
           p.kept_by, p.name, p.person IS NOT NULL AND {may_see("p", ":me")} AS seen, coalesce(p.paused, true) AS paused
    FROM (
        SELECT CAST(:me AS uuid) AS side UNION SELECT person FROM profile WHERE kept_by = :me
    ) m
    JOIN introduction i ON i.one = m.side OR i.other = m.side
    LEFT JOIN outcome o ON o.introduction = i.id AND o.person = m.side
    LEFT JOIN profile p ON p.person = CASE WHEN m.side = i.one THEN i.other ELSE i.one END
"""  # noqa: S608  # constants
_ONE = text(f"{_MINE} WHERE i.id = :introduction")
_STANDING = """
    CASE WHEN status = ANY(:ended) OR (status = ANY(:waiting) AND NOT seen) THEN 'over' ELSE status END
"""
_PAGE = text(f"""
    SELECT * FROM ({_MINE}) mine
    WHERE id < CAST(:after AS uuid) AND (CAST(:statuses AS text[]) = '{{}}' OR {_STANDING} = ANY(:statuses))
    ORDER BY id DESC LIMIT :limit
""")  # noqa: S608  # constants
# What one needs and the other offers, by what both say today: nothing of it is kept with the introduction.
_REASONS = text(f"""
    SELECT theirs.side, theirs.concept AS theirs, mine.concept AS mine, {label_of("theirs.concept")} AS their_label,
           {label_of("mine.concept")} AS my_label
    FROM statement mine JOIN statement theirs ON theirs.side <> mine.side AND (theirs.concept = mine.concept OR EXISTS (
        SELECT 1 FROM relation r WHERE (r.concept, r.other) IN ((mine.concept, theirs.concept), (theirs.concept, mine.concept))))
    WHERE mine.person = :mine AND theirs.person = :theirs AND {holds("mine")} AND {holds("theirs")}
    ORDER BY theirs.concept <> mine.concept, theirs.side DESC, theirs.concept, mine.concept LIMIT 10
""")  # noqa: S608  # constants
_LAST = UUID(int=2**128 - 1)


async def get_mine(
    session: AsyncSession, introduction: UUID, me: UUID, language: str | None, *, today: date
) -> IntroductionView:
    """One of the person's introductions; NotFound for others'."""
    row = (await session.execute(_ONE, {"introduction": introduction, "me": me})).first()
    if row is None:
        raise NotFound(f"You have no introduction {introduction}.")
    return await _view(session, row, me, language, today)


async def carried_out(session: AsyncSession, introduction: UUID, me: UUID) -> IntroductionView:
    """The same without anything of the other's: answers to orders are kept for who repeats them, and outlive consents."""
    row = (await session.execute(_ONE, {"introduction": introduction, "me": me})).one()
    return _bare(row, me)


async def list_mine(
    session: AsyncSession, request: ListMyIntroductions, me: UUID, *, today: date
) -> IntroductionPage:
    """The person's introductions, newest first."""
    asked = {
        "me": me,
        "after": _after(request.cursor),
        "statuses": [str(one) for one in request.status],
        "ended": sorted(OVER),
        "waiting": sorted(WAITING),
        "limit": request.limit + 1,
    }
    rows = (await session.execute(_PAGE, asked)).all()
    shown = rows[: request.limit]
    items = [await _view(session, row, me, request.language, today) for row in shown]
    return IntroductionPage(
        items=tuple(items), cursor=str(shown[-1].id) if len(rows) > request.limit else None
    )


def _after(cursor: str | None) -> UUID:
    try:
        return _LAST if cursor is None else UUID(cursor)
    except ValueError:
        raise Invalid("This cursor is not one of ours; start again without it.", field="cursor") from None


def _bare(row: Row[Any], me: UUID) -> IntroductionView:
    status = standing(IntroductionStatus(row.status), seen=row.seen)
    return IntroductionView(
        id=row.id,
        hub=row.hub,
        status=status,
        asked_by=_asked_by(row, me),
        i_said=row.i_said and Reply(row.i_said),
        named=row.status in NAMED and row.seen,
        lapses_at=row.lapse_at if status is Standing.SUGGESTED else None,
        met_at=row.met_at,
        outcome=row.outcome,
        created_at=row.created_at,
        version=row.version,
    )


def _asked_by(row: Row[Any], me: UUID) -> AskedBy:
    if row.by_host:
        return AskedBy.HOST
    return AskedBy.ME if row.suggested_by in (me, row.mine) else AskedBy.OTHER


async def _view(
    session: AsyncSession, row: Row[Any], me: UUID, language: str | None, today: date
) -> IntroductionView:
    view = _bare(row, me)
    if view.status is Standing.OVER:
        return view
    told: dict[str, Any] = {}
    if row.seen and not row.paused:
        told["reasons"] = await _reasons(session, row, language, today)
    if view.named:
        told |= {"person": row.kept_by or row.theirs, "name": row.name}
    return view.model_copy(update=told)


async def _reasons(
    session: AsyncSession, row: Row[Any], language: str | None, today: date
) -> tuple[str, ...]:
    asked = {"mine": row.mine, "theirs": row.theirs, "language": language, "today": today}
    rows = (await session.execute(_REASONS, asked)).all()
    labels = {one.theirs: one.their_label for one in rows} | {one.mine: one.my_label for one in rows}
    met: dict[str, list[Meeting]] = {Side.OFFER: [], Side.NEED: []}
    for one in rows:
        nearness = EXACT if one.theirs == one.mine else RELATED
        met[one.side].append(Meeting(theirs=one.theirs, mine=one.mine, points=nearness))
    return reasons(Found(score=0, got=tuple(met[Side.OFFER]), given=tuple(met[Side.NEED])), labels, language)
