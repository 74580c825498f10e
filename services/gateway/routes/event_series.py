"""`/v1/hubs/{hub}/series`: events that belong together, by a rule or as a theme."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, refusals
from services.gateway.responses import BY_LANGUAGE, answer, expected_version, id_in
from services.gateway.routes.parts import (
    SIGN_IN,
    Acting,
    IfMatch,
    Looking,
    Ordering,
    SeriesId,
    StrictRoute,
    Tongue,
    Visit,
    said,
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
from shared.kit.requester import Reply

router = APIRouter(route_class=StrictRoute, prefix="/v1/hubs/{hub}/series", tags=["events"])

_ACT: dict[str, Any] = {
    "response_model": SeriesView,
    "responses": refusals(403, 409),
    "dependencies": SIGN_IN,
}
"""What every order about a series has in common."""


@router.post("", status_code=201, **_ACT)
async def start_theme(visit: Ordering, body: NewTheme) -> Response:
    """Start a theme such as a week with its events, several a day if need be. Any member may."""
    return _made(visit, "series", await visit.asked(StartTheme(hub=visit.hub, **said(body))))


@router.get("/{series}", response_model=SeriesView, responses=NOT_MODIFIED | refusals())
async def get_series(visit: Looking, series: SeriesId, language: Tongue) -> Response:
    """A series with the dates it left out; its events are listed by `…/events?series=`."""
    return await _one(visit, GetSeries, series, language=language)


@router.patch("/{series}", **_ACT | {"responses": refusals(403, 409, 412, 428)})
async def change_series(
    visit: Acting, series: SeriesId, body: SeriesChange, if_match: IfMatch = None
) -> Response:
    """Change all dates ahead, one and the following, or a range; `refused` names those that stayed as they were."""
    return await _one(visit, ChangeSeries, series, version=expected_version(if_match), **said(body))


@router.post("/{series}/publish", **_ACT)
async def publish_series(visit: Ordering, series: SeriesId) -> Response:
    """Publish every draft of it."""
    return await _one(visit, PublishSeries, series)


@router.post("/{series}/cancel", **_ACT)
async def cancel_series(
    visit: Ordering, series: SeriesId, body: SeriesCancellation | None = None
) -> Response:
    """Cancel all dates ahead, one and the following, or a range."""
    return await _one(visit, CancelSeries, series, **said(body))


@router.post("/{series}/dates", status_code=201, **_ACT | {"response_model": EventView})
async def add_date(visit: Ordering, series: SeriesId, body: NewDate) -> Response:
    """Add a date: a new one, or one that was left out."""
    return _made(visit, "events", await visit.asked(AddDate(hub=visit.hub, series=series, **said(body))))


def _made(visit: Visit, kind: str, reply: Reply) -> Response:
    location = f"/v1/hubs/{visit.hub}/{kind}/{id_in(reply)}"
    return answer(visit.request, reply, location=location, counted=True, vary=BY_LANGUAGE)


async def _one(
    visit: Visit, wanted: Callable[..., ServiceRequest[SeriesView]], series: UUID, **more: Any
) -> Response:
    reply = await visit.asked(wanted(hub=visit.hub, series=series, **more))
    return answer(visit.request, reply, counted=True, vary=BY_LANGUAGE)
