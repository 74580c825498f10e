"""`/v1/me/choices`: what the signed-in person wants to hear of, how and when."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, refusals
from services.gateway.responses import answer, expected_version
from services.gateway.routes.parts import SIGN_IN, Ask, IfMatch, Somebody, StrictRoute
from shared.contracts.notify.notices import ChangeMyChoices, ChoicesChange, ChoicesView, GetMyChoices

router = APIRouter(route_class=StrictRoute, prefix="/v1/me/choices", tags=["notices"], dependencies=SIGN_IN)


@router.get("", response_model=ChoicesView, responses=NOT_MODIFIED | refusals())
async def get_my_choices(request: Request, ask: Ask, person: Somebody) -> Response:
    """When I hear of what over which channel, with Foci's defaults where I have chosen nothing."""
    return answer(request, await ask.ask(GetMyChoices(), person=person))


@router.patch("", response_model=ChoicesView, responses=refusals(412, 428))
async def change_my_choices(
    request: Request, ask: Ask, person: Somebody, body: ChoicesChange, if_match: IfMatch = None
) -> Response:
    """Choose otherwise; what is not named stays."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    wanted = ChangeMyChoices(version=expected_version(if_match), **changes)
    return answer(request, await ask.ask(wanted, person=person))
