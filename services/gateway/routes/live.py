"""`/v1/live`: what happens in a hub, as it happens, for those who may know."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from services.gateway.documents import refusals
from services.gateway.live.cursors import Cursor, read
from services.gateway.live.hall import Hall
from services.gateway.live.occupancy import PublicOccupancy
from services.gateway.live.readers import LiveResponse, Reader
from services.gateway.live.rooms import View
from services.gateway.routes.parts import Anybody, Ask, StrictRoute
from shared.contracts.base import SLUG_PATTERN
from shared.contracts.live import TOPICS
from shared.kit.errors import Conflict, Invalid

router = APIRouter(route_class=StrictRoute, prefix="/v1/live", tags=["live"])

# Proxies must neither keep it nor wait until they have much of it.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_EVENT = {
    "type": "object",
    "properties": {
        "event": {
            "type": "string",
            "enum": ["message", "open", "reset", "close"],
            "description": "A CloudEvent is a `message`, without saying so.",
        },
        "data": {"type": "string", "contentMediaType": "application/json"},
        "id": {"type": "string", "description": "The cursor."},
        "retry": {
            "type": "integer",
            "minimum": 0,
            "description": "Milliseconds until it is worth coming back.",
        },
    },
}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events without end; the data of unnamed ones are CloudEvents 1.0.",
        "content": {"text/event-stream": {"schema": _EVENT}},
    }
}
HubSlug = Annotated[str, Query(pattern=SLUG_PATTERN, description="The hub's slug.", examples=["nordviken"])]
Topics = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=r"^[a-z-]+(,[a-z-]+)*$",
        description=f"What to follow, separated by commas; all when left out: {', '.join(TOPICS)}.",
        examples=["occupancy,events"],
    ),
]
LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", max_length=400, description="Go on after the event with this `id`."),
]


class HubElsewhere(Conflict):
    """The hub lives in another running stack, whose gateway tells of it."""

    code = "hub-elsewhere"
    title = "The hub lives elsewhere"


@router.get("", response_class=Response, responses=_STREAM | refusals(409))
async def live(
    request: Request,
    ask: Ask,
    person: Anybody,
    hub: HubSlug,
    topics: Topics = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow what happens in a hub.

    Each unnamed event is a CloudEvent; its `id` is a cursor. Reconnect with the last one in `Last-Event-ID`, to whichever
    replica, and nothing is lost and nothing repeated. `occupancy` begins with the figures there are. Named events speak of
    the stream itself: `open` (until when it lasts), `reset` (something may be missing: read again what you show, then go on
    with this stream), `close` (connect again with the last cursor; with a new token when the old one is at its end).
    Whoever has signed in is told what their role in the hub may know, everybody else what is public. The two of an
    introduction are told `foci.matching.introduction-changed.v1` whatever has happened to it: ask how it stands.
    """
    wanted = _topics(topics)
    hall: Hall = request.app.state.hall
    cursor = None if last_event_id is None else read(last_event_id)
    reader = Reader(person=person, address=_address(request), until=_until(request, hall))
    hall.check_room(reader)
    hall.arriving.add(reader)
    try:
        view = await _view(request, ask, reader, (hub, wanted), cursor)
    finally:
        hall.arriving.discard(reader)
    now = hall.services.clock().timestamp()
    foreign = last_event_id is not None and cursor is None
    hall.enter(reader, view, cursor, foreign=foreign, now=now)
    response = LiveResponse(reader, hall.leave, headers=_HEADERS)
    if request.scope["state"].get("head"):
        hall.leave(reader)
        return Response(media_type=response.media_type, headers=_HEADERS)
    return response


async def _view(
    request: Request, ask: Ask, reader: Reader, what: tuple[str, tuple[str, ...]], cursor: Cursor | None
) -> View:
    """What they may follow of these topics of a hub, and it is there to be told.

    Their role is not taken from memory, and it is asked for again when it has changed meanwhile: from here on a change that
    is heard of ends the stream.
    """
    hall: Hall = request.app.state.hall
    figures: PublicOccupancy = request.app.state.figures
    hub, topics = what
    while True:
        reader.rechecked = False
        if reader.person is not None:
            ask.forget(hub, reader.person)
        access = await ask.access(hub, reader.person)
        if access.cell != hall.services.cell:
            raise HubElsewhere(
                f"The hub {hub} lives in the cell {access.cell}; follow it there.", cell=access.cell
            )
        view = View.of(hub, topics, access.role)
        await hall.following(cursor, view)
        if view.public_figures:
            await figures.known(hub)
        if not reader.rechecked:
            return view


def _topics(text: str | None) -> tuple[str, ...]:
    if text is None:
        return tuple(TOPICS)
    chosen = text.split(",")
    unknown = [one for one in chosen if one not in TOPICS]
    if unknown:
        raise Invalid(f"There is no topic {unknown[0]}; there are: {', '.join(TOPICS)}.", field="topics")
    return tuple(chosen)


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else "unknown"


def _until(request: Request, hall: Hall) -> float:
    """When the stream ends: with the token, and soon enough to notice what nobody has said of a role."""
    services = hall.services
    longest: float = services.clock().timestamp() + request.app.state.settings.live_longest_s
    good = services.authenticator.good_until(request.headers.get("authorization"))
    return longest if good is None else min(good, longest)
