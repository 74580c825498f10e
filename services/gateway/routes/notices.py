"""`/v1/me/notices`: the signed-in person's inbox."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import BY_LANGUAGE, answer, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Ask,
    Base,
    Cursor,
    Few,
    IdempotencyKey,
    Somebody,
    StrictRoute,
    Tongue,
)
from shared.contracts.notify.notices import (
    GetMyNotice,
    ListMyNotices,
    MarkNoticesRead,
    NoticeView,
    ReadNotices,
    UnreadView,
)

router = APIRouter(route_class=StrictRoute, prefix="/v1/me/notices", tags=["notices"], dependencies=SIGN_IN)

NoticeId = Annotated[UUID, Path(description="The notice's id.")]


class NoticeListing(Listing[NoticeView]):
    """A page of an inbox."""

    unread: int = Field(description="How many notices are unread, on this page or not.")


@router.get("", response_model=NoticeListing, responses=NOT_MODIFIED | refusals())
async def list_my_notices(
    request: Request,
    ask: Ask,
    base: Base,
    person: Somebody,
    language: Tongue,
    unread: Annotated[bool, Query(description="Only those not read yet.")] = False,
    limit: Few = 50,
    cursor: Cursor = None,
) -> Response:
    """What I have been told, newest first, in my language; `unread` counts what I have not read."""
    wanted = ListMyNotices(unread=unread, language=language, limit=limit, cursor=cursor)
    return listing(request, await ask.ask(wanted, person=person), base, vary=BY_LANGUAGE)


@router.post("/read", response_model=UnreadView, responses=refusals())
async def mark_notices_read(
    request: Request, ask: Ask, person: Somebody, body: ReadNotices, key: IdempotencyKey = None
) -> Response:
    """I have read these, or all up to one. Reading twice changes nothing."""
    wanted = MarkNoticesRead(notices=body.notices, until=body.until)
    return answer(request, await ask.ask(wanted, person=person, key=key))


@router.get("/{notice}", response_model=NoticeView, responses=NOT_MODIFIED | refusals())
async def get_my_notice(
    request: Request, ask: Ask, person: Somebody, notice: NoticeId, language: Tongue
) -> Response:
    """One of my notices. Looking at it does not mark it as read."""
    wanted = GetMyNotice(notice=notice, language=language)
    return answer(request, await ask.ask(wanted, person=person), vary=BY_LANGUAGE)
