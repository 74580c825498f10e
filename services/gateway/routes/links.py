"""`/v1/links/{token}`: what a link in a message would do, and doing it; for programs as JSON, for people as a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway.client import Errand
from services.gateway.documents import NOT_MODIFIED, PAGE, paged, refusals
from services.gateway.documents.notify_examples import ONE_CLICK
from services.gateway.pages import Page, page_response
from services.gateway.pages.links import after, before, refused, subscription
from services.gateway.pages.words import LANGUAGES, Words
from services.gateway.responses import BY_FORM, answer
from services.gateway.routes.parts import Ask, IdempotencyKey, StrictRoute, language_among, wants_page
from shared.contracts.base import Request as ServiceRequest
from shared.contracts.directory.requests import GetHub, HubView
from shared.contracts.events.sign_ups import AcceptOffer, ConfirmSignUp, DeclineOffer, GetLink, GiveBackPlace
from shared.contracts.events.views import LinkView, SignUpView
from shared.contracts.links import LinkPurpose
from shared.contracts.notify.notices import GetUnsubscribe, Unsubscribe, UnsubscribeView
from shared.kit.errors import FociError, Unavailable
from shared.kit.links import Link, LinkInvalid, LinkReader
from shared.kit.principal import Principal
from shared.kit.problems import RemoteProblem, of_error
from shared.kit.requester import Reply

router = APIRouter(route_class=StrictRoute, prefix="/v1/links")

Token = Annotated[str, Path(max_length=4096, description="What the link carries.")]
Wanted = ServiceRequest[Any]


@router.get(
    "/{token}",
    response_model=LinkView | UnsubscribeView,
    responses=NOT_MODIFIED | paged(refusals(403, 409)) | {200: {"content": PAGE}},
    tags=["sign-ups", "notices"],
)
async def get_link(request: Request, ask: Ask, token: Token) -> Response:
    """What the link would do. It does nothing by being looked at: programs that scan mail follow every link.

    With `Accept: text/html` a page with a button that does it, in Swedish, Danish or English.
    """
    if wants_page(request):
        return await _page(request, ask, token, _question, None)
    link = _read(request, token)
    return answer(request, await ask.ask_as(_whose(link), _question(link)), vary=BY_FORM)


@router.post(
    "/{token}",
    response_model=SignUpView | UnsubscribeView,
    responses=paged(refusals(403, 409)) | {200: {"content": PAGE}},
    openapi_extra={"requestBody": ONE_CLICK},
    tags=["sign-ups", "notices"],
)
async def follow_link(request: Request, ask: Ask, token: Token, key: IdempotencyKey = None) -> Response:
    """Do what the link is for: confirm a guest's sign-up, accept or decline an offered place, give a place back, unsubscribe.

    Nothing has to be sent but the address. A mail program that unsubscribes with one click (RFC 8058) sends a form,
    which says no more than the link itself.
    """
    if wants_page(request):
        return await _page(request, ask, token, _order, key)
    link = _read(request, token)
    done = await ask.ask_as(_whose(link), _order(link), key=key)
    return answer(request, done, counted=True, vary=BY_FORM)


def _read(request: Request, token: str) -> Link:
    reader: LinkReader | None = request.app.state.links
    if reader is None:
        raise LinkInvalid("This cell knows no links.")
    return reader.read(token, request.app.state.services.clock())


def _whose(link: Link) -> Principal:
    # The link proves who the person is; what else they may in the hub takes signing in.
    return Principal(link.person, link.hub)


def _question(link: Link) -> Wanted:
    if link.purpose is LinkPurpose.UNSUBSCRIBE:
        return GetUnsubscribe(**_kinds(link))
    return GetLink(**_sign_up(link), purpose=link.purpose)


def _order(link: Link) -> Wanted:
    match link.purpose:
        case LinkPurpose.CONFIRM:
            return ConfirmSignUp(**_sign_up(link), version=link.version)
        case LinkPurpose.ACCEPT:
            return AcceptOffer(**_sign_up(link), version=link.version)
        case LinkPurpose.DECLINE:
            return DeclineOffer(**_sign_up(link), version=link.version)
        case LinkPurpose.LEAVE:
            return GiveBackPlace(**_sign_up(link))
        case LinkPurpose.UNSUBSCRIBE:
            return Unsubscribe(**_kinds(link))


def _sign_up(link: Link) -> dict[str, Any]:
    return {"hub": link.hub, "event": link.event, "sign_up": link.sign_up}


def _kinds(link: Link) -> dict[str, Any]:
    return {"hub": link.hub, "kinds": link.kinds}


# --- for people: the same as a page, refusals too ---


async def _page(
    request: Request, ask: Errand, token: str, wanted: Callable[[Link], Wanted], key: str | None
) -> Response:
    language = language_among(request, LANGUAGES)
    words = LANGUAGES[language]
    try:
        link = _read(request, token)
        reply = await ask.ask_as(_whose(link), wanted(link), key=key)
        page = await _told(ask, link, reply, words, done=wanted is _order)
    except FociError as error:
        said = error.document if isinstance(error, RemoteProblem) else of_error(error)
        return page_response(refused(said["code"], words), language, status=said["status"])
    return page_response(page, language)


async def _told(ask: Errand, link: Link, reply: Reply, words: Words, *, done: bool) -> Page:
    if link.purpose is LinkPurpose.UNSUBSCRIBE:
        name = await _name_of(ask, link.hub)
        return subscription(UnsubscribeView.model_validate_json(reply.body), name, words)
    if done:
        return after(SignUpView.model_validate_json(reply.body), words)
    return before(LinkView.model_validate_json(reply.body), words)


async def _name_of(ask: Errand, hub: str) -> str:
    try:
        reply = await ask.ask_in(hub, GetHub(hub=hub), person=None)
    except (Unavailable, RemoteProblem):
        # Stopping mail does not wait for how the hub is called.
        return hub
    return HubView.model_validate_json(reply.body).name
