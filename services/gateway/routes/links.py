"""`/v1/links/{token}`: what a link in a message would do, and doing it; for programs as JSON, for people as a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway.client import Errand
from services.gateway.documents import NOT_MODIFIED, PAGE, paged, refusals
from services.gateway.documents.notify_examples import ONE_CLICK
from services.gateway.pages import Page, page_response
from services.gateway.pages.links import after, before, refused, sign_in, signed_in, subscription
from services.gateway.pages.words import LANGUAGES, Words
from services.gateway.responses import BY_FORM, answer
from services.gateway.routes.cookies import check_not_cross_site, cookie_name
from services.gateway.routes.parts import Ask, IdempotencyKey, StrictRoute, language_among, wants_page
from services.gateway.routes.sessions import agent_of, granted, keep
from shared.contracts.base import Request as ServiceRequest
from shared.contracts.directory.requests import GetHub, HubView
from shared.contracts.directory.sessions import GetSignIn, Grant, RedeemSignIn, SignInView
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
Sent = Callable[[Request, Errand, Link, str | None], Awaitable[Reply]]
"""Asks what a link would do, or does it."""


@router.get(
    "/{token}",
    response_model=LinkView | UnsubscribeView | SignInView,
    responses=NOT_MODIFIED | paged(refusals(403, 409)) | {200: {"content": PAGE}},
    tags=["sign-in", "sign-ups", "notices"],
)
async def get_link(request: Request, ask: Ask, token: Token) -> Response:
    """What the link would do. It does nothing by being looked at: programs that scan mail follow every link.

    With `Accept: text/html` a page with a button that does it, in Swedish, Danish or English.
    """
    if wants_page(request):
        return await _page(request, ask, token, _asked)
    link = _read(request, token)
    return answer(request, await ask.ask_as(_whose(link), _question(link, request)), vary=BY_FORM)


@router.post(
    "/{token}",
    response_model=SignUpView | UnsubscribeView | Grant,
    responses=paged(refusals(403, 409)) | {200: {"content": PAGE}},
    openapi_extra={"requestBody": ONE_CLICK},
    tags=["sign-in", "sign-ups", "notices"],
)
async def follow_link(request: Request, ask: Ask, token: Token, key: IdempotencyKey = None) -> Response:
    """Do what the link is for: sign in, confirm a sign-up, accept or decline an offered place, give one back, unsubscribe.

    Nothing has to be sent but the address. A mail program that unsubscribes with one click (RFC 8058) sends a form,
    which says no more than the link itself. A link to sign in answers with tokens; a browser keeps its own as a cookie.
    """
    if wants_page(request):
        return await _page(request, ask, token, _done, key)
    link = _read(request, token)
    done = await _done(request, ask, link, key)
    if link.purpose is LinkPurpose.SIGN_IN:
        return granted(request, done, cookie=False)
    return answer(request, done, counted=True, vary=BY_FORM)


def _read(request: Request, token: str) -> Link:
    reader: LinkReader | None = request.app.state.links
    if reader is None:
        raise LinkInvalid("This cell knows no links.")
    return reader.read(token, request.app.state.services.clock())


def _whose(link: Link) -> Principal:
    # The link proves who the person is; what else they may in the hub takes signing in.
    return Principal(link.person, link.hub)


async def _done(request: Request, ask: Errand, link: Link, key: str | None) -> Reply:
    if link.purpose is LinkPurpose.SIGN_IN:
        # Else another site could sign its visitors in as somebody else. Answers under keys are kept for a day; tokens are not.
        check_not_cross_site(request, browsers_only=False)
        key = None
    return await ask.ask_as(_whose(link), _order(link, request), key=key)


def _question(link: Link, _: Request) -> Wanted:
    if link.purpose is LinkPurpose.UNSUBSCRIBE:
        return GetUnsubscribe(**_kinds(link))
    if link.purpose is LinkPurpose.SIGN_IN:
        return GetSignIn(hub=link.hub, sign_in=link.sign_in)
    return GetLink(**_sign_up(link), purpose=link.purpose)


def _order(link: Link, request: Request) -> Wanted:
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
        case LinkPurpose.SIGN_IN:
            return RedeemSignIn(hub=link.hub, sign_in=link.sign_in, agent=agent_of(request))


def _sign_up(link: Link) -> dict[str, Any]:
    return {"hub": link.hub, "event": link.event, "sign_up": link.sign_up}


def _kinds(link: Link) -> dict[str, Any]:
    return {"hub": link.hub, "kinds": link.kinds}


# --- for people: the same as a page, refusals too ---


async def _asked(request: Request, ask: Errand, link: Link, _: str | None) -> Reply:
    return await ask.ask_as(_whose(link), _question(link, request))


async def _page(request: Request, ask: Errand, token: str, sent: Sent, key: str | None = None) -> Response:
    language = language_among(request, LANGUAGES)
    words = LANGUAGES[language]
    link: Link | None = None
    try:
        link = _read(request, token)
        reply = await sent(request, ask, link, key)
        if link.purpose is LinkPurpose.SIGN_IN:
            return _signing_in(request, link, reply, language, done=sent is _done)
        page = await _told(ask, link, reply, words, done=sent is _done)
    except FociError as error:
        said = error.document if isinstance(error, RemoteProblem) else of_error(error)
        purpose, onward = (None, None) if link is None else (link.purpose, _onward_if_in(request, link))
        return page_response(refused(said["code"], words, purpose, onward), language, status=said["status"])
    return page_response(page, language)


def _signing_in(request: Request, link: Link, reply: Reply, language: str, *, done: bool) -> Response:
    words = LANGUAGES[language]
    if not done:
        view = SignInView.model_validate_json(reply.body)
        shown = page_response(sign_in(view, words, _onward_if_in(request, link)), language)
        # Told nothing at all, a browser says `Origin: null` when the button is pressed, as others' pages would.
        shown.headers["Referrer-Policy"] = "same-origin"
        return shown
    response = page_response(signed_in(words, _onward(request, link)), language)
    keep(request, response, Grant.model_validate_json(reply.body))
    return response


def _onward(request: Request, link: Link) -> str:
    return str(request.app.state.settings.front_url).replace("{hub}", link.hub)


def _onward_if_in(request: Request, link: Link) -> str | None:
    """Where to go on, for a browser that is signed in: whoever presses the button twice hears that the link has been used."""
    return _onward(request, link) if cookie_name(request) in request.cookies else None


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
