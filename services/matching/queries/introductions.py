"""Reading introductions: one's own, as far as one may be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.queries.between import between
from services.matching.queries.labels import label_of
from services.matching.queries.seeing import may_see
from services.matching.rules.introductions import NAMED, OVER, WAITING, standing
from services.matching.rules.reasons import reasons
from shared.contracts.matching.introductions import (
    AskedBy,
    IntroductionPage,
    IntroductionView,
    ListMyIntroductions,
    Standing,
)
from shared.contracts.matching.words import IntroductionStatus, Reply
from shared.kit.errors import Invalid, NotFound

# ruff: noqa: S608  # the statements are put together from constants


def mine(me: str = ":me") -> str:
    """A SELECT of the introductions in which the profile of `me`, or of an organisation they keep, is one of the two.

    `seen` is whether they may be shown the other now; one who was erased has no profile. `me` is SQL.
    """
    return f"""
        SELECT i.id, i.hub, i.status, i.by_host, i.suggested_by, i.met_at, i.lapse_at, i.created_at, i.version,
               m.side AS mine, CASE WHEN m.side = i.one THEN i.other ELSE i.one END AS theirs,
               CASE WHEN m.side = i.one THEN i.one_said ELSE i.other_said END AS i_said, o.outcome,
               p.kept_by, p.name, p.person IS NOT NULL AND {may_see("p", me)} AS seen, coalesce(p.paused, true) AS paused
        FROM (
            SELECT CAST({me} AS uuid) AS side UNION SELECT person FROM profile WHERE kept_by = {me}
        ) m
        JOIN introduction i ON i.one = m.side OR i.other = m.side
        LEFT JOIN outcome o ON o.introduction = i.id AND o.person = m.side
        LEFT JOIN profile p ON p.person = CASE WHEN m.side = i.one THEN i.other ELSE i.one END
    """


def _any(statuses: frozenset[IntroductionStatus]) -> str:
    return ", ".join(f"'{one}'" for one in sorted(statuses))


STANDING = f"CASE WHEN status IN ({_any(OVER)}) OR (status IN ({_any(WAITING)}) AND NOT seen) THEN 'over' ELSE status END"
"""The same as the rule `standing`, of a row of `mine`: all that either of the two may be told of the other's answer."""
_ONE = text(f"{mine()} WHERE i.id = :introduction")
_PAGE = text(f"""
    SELECT * FROM ({mine()}) mine
    WHERE id < CAST(:after AS uuid) AND (CAST(:statuses AS text[]) = '{{}}' OR {STANDING} = ANY(:statuses))
    ORDER BY id DESC LIMIT :limit
""")
_LABELS = text(f"SELECT k.id, {label_of('k.id')} AS label FROM concept k WHERE k.id = ANY(:concepts)")
_LAST = UUID(int=2**128 - 1)


async def get_mine(
    session: AsyncSession, introduction: UUID, me: UUID, language: str | None, *, today: date
) -> IntroductionView:
    """One of the person's introductions; NotFound for others'."""
    row = (await session.execute(_ONE, {"introduction": introduction, "me": me})).first()
    if row is None:
        raise NotFound(f"You have no introduction {introduction}.")
    return (await _views(session, [row], me, language, today))[0]


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
        "limit": request.limit + 1,
    }
    rows = (await session.execute(_PAGE, asked)).all()
    shown = rows[: request.limit]
    items = await _views(session, shown, me, request.language, today)
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


async def _views(
    session: AsyncSession, rows: Sequence[Row[Any]], me: UUID, language: str | None, today: date
) -> list[IntroductionView]:
    bare = [_bare(row, me) for row in rows]
    going_on = [
        row for row, view in zip(rows, bare, strict=True) if view.status is not Standing.OVER and row.seen
    ]
    why = await _reasons(session, [row for row in going_on if not row.paused], language, today)
    views = []
    for row, view in zip(rows, bare, strict=True):
        told: dict[str, Any] = {"reasons": why.get(row.id, ())}
        if view.named:
            told |= {"person": row.kept_by or row.theirs, "name": row.name}
        views.append(view.model_copy(update=told))
    return views


async def _reasons(
    session: AsyncSession, rows: Sequence[Row[Any]], language: str | None, today: date
) -> dict[UUID, tuple[str, ...]]:
    """By what both say today, also what is only near: nothing that was said before is shown."""
    if not rows:
        return {}
    found = await between(session, {(row.mine, row.theirs) for row in rows}, today=today)
    met = [one for each in found.values() for one in (*each.got, *each.given)]
    concepts = sorted({concept for one in met for concept in (one.mine, one.theirs)})
    named = await session.execute(_LABELS, {"concepts": concepts, "language": language})
    labels = {one.id: one.label for one in named}
    # Who may be shown whom is read before; who was erased since has nothing any more.
    there = (row for row in rows if (row.mine, row.theirs) in found)
    return {row.id: reasons(found[row.mine, row.theirs], labels, language) for row in there}
