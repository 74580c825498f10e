"""`POST /v1/me/export` and `/v1/me/looks`: everything that is held of me, and who has looked at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import IO, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from services.gateway.client import Errand, Services
from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.door import TooManyRequests
from services.gateway.responses import listing
from services.gateway.routes.export_file import ExportFile
from services.gateway.routes.parts import SIGN_IN, Ask, Base, Cursor, Limit, Somebody, StrictRoute
from shared.contracts.directory.erasure import ListMyLooks, LookView
from shared.contracts.exporting import (
    ExportMe,
    ExportMyAttendance,
    ExportMyBookings,
    ExportMyMatching,
    ExportMyNotices,
    ExportPage,
)

router = APIRouter(route_class=StrictRoute, prefix="/v1/me", tags=["me"], dependencies=SIGN_IN)

PARTS = (ExportMe, ExportMyBookings, ExportMyAttendance, ExportMyMatching, ExportMyNotices)
PAUSE_S = 60.0
CHUNK = 64 * 1024
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}
_ZIP = _FILE | refusals(422)


async def its_turn(request: Request, person: Somebody) -> AsyncIterator[None]:
    """One export of a person a minute, and few at a time; TooManyRequests otherwise."""
    services: Services = request.app.state.services
    now = services.clock().timestamp()
    until = services.exported.get(person, now)
    if until is not None:
        raise TooManyRequests("One export a minute. Try again in a minute.", retry_after=int(until - now) + 1)
    services.exported.put(person, now + PAUSE_S, now + PAUSE_S)
    async with services.exporting:
        yield


@router.post(
    "/export",
    response_class=Response,
    responses=_ZIP,
)
async def export_me(
    ask: Ask, person: Somebody, _: Annotated[None, Depends(its_turn, scope="function")]
) -> Response:
    """Everything Foci holds of me, as one zip file: a file of JSON Lines per kind of thing, my bookings and events as a calendar.

    `README.txt` says in my language what is what. Made anew each time, once a minute, and kept nowhere.
    """
    made = await _made(ask, person)
    headers = {"Content-Disposition": 'attachment; filename="foci.zip"', "Cache-Control": "no-store"}
    return StreamingResponse(_chunks(made), media_type="application/zip", headers=headers)


async def _made(ask: Errand, person: UUID) -> IO[bytes]:
    """The file, from its beginning. It is written in threads: whoever else this replica serves shall not wait for it."""
    file = ExportFile(ask.services.clock())
    try:
        for part in PARTS:
            async for page in _pages(ask, part, person):
                await asyncio.to_thread(file.take, part.service, page.items)
        return await asyncio.to_thread(file.finish)
    except BaseException:
        await asyncio.to_thread(file.drop)
        raise


async def _pages(ask: Errand, part: type[Any], person: UUID) -> AsyncIterator[ExportPage]:
    cursor: str | None = None
    while True:
        # Each page has a request's time: the whole may take longer than one.
        reply = await ask.services.errand().ask(part(cursor=cursor), person=person)
        page = ExportPage.model_validate_json(reply.body)
        yield page
        cursor = page.cursor
        if cursor is None:
            return


async def _chunks(made: IO[bytes]) -> AsyncIterator[bytes]:
    with made:
        while chunk := await asyncio.to_thread(made.read, CHUNK):
            yield chunk


@router.get("/looks", response_model=Listing[LookView], responses=NOT_MODIFIED | refusals())
async def list_my_looks(
    request: Request, ask: Ask, base: Base, person: Somebody, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Who was shown my name or address, in which hub, as what, and in which list: by the hour, for a year, newest first."""
    return listing(request, await ask.ask(ListMyLooks(limit=limit, cursor=cursor), person=person), base)
