"""`/v1/me/profile`, `/v1/me/consents`: what the signed-in person offers and needs, and who may know."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, refusals
from services.gateway.responses import expected_version
from services.gateway.routes.parts import (
    SIGN_IN,
    Ask,
    HubId,
    IfMatch,
    Somebody,
    StrictRoute,
    Tongue,
)
from services.gateway.routes.statements import Named, shown, statements
from shared.contracts.matching.profiles import (
    ChangeMyProfile,
    EraseMyProfile,
    GetMyProfile,
    GiveConsent,
    ProfileEdit,
    ProfileView,
    WithdrawConsent,
)
from shared.contracts.matching.words import Side

router = APIRouter(route_class=StrictRoute, prefix="/v1/me", tags=["profiles"], dependencies=SIGN_IN)


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


def _mine() -> None:
    return None


statements(
    router,
    "/profile",
    _mine,
    (
        Named(
            Side.OFFER,
            (
                "offer",
                "Offer a skill, or say it otherwise. `/v1/skills` finds the concept that a text means.",
            ),
            ("stop_offering", "Offer it no longer; twice changes nothing."),
        ),
        Named(
            Side.NEED,
            ("need", "Need a skill, or say it otherwise. `/v1/skills` finds the concept that a text means."),
            ("stop_needing", "Need it no longer; twice changes nothing."),
        ),
    ),
    refused=(403,),
)


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
