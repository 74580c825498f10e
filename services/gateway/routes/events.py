"""`/v1/hubs/{hub}/events`: find, start, change, publish and cancel events, and the hub's care for them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.gateway.client import Errand
from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import BY_LANGUAGE, answer, expected_version, id_in, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Anybody,
    Ask,
    Base,
    Cursor,
    EventId,
    Few,
    HubId,
    IdempotencyKey,
    IfMatch,
    Moment,
    Somebody,
    StrictRoute,
    Tongue,
    Words,
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


@router.get("/events", response_model=Listing[EventView], responses=NOT_MODIFIED | refusals())
async def list_events(
    request: Request,
    ask: Ask,
    base: Base,
    person: Anybody,
    hub: HubId,
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
        hub=hub,
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
    return listing(request, await ask.ask_in(hub, wanted, person=person), base, vary=BY_LANGUAGE)


@router.post(
    "/events",
    status_code=201,
    response_model=EventView,
    responses=refusals(403, 409),
    dependencies=SIGN_IN,
)
async def start_event(
    request: Request, ask: Ask, person: Somebody, hub: HubId, body: NewEvent, key: IdempotencyKey = None
) -> Response:
    """Start an event, or with `repeat` a series of which this is the first. Any member may.

    It is a draft unless `publish` is said; nobody has to approve it unless the hub wants that.
    """
    wanted = StartEvent(hub=hub, **{name: getattr(body, name) for name in body.model_fields_set})
    reply = await ask.ask_in(hub, wanted, person=person, key=key)
    return answer(
        request, reply, location=f"/v1/hubs/{hub}/events/{id_in(reply)}", counted=True, vary=BY_LANGUAGE
    )


@router.get(EVENT, response_model=EventView, responses=NOT_MODIFIED | refusals())
async def get_event(
    request: Request, ask: Ask, person: Anybody, hub: HubId, event: EventId, language: Tongue
) -> Response:
    """One event, for everybody who may see it; drafts and hidden ones for those who run it and the hub's staff."""
    return await _one(request, ask, GetEvent(hub=hub, event=event, language=language), person)


@router.patch(
    EVENT,
    response_model=EventView,
    responses=refusals(403, 409, 412, 428),
    dependencies=SIGN_IN,
)
async def change_event(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    event: EventId,
    body: EventChange,
    if_match: IfMatch = None,
) -> Response:
    """Change an event; a new time or room of a published one waits until booking has agreed to it."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    version = expected_version(if_match)
    return await _one(request, ask, ChangeEvent(hub=hub, event=event, version=version, **changes), person)


@router.post(f"{EVENT}/publish", response_model=EventView, responses=refusals(403, 409), dependencies=SIGN_IN)
async def publish_event(
    request: Request, ask: Ask, person: Somebody, hub: HubId, event: EventId, key: IdempotencyKey = None
) -> Response:
    """Let people see it; one with a space is published as soon as booking has confirmed that."""
    return await _one(request, ask, PublishEvent(hub=hub, event=event), person, key)


@router.post(f"{EVENT}/cancel", response_model=EventView, responses=refusals(403, 409), dependencies=SIGN_IN)
async def cancel_event(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    event: EventId,
    body: EventCancellation | None = None,
    key: IdempotencyKey = None,
) -> Response:
    """It does not take place. Cancelling twice changes nothing."""
    reason = {} if body is None or body.reason is None else {"reason": body.reason}
    return await _one(request, ask, CancelEvent(hub=hub, event=event, **reason), person, key)


# --- the hub's care, which comes after publishing unless the hub wants to approve ---


@router.post(f"{EVENT}/approve", response_model=EventView, responses=refusals(403, 409), dependencies=SIGN_IN)
async def approve_event(
    request: Request, ask: Ask, person: Somebody, hub: HubId, event: EventId, key: IdempotencyKey = None
) -> Response:
    """Let a member's event be published, where the hub approves. For the hub's staff."""
    return await _one(request, ask, ApproveEvent(hub=hub, event=event), person, key)


@router.post(f"{EVENT}/return", response_model=EventView, responses=refusals(403, 409), dependencies=SIGN_IN)
async def return_event(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    event: EventId,
    body: EventReason,
    key: IdempotencyKey = None,
) -> Response:
    """Do not approve it; its author sees why, can change it and ask again. For the hub's staff."""
    return await _one(request, ask, ReturnEvent(hub=hub, event=event, reason=body.reason), person, key)


@router.post(f"{EVENT}/hide", response_model=EventView, responses=refusals(403, 409), dependencies=SIGN_IN)
async def hide_event(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    event: EventId,
    body: EventReason,
    key: IdempotencyKey = None,
) -> Response:
    """Hide a published event; its author sees why and can answer. For the hub's staff."""
    return await _one(request, ask, HideEvent(hub=hub, event=event, reason=body.reason), person, key)


@router.post(f"{EVENT}/show", response_model=EventView, responses=refusals(403, 409), dependencies=SIGN_IN)
async def show_event(
    request: Request, ask: Ask, person: Somebody, hub: HubId, event: EventId, key: IdempotencyKey = None
) -> Response:
    """Show a hidden event again. For the hub's staff."""
    return await _one(request, ask, ShowEvent(hub=hub, event=event), person, key)


@router.post(f"{EVENT}/answer", response_model=EventView, responses=refusals(403, 409), dependencies=SIGN_IN)
async def answer_hiding(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    event: EventId,
    body: HidingAnswer,
    key: IdempotencyKey = None,
) -> Response:
    """Answer the hub's reason for hiding it. For those who run it."""
    return await _one(request, ask, AnswerHiding(hub=hub, event=event, answer=body.answer), person, key)


@router.get("/event-settings", response_model=EventSettingsView, responses=NOT_MODIFIED | refusals())
async def get_event_settings(request: Request, ask: Ask, person: Anybody, hub: HubId) -> Response:
    """What the hub has chosen about events. Open to everybody."""
    return answer(request, await ask.ask_in(hub, GetEventSettings(hub=hub), person=person))


@router.patch(
    "/event-settings",
    response_model=EventSettingsView,
    responses=refusals(403, 412, 428),
    dependencies=SIGN_IN,
)
async def change_event_settings(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    body: EventSettingsChange,
    if_match: IfMatch = None,
) -> Response:
    """Choose whether members' events wait for approval. For operators and admins."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    wanted = ChangeEventSettings(hub=hub, version=expected_version(if_match), **changes)
    return answer(request, await ask.ask_in(hub, wanted, person=person))


@router.get("/event-figures", response_model=EventFigures, responses=NOT_MODIFIED | refusals())
async def get_event_figures(request: Request, ask: Ask, person: Anybody, hub: HubId, year: Year) -> Response:
    """A year's meetups and participants by month and kind; for the hub's people also how little stood in the way."""
    return answer(request, await ask.ask_in(hub, GetEventFigures(hub=hub, year=year), person=person))


async def _one(
    request: Request,
    ask: Errand,
    wanted: ServiceRequest[EventView],
    person: UUID | None,
    key: str | None = None,
) -> Response:
    hub: str = request.path_params["hub"]
    reply = await ask.ask_in(hub, wanted, person=person, key=key)
    return answer(request, reply, counted=True, vary=BY_LANGUAGE)
