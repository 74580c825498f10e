"""`/v1/hubs/{hub}/api-tokens`: what a hub's kiosks and systems prove themselves with."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import answer, id_in, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Acting,
    Ask,
    Base,
    Cursor,
    Few,
    HubId,
    Somebody,
    StrictRoute,
    said,
)
from shared.contracts.directory.api_tokens import (
    ApiTokenSecretView,
    ApiTokenView,
    ListApiTokens,
    MakeApiToken,
    NewApiToken,
    RevokeApiToken,
)

router = APIRouter(
    route_class=StrictRoute, prefix="/v1/hubs/{hub}/api-tokens", tags=["api-tokens"], dependencies=SIGN_IN
)

TokenId = Annotated[UUID, Path(description="The token's id.")]


@router.get("", response_model=Listing[ApiTokenView], responses=NOT_MODIFIED | refusals(403))
async def list_api_tokens(visit: Acting, base: Base, limit: Few = 50, cursor: Cursor = None) -> Response:
    """The hub's tokens without themselves, the newest first. For operators and admins, like everything about tokens."""
    wanted = ListApiTokens(hub=visit.hub, limit=limit, cursor=cursor)
    return listing(visit.request, await visit.asked(wanted), base)


@router.post("", status_code=201, response_model=ApiTokenSecretView, responses=refusals(403, 409))
async def make_api_token(
    request: Request, ask: Ask, person: Somebody, hub: HubId, body: NewApiToken
) -> Response:
    """A token for a kiosk or a system of the hub. It is shown this once, and is good for its purpose in this hub alone.

    It takes no Idempotency-Key: answers under keys are kept for a day, and a secret is not to be kept.
    """
    reply = await ask.ask_in(hub, MakeApiToken(hub=hub, **said(body)), person=person)
    return answer(request, reply, location=f"/v1/hubs/{hub}/api-tokens/{id_in(reply)}")


@router.delete("/{api_token}", response_model=ApiTokenView, responses=refusals(403))
async def revoke_api_token(visit: Acting, api_token: TokenId) -> Response:
    """End a token: the next request with it is refused."""
    wanted = RevokeApiToken(hub=visit.hub, token=api_token)
    return answer(visit.request, await visit.asked(wanted))
