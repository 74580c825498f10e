"""`…/events/{event}.ics` and `.jsonld`: one event for calendars and for search engines."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, refusals
from services.gateway.responses import CALENDAR, LINKED_DATA, calendar, linked_data, seen_by
from services.gateway.routes.parts import Anybody, Ask, EventId, HubId, StrictRoute, Tongue
from shared.contracts.events.calendars import GetEventCalendar, GetLinkedData

router = APIRouter(route_class=StrictRoute, prefix="/v1/hubs/{hub}/events", tags=["calendars"])


class CalendarText(Response):
    """Tells the published document what is answered."""

    media_type = CALENDAR


class LinkedText(Response):
    """Tells the published document what is answered."""

    media_type = LINKED_DATA


@router.get("/{event}.ics", response_class=CalendarText, responses=NOT_MODIFIED | refusals())
async def get_event_calendar(
    request: Request, ask: Ask, person: Anybody, hub: HubId, event: EventId, language: Tongue
) -> Response:
    """The event as an iCalendar file, for whoever may see the event."""
    wanted = GetEventCalendar(hub=hub, event=event, seen=seen_by(request), language=language)
    return calendar(request, await ask.ask_in(hub, wanted, person=person), str(event))


@router.get(
    "/{event}.jsonld",
    response_class=LinkedText,
    responses=NOT_MODIFIED | refusals() | {200: {"content": {LINKED_DATA: {"schema": {"type": "object"}}}}},
)
async def get_linked_data(
    request: Request, ask: Ask, person: Anybody, hub: HubId, event: EventId, language: Tongue
) -> Response:
    """The event as schema.org/Event; it can stand inside a page as it is."""
    wanted = GetLinkedData(hub=hub, event=event, language=language)
    return linked_data(request, await ask.ask_in(hub, wanted, person=person))
