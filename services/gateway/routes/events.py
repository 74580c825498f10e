"""`/v1/hubs/{hub}/events`: find, start, change, publish and cancel events, and the hub's care for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import BY_LANGUAGE, answer, expected_version, id_in, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Acting,
    Base,
    Cursor,
    EventId,
    Few,
    IfMatch,
    Looking,
    Moment,
    Ordering,
    StrictRoute,
    Tongue,
    Visit,
    Words,
    said,
)
from shared.contracts.base import Request as ServiceRequest
from shared.contracts.events.given import EventChange, NewEvent
from shared.contracts.events.requests import (
    AnswerHiding,
    ApproveEvent,
    CancelEvent,
    ChangeEvent,
    ChangeEventSettings,
    EventCancellation,
    EventReason,
    EventSettingsChange,
    GetEvent,
    GetEventFigures,
    GetEventSettings,
    HideEvent,
    HidingAnswer,
    ListEvents,
    PublishEvent,
    ReturnEvent,
    ShowEvent,
    StartEvent,
)
from shared.contracts.events.views import EventFigures, EventSettingsView, EventView
from shared.contracts.events.words import EventStatus

router = APIRouter(route_class=StrictRoute, prefix="/v1/hubs/{hub}", tags=["events"])

Year = Annotated[
    int, Query(ge=1990, le=2199, description="A calendar year in the hub's zone.", examples=[2027])
]
EVENT = "/events/{event}"
_LOOKED_AT = NOT_MODIFIED | refusals()
_ACT: dict[str, Any] = {
    "response_model": EventView,
    "responses": refusals(403, 409),
    "dependencies": SIGN_IN,
}
"""What every order about one event has in common."""


@router.get("/events", response_model=Listing[EventView], responses=_LOOKED_AT)
async def list_events(
    visit: Looking,
    base: Base,
    language: Tongue,
    start: Annotated[Moment, Query(alias="from", description="Only those that end after this.")] = None,
    end: Annotated[Moment, Query(alias="to", description="Only those that start before this.")] = None,
    kind: Annotated[Words, Query(max_length=60)] = None,
    tag: Annotated[Words, Query(max_length=40)] = None,
    status: Annotated[list[EventStatus] | None, Query(max_length=7)] = None,
    series: UUID | None = None,
    calendar: Annotated[Words, Query(max_length=200, description="Only imported from this calendar.")] = None,
    mine: Annotated[bool, Query(description="Only those I run.")] = False,
    limit: Few = 50,
    cursor: Cursor = None,
) -> Response:
    """The hub's events by time, as many of them as the one who asks may see. Open to everybody."""
    wanted = ListEvents(
        hub=visit.hub,
        start=start,
        end=end,
        kind=kind,
        tag=tag,
        status=tuple(status or ()),
        series=series,
        calendar=calendar,
        mine=mine,
        language=language,
        limit=limit,
        cursor=cursor,
    )
    return listing(visit.request, await visit.asked(wanted), base, vary=BY_LANGUAGE)


@router.post("/events", status_code=201, **_ACT)
async def start_event(visit: Ordering, body: NewEvent) -> Response:
    """Start an event, or with `repeat` a series of which this is the first. Any member may.

    It is a draft unless `publish` is said; nobody has to approve it unless the hub wants that.
    """
    reply = await visit.asked(StartEvent(hub=visit.hub, **said(body)))
    location = f"/v1/hubs/{visit.hub}/events/{id_in(reply)}"
    return answer(visit.request, reply, location=location, counted=True, vary=BY_LANGUAGE)


@router.get(EVENT, response_model=EventView, responses=_LOOKED_AT)
async def get_event(visit: Looking, event: EventId, language: Tongue) -> Response:
    """One event, for everybody who may see it; drafts and hidden ones for those who run it and the hub's staff."""
    return await _one(visit, GetEvent, event, language=language)


@router.patch(EVENT, **_ACT | {"responses": refusals(403, 409, 412, 428)})
async def change_event(
    visit: Acting, event: EventId, body: EventChange, if_match: IfMatch = None
) -> Response:
    """Change an event; a new time or room of a published one waits until booking has agreed to it."""
    return await _one(visit, ChangeEvent, event, version=expected_version(if_match), **said(body))


@router.post(f"{EVENT}/publish", **_ACT)
async def publish_event(visit: Ordering, event: EventId) -> Response:
    """Let people see it; one with a space is published as soon as booking has confirmed that."""
    return await _one(visit, PublishEvent, event)


@router.post(f"{EVENT}/cancel", **_ACT)
async def cancel_event(visit: Ordering, event: EventId, body: EventCancellation | None = None) -> Response:
    """It does not take place. Cancelling twice changes nothing."""
    return await _one(visit, CancelEvent, event, **said(body))


# --- the hub's care, which comes after publishing unless the hub wants to approve ---


@router.post(f"{EVENT}/approve", **_ACT)
async def approve_event(visit: Ordering, event: EventId) -> Response:
    """Let a member's event be published, where the hub approves. For the hub's staff."""
    return await _one(visit, ApproveEvent, event)


@router.post(f"{EVENT}/return", **_ACT)
async def return_event(visit: Ordering, event: EventId, body: EventReason) -> Response:
    """Do not approve it; its author sees why, can change it and ask again. For the hub's staff."""
    return await _one(visit, ReturnEvent, event, **said(body))


@router.post(f"{EVENT}/hide", **_ACT)
async def hide_event(visit: Ordering, event: EventId, body: EventReason) -> Response:
    """Hide a published event; its author sees why and can answer. For the hub's staff."""
    return await _one(visit, HideEvent, event, **said(body))


@router.post(f"{EVENT}/show", **_ACT)
async def show_event(visit: Ordering, event: EventId) -> Response:
    """Show a hidden event again. For the hub's staff."""
    return await _one(visit, ShowEvent, event)


@router.post(f"{EVENT}/answer", **_ACT)
async def answer_hiding(visit: Ordering, event: EventId, body: HidingAnswer) -> Response:
    """Answer the hub's reason for hiding it. For those who run it."""
    return await _one(visit, AnswerHiding, event, **said(body))


@router.get("/event-settings", response_model=EventSettingsView, responses=_LOOKED_AT)
async def get_event_settings(visit: Looking) -> Response:
    """What the hub has chosen about events. Open to everybody."""
    return answer(visit.request, await visit.asked(GetEventSettings(hub=visit.hub)))


@router.patch(
    "/event-settings",
    response_model=EventSettingsView,
    responses=refusals(403, 412, 428),
    dependencies=SIGN_IN,
)
async def change_event_settings(
    visit: Acting, body: EventSettingsChange, if_match: IfMatch = None
) -> Response:
    """Choose whether members' events wait for approval. For operators and admins."""
    wanted = ChangeEventSettings(hub=visit.hub, version=expected_version(if_match), **said(body))
    return answer(visit.request, await visit.asked(wanted))


@router.get("/event-figures", response_model=EventFigures, responses=_LOOKED_AT)
async def get_event_figures(visit: Looking, year: Year) -> Response:
    """A year's meetups and participants by month and kind; for the hub's people also how little stood in the way."""
    return answer(visit.request, await visit.asked(GetEventFigures(hub=visit.hub, year=year)))


async def _one(
    visit: Visit, wanted: Callable[..., ServiceRequest[EventView]], event: UUID, **more: Any
) -> Response:
    reply = await visit.asked(wanted(hub=visit.hub, event=event, **more))
    return answer(visit.request, reply, counted=True, vary=BY_LANGUAGE)
