"""`/v1/me/introductions`: asking to meet somebody, answering, having met; and a host's suggestions at `/v1/hubs/{hub}`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from services.gateway.client import Errand
from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import BY_LANGUAGE, answer, id_in, listing
from services.gateway.routes.names import named
from services.gateway.routes.parts import (
    SIGN_IN,
    Ask,
    Base,
    Cursor,
    Few,
    IdempotencyKey,
    Ordering,
    Somebody,
    StrictRoute,
    Tongue,
    said,
)
from shared.contracts.base import Request as ServiceRequest
from shared.contracts.matching.introductions import (
    AskIntroduction,
    GetMyIntroduction,
    HostSuggestion,
    IntroductionReply,
    IntroductionView,
    ListMyIntroductions,
    MeetingOutcome,
    NewIntroduction,
    ReplyToIntroduction,
    SayMet,
    SayOutcome,
    Standing,
    SuggestedView,
    SuggestIntroduction,
)
from shared.kit.requester import Reply

PATH = "/v1/me/introductions"
router = APIRouter(route_class=StrictRoute, tags=["introductions"], dependencies=SIGN_IN)

IntroductionId = Annotated[UUID, Path(description="The introduction's id.")]
_ACT: dict[str, Any] = {"response_model": IntroductionView, "responses": refusals(409)}


@router.get(PATH, response_model=Listing[IntroductionView], responses=NOT_MODIFIED | refusals())
async def list_my_introductions(
    request: Request,
    ask: Ask,
    base: Base,
    person: Somebody,
    language: Tongue,
    status: Annotated[list[Standing] | None, Query(max_length=5)] = None,
    limit: Few = 50,
    cursor: Cursor = None,
) -> Response:
    """My introductions, newest first: those that wait for an answer, those agreed with the other's name, and those over."""
    wanted = ListMyIntroductions(status=tuple(status or ()), language=language, limit=limit, cursor=cursor)
    reply = await named(ask, person, None, await ask.ask(wanted, person=person), "introductions")
    return listing(request, reply, base, vary=BY_LANGUAGE)


@router.post(PATH, status_code=201, **_ACT)
async def ask_introduction(
    request: Request,
    ask: Ask,
    person: Somebody,
    language: Tongue,
    body: NewIntroduction,
    key: IdempotencyKey = None,
) -> Response:
    """Ask to meet one of my matches, or a member of the search, which is my yes; they are asked without my name.

    Whoever asks for each other has agreed. Asked twice it is the same introduction.
    """
    reply = await ask.ask(AskIntroduction(match=body.match), person=person, key=key)
    made = id_in(reply)
    shown = replace(await _now(ask, person, UUID(made), language), status=reply.status)
    return answer(request, shown, location=f"{PATH}/{made}", counted=True, vary=BY_LANGUAGE)


@router.get(f"{PATH}/{{introduction}}", response_model=IntroductionView, responses=NOT_MODIFIED | refusals())
async def get_my_introduction(
    request: Request, ask: Ask, person: Somebody, language: Tongue, introduction: IntroductionId
) -> Response:
    """One introduction of mine. The other's name stands in it from both yeses on."""
    reply = await _now(ask, person, introduction, language)
    return answer(request, reply, counted=True, vary=BY_LANGUAGE)


@router.post(f"{PATH}/{{introduction}}/reply", **_ACT)
async def reply_to_introduction(
    request: Request,
    ask: Ask,
    person: Somebody,
    language: Tongue,
    introduction: IntroductionId,
    body: IntroductionReply,
    key: IdempotencyKey = None,
) -> Response:
    """Say yes or no. After a no the other hears that it did not come about, and nobody hears who said it."""
    wanted = ReplyToIntroduction(introduction=introduction, **said(body))
    return await _done(request, ask, person, wanted, introduction, language, key)


@router.post(f"{PATH}/{{introduction}}/met", **_ACT)
async def say_met(
    request: Request,
    ask: Ask,
    person: Somebody,
    language: Tongue,
    introduction: IntroductionId,
    key: IdempotencyKey = None,
) -> Response:
    """We have met. Either of us may say so; twice changes nothing."""
    wanted = SayMet(introduction=introduction)
    return await _done(request, ask, person, wanted, introduction, language, key)


@router.post(f"{PATH}/{{introduction}}/outcome", **_ACT)
async def say_outcome(
    request: Request,
    ask: Ask,
    person: Somebody,
    language: Tongue,
    introduction: IntroductionId,
    body: MeetingOutcome,
    key: IdempotencyKey = None,
) -> Response:
    """Say what came of it for me: nothing, help, a collaboration, a company. The other is not told."""
    wanted = SayOutcome(introduction=introduction, **said(body))
    return await _done(request, ask, person, wanted, introduction, language, key)


@router.post(
    "/v1/hubs/{hub}/introductions",
    status_code=202,
    response_model=SuggestedView,
    responses=refusals(403, 409),
)
async def suggest_introduction(visit: Ordering, body: HostSuggestion) -> Response:
    """Suggest that two people of the hub meet; both are asked, and what they answer is theirs. For the hub's staff."""
    reply = await visit.asked(SuggestIntroduction(hub=visit.hub, **said(body)))
    return answer(visit.request, replace(reply, status=202))


async def _done(
    request: Request,
    ask: Errand,
    person: UUID,
    wanted: ServiceRequest[IntroductionView],
    introduction: UUID,
    language: str | None,
    key: str | None,
) -> Response:
    # What an order is answered with is kept under its key, and tells nothing of the other: how it stands is read afresh.
    await ask.ask(wanted, person=person, key=key)
    reply = await _now(ask, person, introduction, language)
    return answer(request, reply, counted=True, vary=BY_LANGUAGE)


async def _now(ask: Errand, person: UUID, introduction: UUID, language: str | None) -> Reply:
    wanted = GetMyIntroduction(introduction=introduction, language=language)
    return await named(ask, person, None, await ask.ask(wanted, person=person), "introductions")
