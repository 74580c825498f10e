"""`/v1/hubs/{hub}/now`: how full a hub is, as a page that moves by itself."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, PAGE, refusals
from services.gateway.pages.now import NOW, POLICY, now_page
from services.gateway.responses import page
from services.gateway.routes.cookies import cookie_name
from services.gateway.routes.parts import Looking, StrictRoute, language_among
from shared.contracts.booking.requests import GetOccupancy, ListSpaces, OccupancyView, SpacePage
from shared.contracts.directory.requests import GetHub, HubView

router = APIRouter(route_class=StrictRoute, prefix="/v1/hubs/{hub}/now", tags=["live"])


@router.get(
    "",
    response_class=Response,
    responses={200: {"description": "The page", "content": PAGE}} | NOT_MODIFIED | refusals(),
)
async def show_now(visit: Looking) -> Response:
    """A page that shows how full the hub is and moves by itself: in exact figures for hosts who are signed in there."""
    ask, hub = visit.ask, visit.hub
    view = HubView.model_validate_json((await ask.ask_in(hub, GetHub(hub=hub), person=None)).body)
    spaces = await ask.ask_in(hub, ListSpaces(hub=hub, limit=200), person=None)
    shown = await ask.ask_in(hub, GetOccupancy(hub=hub), person=None)
    request = visit.request
    language = language_among(request, NOW)
    text = now_page(
        view,
        SpacePage.model_validate_json(spaces.body).items,
        OccupancyView.model_validate_json(shown.body),
        language,
        signed_in=cookie_name(request) in request.cookies,
    )
    return page(request, text, language, POLICY)
