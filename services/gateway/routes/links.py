"""`/v1/links/{token}`: what a link in a message would do, and doing it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, refusals
from services.gateway.responses import answer
from services.gateway.routes.parts import Ask, IdempotencyKey, StrictRoute
from shared.contracts.base import Request as ServiceRequest
from shared.contracts.events.sign_ups import AcceptOffer, ConfirmSignUp, DeclineOffer, GetLink, GiveBackPlace
from shared.contracts.events.views import LinkView, SignUpView
from shared.contracts.links import LinkPurpose
from shared.kit.links import Link, LinkInvalid, LinkReader
from shared.kit.principal import Principal

router = APIRouter(route_class=StrictRoute, prefix="/v1/links", tags=["sign-ups"])

Token = Annotated[str, Path(max_length=4096, description="What the link carries.")]


@router.get("/{token}", response_model=LinkView, responses=NOT_MODIFIED | refusals())
async def get_link(request: Request, ask: Ask, token: Token) -> Response:
    """What the link would do. It does nothing by being looked at: programs that scan mail follow every link."""
    link = _read(request, token)
    wanted = GetLink(hub=link.hub, event=link.event, sign_up=link.sign_up, purpose=link.purpose)
    return answer(request, await ask.ask_as(_whose(link), wanted))


@router.post("/{token}", response_model=SignUpView, responses=refusals(409))
async def follow_link(request: Request, ask: Ask, token: Token, key: IdempotencyKey = None) -> Response:
    """Do what the link is for: confirm a guest's sign-up, accept or decline an offered place, give a place back."""
    link = _read(request, token)
    return answer(request, await ask.ask_as(_whose(link), _order(link), key=key), counted=True)


def _read(request: Request, token: str) -> Link:
    reader: LinkReader | None = request.app.state.links
    if reader is None:
        raise LinkInvalid("This cell knows no links.")
    return reader.read(token, request.app.state.services.clock())


def _whose(link: Link) -> Principal:
    # The link proves who the person is; what else they may in the hub takes signing in.
    return Principal(link.person, link.hub)


def _order(link: Link) -> ServiceRequest[Any]:
    named = {"hub": link.hub, "event": link.event, "sign_up": link.sign_up}
    match link.purpose:
        case LinkPurpose.CONFIRM:
            return ConfirmSignUp(**named, version=link.version)
        case LinkPurpose.ACCEPT:
            return AcceptOffer(**named, version=link.version)
        case LinkPurpose.DECLINE:
            return DeclineOffer(**named, version=link.version)
        case _:
            return GiveBackPlace(**named)
