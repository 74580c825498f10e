"""`POST /v1/me/export` and `/v1/me/looks`: everything that is held of me, and who has looked at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

import orjson
from fastapi import APIRouter, Depends, Request
from icalendar import Calendar, Event
from starlette.responses import Response, StreamingResponse

from services.gateway.client import Errand, Services
from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.door import TooManyRequests
from services.gateway.pages.words import README
from services.gateway.responses import listing
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
from shared.kit.errors import FociError

router = APIRouter(route_class=StrictRoute, prefix="/v1/me", tags=["me"], dependencies=SIGN_IN)

PARTS = (ExportMe, ExportMyBookings, ExportMyAttendance, ExportMyMatching, ExportMyNotices)
IN_MEMORY = 4 * 1024 * 1024
"""Bytes of an export that are held in memory; beyond that it lies in a file without a name until it is sent."""
MOST_BYTES = 200 * 1024 * 1024
"""Of lines: thousands of times what anybody has."""
PAUSE_S = 60.0
CHUNK = 64 * 1024
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}
_ZIP = _FILE | refusals(422)


class ExportTooLarge(FociError):
    """More is held of the person than one file takes."""

    kind = "invalid"
    status = 422
    code = "export-too-large"
    title = "More than one file takes"


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
    """The file, from its beginning."""
    made: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed when it has been sent
    dates: list[dict[str, Any]] = []
    language, left = "en", MOST_BYTES
    with ZipFile(made, "w", ZIP_DEFLATED) as written:
        for part in PARTS:
            lines: dict[str, list[str]] = {}
            async for row in _rows(ask, part, person):
                lines.setdefault(row.table, []).append(row.line)
                left -= len(row.line)
                if left < 0:
                    raise ExportTooLarge(
                        "More is held of you than one file takes. Ask your hub's staff for help."
                    )
            for table, of_table in lines.items():
                name = f"{part.service}/{table}.jsonl"
                await asyncio.to_thread(written.writestr, name, "\n".join((*of_table, "")))
            dates += [*_dates(part.service, lines)]
            if part is ExportMe and lines.get("person"):
                language = str(orjson.loads(lines["person"][0])["language"])
        written.writestr("calendar.ics", _calendar(dates))
        written.writestr("README.txt", README.get(language.partition("-")[0], README["en"]))
    made.seek(0)
    return made


async def _rows(ask: Errand, part: type[Any], person: UUID) -> AsyncIterator[Any]:
    cursor: str | None = None
    while True:
        # Each page has a request's time: the whole may take longer than one.
        reply = await ask.services.errand().ask(part(cursor=cursor), person=person)
        page = ExportPage.model_validate_json(reply.body)
        for row in page.items:
            yield row
        cursor = page.cursor
        if cursor is None:
            return


def _dates(service: str, lines: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    """What has a place in a calendar: my bookings, and the events I have signed up for."""
    table, mine = {"booking": ("booking", "for_me"), "events": ("sign-up", "mine")}.get(service, ("", ""))
    for line in lines.get(table, ()):
        row = orjson.loads(line)
        if row[mine]:
            yield row


def _calendar(dates: list[dict[str, Any]]) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//Foci//export//EN")
    calendar.add("version", "2.0")
    for one in dates:
        event = Event()
        event.add("uid", f"{one['id']}@foci")
        event.add("dtstamp", datetime.fromisoformat(one.get("created_at") or one["signed_up_at"]))
        event.add("dtstart", datetime.fromisoformat(one["starts_at"]))
        event.add("dtend", datetime.fromisoformat(one["ends_at"]))
        event.add("summary", one.get("title") or one.get("space") or one["hub"])
        event.add("location", one["hub"])
        event.add(
            "status", "CANCELLED" if one["status"] in ("cancelled", "expired", "declined") else "CONFIRMED"
        )
        calendar.add_component(event)
    made: bytes = calendar.to_ical()
    return made


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
