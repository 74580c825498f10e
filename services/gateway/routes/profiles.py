"""`/v1/me/profile`, `/v1/me/consents`: what the signed-in person offers and needs, and who may know."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, refusals
from services.gateway.responses import BY_LANGUAGE, answer, expected_version
from services.gateway.routes.parts import (
    SIGN_IN,
    Ask,
    ConceptId,
    HubId,
    IfMatch,
    Somebody,
    StrictRoute,
    Tongue,
)
from shared.contracts.matching.profiles import (
    ChangeMyProfile,
    EraseMyProfile,
    GetMyProfile,
    GiveConsent,
    NewStatement,
    ProfileEdit,
    ProfileView,
    State,
    TakeBack,
    WithdrawConsent,
)
from shared.contracts.matching.words import Side
from shared.kit.requester import Reply

router = APIRouter(route_class=StrictRoute, prefix="/v1/me", tags=["profiles"], dependencies=SIGN_IN)


def shown(request: Request, reply: Reply) -> Response:
    """A profile with its version; whether a consent counts, and in which language skills are named, may change without."""
    return answer(request, reply, counted=True, vary=BY_LANGUAGE)


@router.get("/profile", response_model=ProfileView, responses=NOT_MODIFIED | refusals())
async def get_my_profile(request: Request, ask: Ask, person: Somebody, language: Tongue) -> Response:
    """Everything I have said, to whom it is open, and what there is to change; empty before I have said anything."""
    return shown(request, await ask.ask(GetMyProfile(language=language), person=person))


@router.patch("/profile", response_model=ProfileView, responses=refusals(403, 412, 428))
async def change_my_profile(
    request: Request,
    ask: Ask,
    person: Somebody,
    language: Tongue,
    body: ProfileEdit,
    if_match: IfMatch = None,
) -> Response:
    """Say something in general, who may see it, or `paused` for no suggestions; what is not named stays."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    wanted = ChangeMyProfile(language=language, version=expected_version(if_match), **changes)
    return shown(request, await ask.ask(wanted, person=person))


@router.delete("/profile", response_model=ProfileView, responses=refusals())
async def erase_my_profile(request: Request, ask: Ask, person: Somebody, language: Tongue) -> Response:
    """Erase it: what I said, my consents, and who was suggested to whom. What is left is an empty profile."""
    return shown(request, await ask.ask(EraseMyProfile(language=language), person=person))


@router.put("/profile/offers/{concept}", response_model=ProfileView, responses=refusals(403, 409))
async def offer(
    request: Request,
    ask: Ask,
    person: Somebody,
    language: Tongue,
    concept: ConceptId,
    body: NewStatement | None = None,
) -> Response:
    """Offer a skill, or say it otherwise. `/v1/skills` finds the concept that a text means."""
    said = (body or NewStatement()).model_dump()
    wanted = State(side=Side.OFFER, concept=concept, language=language, **said)
    return shown(request, await ask.ask(wanted, person=person))


@router.delete("/profile/offers/{concept}", response_model=ProfileView, responses=refusals(403))
async def stop_offering(
    request: Request, ask: Ask, person: Somebody, language: Tongue, concept: ConceptId
) -> Response:
    """Offer it no longer; twice changes nothing."""
    wanted = TakeBack(side=Side.OFFER, concept=concept, language=language)
    return shown(request, await ask.ask(wanted, person=person))


@router.put("/profile/needs/{concept}", response_model=ProfileView, responses=refusals(403, 409))
async def need(
    request: Request,
    ask: Ask,
    person: Somebody,
    language: Tongue,
    concept: ConceptId,
    body: NewStatement | None = None,
) -> Response:
    """Need a skill, or say it otherwise. `/v1/skills` finds the concept that a text means."""
    said = (body or NewStatement()).model_dump()
    wanted = State(side=Side.NEED, concept=concept, language=language, **said)
    return shown(request, await ask.ask(wanted, person=person))


@router.delete("/profile/needs/{concept}", response_model=ProfileView, responses=refusals(403))
async def stop_needing(
    request: Request, ask: Ask, person: Somebody, language: Tongue, concept: ConceptId
) -> Response:
    """Need it no longer; twice changes nothing."""
    wanted = TakeBack(side=Side.NEED, concept=concept, language=language)
    return shown(request, await ask.ask(wanted, person=person))


@router.put("/consents/{hub}", response_model=ProfileView, responses=refusals(403))
async def give_consent(
    request: Request, ask: Ask, person: Somebody, language: Tongue, hub: HubId
) -> Response:
    """Let the people of a hub I belong to find my profile, as far as its visibility allows."""
    return shown(request, await ask.ask(GiveConsent(hub=hub, language=language), person=person))


@router.delete("/consents/{hub}", response_model=ProfileView, responses=refusals(403))
async def withdraw_consent(
    request: Request, ask: Ask, person: Somebody, language: Tongue, hub: HubId
) -> Response:
    """Take it back: from this moment nobody finds me there. Twice changes nothing."""
    return shown(request, await ask.ask(WithdrawConsent(hub=hub, language=language), person=person))
