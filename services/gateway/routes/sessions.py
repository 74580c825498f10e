"""`/v1/session`, `/v1/me/sessions`: the next access token, where one is signed in, and signing out."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import JSON, answer, listing, problem_response
from services.gateway.routes.cookies import (
    check_not_cross_site,
    cookie_name,
    put_cookie,
    take_cookie_away,
)
from services.gateway.routes.parts import SIGN_IN, Ask, Base, Cursor, Few, Somebody, StrictRoute
from shared.contracts.directory.sessions import (
    EndMySession,
    EndMySessions,
    Grant,
    ListMySessions,
    RefreshSession,
    SessionView,
    SignedOut,
    SignOut,
)
from shared.kit.errors import FociError
from shared.kit.principal import Unauthenticated
from shared.kit.problems import RemoteProblem, of_error
from shared.kit.requester import Reply

router = APIRouter(route_class=StrictRoute, tags=["sign-in"])

LONGEST_AGENT = 200
_WRITTEN = re.compile(r"[A-Za-z0-9_-]{20,200}")
RefreshToken = Annotated[
    str | None,
    Header(
        alias="Foci-Refresh-Token",
        min_length=20,
        max_length=200,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="For programs. Browsers send it as a cookie, and need nothing here.",
    ),
]
SessionId = Annotated[UUID, Path(description="The session's id.")]
NEVER_KEPT = {"Cache-Control": "no-store"}


@router.post("/v1/session/refresh", response_model=Grant, responses=refusals(403))
async def refresh_session(request: Request, ask: Ask, token: RefreshToken = None) -> Response:
    """The next access token, and the next refresh token with it: each works once.

    One that has been replaced and comes again is in two hands: the session ends, and one has to sign in again.
    """
    try:
        given = _given(request, token)
        reply = await ask.ask(RefreshSession(token=given, agent=agent_of(request)), person=None)
    except (Unauthenticated, RemoteProblem) as refusal:
        return _refused(request, refusal, cookie=token is None)
    return granted(request, reply, cookie=token is None)


@router.post("/v1/session/sign-out", response_model=SignedOut, responses=refusals(403))
async def sign_out(request: Request, ask: Ask, token: RefreshToken = None) -> Response:
    """End this session. Its last access token is good for some minutes yet; nothing follows it."""
    try:
        reply = await ask.ask(SignOut(token=_given(request, token)), person=None)
    except (Unauthenticated, RemoteProblem) as refusal:
        return _refused(request, refusal, cookie=token is None)
    response = Response(reply.body, media_type=JSON, headers=NEVER_KEPT)
    if token is None:
        take_cookie_away(request, response)
    return response


@router.get(
    "/v1/me/sessions",
    response_model=Listing[SessionView],
    responses=NOT_MODIFIED | refusals(),
    dependencies=SIGN_IN,
)
async def list_my_sessions(
    request: Request, ask: Ask, base: Base, person: Somebody, limit: Few = 50, cursor: Cursor = None
) -> Response:
    """Where I am signed in, the latest used first."""
    wanted = ListMySessions(limit=limit, cursor=cursor)
    return listing(request, await ask.ask(wanted, person=person), base)


@router.delete("/v1/me/sessions", response_model=SignedOut, responses=refusals(), dependencies=SIGN_IN)
async def end_my_sessions(request: Request, ask: Ask, person: Somebody) -> Response:
    """Sign out everywhere."""
    return answer(request, await ask.ask(EndMySessions(), person=person))


@router.delete(
    "/v1/me/sessions/{session}", response_model=SessionView, responses=refusals(), dependencies=SIGN_IN
)
async def end_my_session(request: Request, ask: Ask, person: Somebody, session: SessionId) -> Response:
    """Sign out there."""
    return answer(request, await ask.ask(EndMySession(session=session), person=person))


def _given(request: Request, header: str | None) -> str:
    """The refresh token somebody sends; a cookie counts only from our own pages and frontends."""
    if header is not None:
        return header
    cookie = request.cookies.get(cookie_name(request))
    if cookie is None:
        raise Unauthenticated(
            "Nobody is signed in here: there is neither a cookie nor a `Foci-Refresh-Token`."
        )
    check_not_cross_site(request, browsers_only=True)
    if _WRITTEN.fullmatch(cookie) is None:
        raise Unauthenticated("What this browser has kept is no refresh token. Sign in again.")
    return cookie


def _refused(request: Request, refusal: FociError, *, cookie: bool) -> Response:
    """The refusal; a cookie that opens nothing is taken away, or it would be sent for ever."""
    document = refusal.document if isinstance(refusal, RemoteProblem) else of_error(refusal)
    response = problem_response(document)
    if cookie and document["status"] == 401 and cookie_name(request) in request.cookies:
        take_cookie_away(request, response)
    return response


def agent_of(request: Request) -> str:
    """What the browser or program calls itself, as far as it can be shown."""
    said = request.headers.get("user-agent", "")
    return "".join(letter for letter in said if letter.isprintable() and letter.isascii())[:LONGEST_AGENT]


def granted(request: Request, reply: Reply, *, cookie: bool) -> Response:
    """Tokens as JSON; what gets the next ones as a cookie for browsers, so that no script can read it."""
    grant = Grant.model_validate_json(reply.body)
    if not cookie or grant.refresh_token is None:
        return Response(reply.body, media_type=JSON, headers=NEVER_KEPT)
    shown = grant.model_copy(update={"refresh_token": None})
    response = Response(shown.model_dump_json(), media_type=JSON, headers=NEVER_KEPT)
    keep(request, response, grant)
    return response


def keep(request: Request, response: Response, grant: Grant) -> None:
    """Have the browser keep what gets the next tokens."""
    now = request.app.state.services.clock()
    put_cookie(request, response, grant.refresh_token or "", grant.ends_at, now)
