"""`/v1/hubs/{hub}/series`: events that belong together, by a rule or as a theme."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.client import Errand
from services.gateway.documents import NOT_MODIFIED, refusals
from services.gateway.responses import BY_LANGUAGE, answer, expected_version, id_in
from services.gateway.routes.parts import (
    SIGN_IN,
    Anybody,
    Ask,
    HubId,
    IdempotencyKey,
    IfMatch,
    SeriesId,
    Somebody,
    StrictRoute,
    Tongue,
)
from shared.contracts.base import Request as ServiceRequest
from shared.contracts.events.given import NewTheme
from shared.contracts.events.requests import (
    AddDate,
    CancelSeries,
    ChangeSeries,
    GetSeries,
    NewDate,
    PublishSeries,
    SeriesCancellation,
    SeriesChange,
    StartTheme,
)
from shared.contracts.events.views import EventView, SeriesView

router = APIRouter(route_class=StrictRoute, prefix="/v1/hubs/{hub}/series", tags=["events"])


@router.post(
    "", status_code=201, response_model=SeriesView, responses=refusals(403, 409), dependencies=SIGN_IN
)
async def start_theme(
    request: Request, ask: Ask, person: Somebody, hub: HubId, body: NewTheme, key: IdempotencyKey = None
) -> Response:
    """Start a theme such as a week with its events, several a day if need be. Any member may."""
    wanted = StartTheme(hub=hub, **{name: getattr(body, name) for name in body.model_fields_set})
    reply = await ask.ask_in(hub, wanted, person=person, key=key)
    return answer(
        request, reply, location=f"/v1/hubs/{hub}/series/{id_in(reply)}", counted=True, vary=BY_LANGUAGE
    )


@router.get("/{series}", response_model=SeriesView, responses=NOT_MODIFIED | refusals())
async def get_series(
    request: Request, ask: Ask, person: Anybody, hub: HubId, series: SeriesId, language: Tongue
) -> Response:
    """A series with the dates it left out; its events are listed by `…/events?series=`."""
    return await _one(request, ask, GetSeries(hub=hub, series=series, language=language), person)


@router.patch(
    "/{series}",
    response_model=SeriesView,
    responses=refusals(403, 409, 412, 428),
    dependencies=SIGN_IN,
)
async def change_series(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    series: SeriesId,
    body: SeriesChange,
    if_match: IfMatch = None,
) -> Response:
    """Change all dates ahead, one and the following, or a range; `refused` names those that stayed as they were."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    version = expected_version(if_match)
    return await _one(request, ask, ChangeSeries(hub=hub, series=series, version=version, **changes), person)


@router.post(
    "/{series}/publish", response_model=SeriesView, responses=refusals(403, 409), dependencies=SIGN_IN
)
async def publish_series(
    request: Request, ask: Ask, person: Somebody, hub: HubId, series: SeriesId, key: IdempotencyKey = None
) -> Response:
    """Publish every draft of it."""
    return await _one(request, ask, PublishSeries(hub=hub, series=series), person, key)


@router.post(
    "/{series}/cancel", response_model=SeriesView, responses=refusals(403, 409), dependencies=SIGN_IN
)
async def cancel_series(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    series: SeriesId,
    body: SeriesCancellation | None = None,
    key: IdempotencyKey = None,
) -> Response:
    """Cancel all dates ahead, one and the following, or a range."""
    scope = {} if body is None else {name: getattr(body, name) for name in body.model_fields_set}
    return await _one(request, ask, CancelSeries(hub=hub, series=series, **scope), person, key)


@router.post(
    "/{series}/dates",
    status_code=201,
    response_model=EventView,
    responses=refusals(403, 409),
    dependencies=SIGN_IN,
)
async def add_date(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    series: SeriesId,
    body: NewDate,
    key: IdempotencyKey = None,
) -> Response:
    """Add a date: a new one, or one that was left out."""
    wanted = AddDate(hub=hub, series=series, **{name: getattr(body, name) for name in body.model_fields_set})
    reply = await ask.ask_in(hub, wanted, person=person, key=key)
    return answer(
        request, reply, location=f"/v1/hubs/{hub}/events/{id_in(reply)}", counted=True, vary=BY_LANGUAGE
    )


async def _one(
    request: Request,
    ask: Errand,
    wanted: ServiceRequest[SeriesView],
    person: UUID | None,
    key: str | None = None,
) -> Response:
    hub: str = request.path_params["hub"]
    reply = await ask.ask_in(hub, wanted, person=person, key=key)
    return answer(request, reply, counted=True, vary=BY_LANGUAGE)
