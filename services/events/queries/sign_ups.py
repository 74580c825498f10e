"""Reading sign-ups: mine, and those of an event for who runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.rules.authority import Viewer, is_staff, may_see, viewer_of
from services.events.rules.line import shown_code
from services.events.rules.texts import pick
from shared.contracts.events.sign_ups import GetLink, GetSignUp, ListSignUps
from shared.contracts.events.views import LinkView, SignUpPage, SignUpView
from shared.contracts.events.words import SignUpStatus, Way
from shared.kit.errors import Forbidden, Invalid, NotFound
from shared.kit.principal import Principal, required

# ruff: noqa: S608  # the statements are put together from constants

_COLUMNS = """
    s.id, s.hub, s.event, s.way, s.person, s.guest, s.status, s.number, s.code, s.offer_until, s.pending_until,
    s.came_at, s.signed_up_at, s.version
"""
_RUNS = """
    EXISTS (SELECT 1 FROM organiser o WHERE o.event = {event} AND o.kind = 'person' AND o.id = CAST(:person AS uuid)) AS runs
"""
_ONE = text(f"""
    SELECT {_COLUMNS}, {_RUNS.format(event="s.event")},
           CASE WHEN s.status = 'waiting' THEN (
               SELECT count(*) FROM sign_up l
               WHERE l.event = s.event AND l.way = s.way AND l.status = 'waiting' AND l.number <= s.number)
           END AS waiting_place
    FROM sign_up s WHERE s.id = :sign_up
""")
_EVENT = text(f"""
    SELECT e.hub, e.status, e.visibility, e.usable_at, e.hidden_at, {_RUNS.format(event="e.id")}
    FROM event e WHERE e.id = :event
""")
# The room before online, each in the order of places; who has none comes last.
_PAGE = text(f"""
    SELECT {_COLUMNS}, l.waiting_place, s.way = 'online' AS online, coalesce(s.number, {2**31 - 1}) AS rank
    FROM sign_up s LEFT JOIN (
        SELECT id, row_number() OVER (PARTITION BY way ORDER BY number) AS waiting_place
        FROM sign_up WHERE event = :event AND status = 'waiting'
    ) l ON l.id = s.id
    WHERE s.event = :event AND (CAST(:way AS text) IS NULL OR s.way = :way)
      AND (CAST(:statuses AS text[]) = '{{}}' OR s.status = ANY(:statuses))
      AND (s.way = 'online', coalesce(s.number, {2**31 - 1}), s.id)
          > (CAST(:after_online AS boolean), CAST(:after_rank AS int), CAST(:after_id AS uuid))
    ORDER BY online, rank, s.id LIMIT :limit
""")
_LINKED = text("SELECT texts, language, starts_at, time_zone FROM event WHERE id = :event AND hub = :hub")
_NOBODY = UUID(int=0)


def no_such_sign_up(sign_up: UUID) -> NotFound:
    """Said alike when there is none and when it is not yours to see."""
    return NotFound(f"There is no sign-up {sign_up} here.")


async def view(session: AsyncSession, sign_up: UUID, viewer: Viewer) -> SignUpView:
    """One sign-up, for its person and those who run the event; the code only for its person."""
    asked = {"sign_up": sign_up, "person": viewer.person}
    row = (await session.execute(_ONE, asked)).mappings().first()
    if row is None or row["hub"] != viewer.hub:
        raise no_such_sign_up(sign_up)
    if row["person"] != viewer.person and not row["runs"] and not is_staff(viewer):
        raise no_such_sign_up(sign_up)
    return _view(row, viewer.person)


def _view(row: Mapping[Any, Any], viewer: UUID | None) -> SignUpView:
    attends = row["status"] == SignUpStatus.ATTENDING
    return SignUpView(
        id=row["id"],
        hub=row["hub"],
        event=row["event"],
        way=row["way"],
        person=row["person"],
        guest=row["guest"],
        status=row["status"],
        place=row["number"],
        waiting_place=row["waiting_place"],
        code=shown_code(row["code"]) if attends and viewer == row["person"] else None,
        offer_until=row["offer_until"],
        pending_until=row["pending_until"],
        came_at=row["came_at"],
        signed_up_at=row["signed_up_at"],
        version=row["version"],
    )


async def get_sign_up(session: AsyncSession, request: GetSignUp, principal: Principal | None) -> SignUpView:
    """One sign-up of one event, for those who may see it."""
    found = await view(session, request.sign_up, viewer_of(required(principal), request.hub))
    if found.event != request.event:
        raise no_such_sign_up(request.sign_up)
    return found


async def list_sign_ups(
    session: AsyncSession, request: ListSignUps, principal: Principal | None
) -> SignUpPage:
    """A page of who comes and who waits, for those who run the event."""
    who = required(principal)
    await _refuse_others(session, request, viewer_of(who, request.hub))
    online, rank, last = _after(request.cursor)
    asked = {
        "event": request.event,
        "way": request.way,
        "statuses": [str(one) for one in request.status],
        "after_online": online,
        "after_rank": rank,
        "after_id": last,
        "limit": request.limit + 1,
    }
    rows = (await session.execute(_PAGE, asked)).mappings().all()
    shown = rows[: request.limit]
    cursor = None
    if len(rows) > request.limit:
        cursor = f"{shown[-1]['way']}_{shown[-1]['rank']}_{shown[-1]['id']}"
    return SignUpPage(items=tuple(_view(row, who.person) for row in shown), cursor=cursor)


async def _refuse_others(session: AsyncSession, request: ListSignUps, viewer: Viewer) -> None:
    event = (await session.execute(_EVENT, {"event": request.event, "person": viewer.person})).first()
    runs = event is not None and event.hub == request.hub and (event.runs or is_staff(viewer))
    if event is None or event.hub != request.hub or not (runs or may_see(viewer, event, ())):
        raise NotFound(f"There is no event {request.event} here.")
    if not runs:
        raise Forbidden("Only those who organise the event, and the hub's staff, see who comes.")


def _after(cursor: str | None) -> tuple[bool, int, UUID]:
    if cursor is None:
        return False, -1, _NOBODY
    try:
        way, rank, last = cursor.split("_")
        after = Way(way) is Way.ONLINE, int(rank), UUID(last)
    except ValueError:
        raise _not_ours() from None
    if not -1 <= after[1] < 2**31:
        raise _not_ours()
    return after


def _not_ours() -> Invalid:
    return Invalid("This cursor is not one of ours; start again without it.", field="cursor")


async def get_link(session: AsyncSession, request: GetLink, principal: Principal | None) -> LinkView:
    """What a link would do, for the person it was sent to; looking changes nothing."""
    who = required(principal)
    found = await view(session, request.sign_up, viewer_of(who, request.hub))
    row = (await session.execute(_LINKED, {"event": request.event, "hub": request.hub})).first()
    if found.event != request.event or found.person != who.person or row is None:
        raise no_such_sign_up(request.sign_up)
    _, title, _ = pick(row.texts, None, row.language)
    return LinkView(
        purpose=request.purpose,
        hub=request.hub,
        event=request.event,
        title=title,
        start=row.starts_at,
        time_zone=row.time_zone,
        sign_up=found,
    )
