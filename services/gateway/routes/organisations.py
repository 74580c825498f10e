"""`/v1/me/organisations`: profiles of the organisations the signed-in person keeps."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import BY_LANGUAGE, answer, expected_version, id_in, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Ask,
    Base,
    HubId,
    IdempotencyKey,
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
    ListMyOrganisations,
    MakeOrganisation,
    NewOrganisation,
    ProfileEdit,
    ProfileView,
    WithdrawConsent,
)
from shared.contracts.matching.words import Side

router = APIRouter(
    route_class=StrictRoute, prefix="/v1/me/organisations", tags=["profiles"], dependencies=SIGN_IN
)

OrganisationId = Annotated[UUID, Path(description="The organisation's id.")]


@router.get("", response_model=Listing[ProfileView], responses=NOT_MODIFIED | refusals())
async def list_my_organisations(
    request: Request, ask: Ask, base: Base, person: Somebody, language: Tongue
) -> Response:
    """The organisations whose profile I keep, by name; at most twenty."""
    wanted = ListMyOrganisations(language=language)
    return listing(request, await ask.ask(wanted, person=person), base, vary=BY_LANGUAGE)


@router.post("", status_code=201, response_model=ProfileView, responses=refusals(409))
async def make_organisation(
    request: Request,
    ask: Ask,
    person: Somebody,
    language: Tongue,
    body: NewOrganisation,
    key: IdempotencyKey = None,
) -> Response:
    """Make the profile of an organisation at a hub I belong to, and keep it. Nobody sees it before consents are given."""
    wanted = MakeOrganisation(hub=body.hub, name=body.name, language=language)
    reply = await ask.ask(wanted, person=person, key=key)
    return answer(request, reply, location=f"/v1/me/organisations/{id_in(reply)}", vary=BY_LANGUAGE)


@router.get("/{organisation}", response_model=ProfileView, responses=NOT_MODIFIED | refusals())
async def get_my_organisation(
    request: Request, ask: Ask, person: Somebody, language: Tongue, organisation: OrganisationId
) -> Response:
    """One of them; it works like one's own profile."""
    wanted = GetMyProfile(organisation=organisation, language=language)
    return shown(request, await ask.ask(wanted, person=person))


@router.patch("/{organisation}", response_model=ProfileView, responses=refusals(412, 428))
async def change_my_organisation(
    request: Request,
    ask: Ask,
    person: Somebody,
    language: Tongue,
    organisation: OrganisationId,
    body: ProfileEdit,
    if_match: IfMatch = None,
) -> Response:
    """Say something in general about it, who may see it, or `paused` for no suggestions."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    version = expected_version(if_match)
    wanted = ChangeMyProfile(organisation=organisation, language=language, version=version, **changes)
    return shown(request, await ask.ask(wanted, person=person))


@router.delete("/{organisation}", response_model=ProfileView, responses=refusals())
async def erase_my_organisation(
    request: Request, ask: Ask, person: Somebody, language: Tongue, organisation: OrganisationId
) -> Response:
    """Erase its profile; then I keep it no longer."""
    wanted = EraseMyProfile(organisation=organisation, language=language)
    return shown(request, await ask.ask(wanted, person=person))


def _kept(organisation: OrganisationId) -> UUID:
    return organisation


statements(
    router,
    "/{organisation}",
    _kept,
    (
        Named(
            Side.OFFER,
            ("organisation_offers", "It offers a skill, or says it otherwise."),
            ("organisation_stops_offering", "It offers it no longer; twice changes nothing."),
        ),
        Named(
            Side.NEED,
            ("organisation_needs", "It needs a skill, or says it otherwise."),
            ("organisation_stops_needing", "It needs it no longer; twice changes nothing."),
        ),
    ),
)


@router.put("/{organisation}/consents/{hub}", response_model=ProfileView, responses=refusals())
async def organisation_gives_consent(
    request: Request,
    ask: Ask,
    person: Somebody,
    language: Tongue,
    organisation: OrganisationId,
    hub: HubId,
) -> Response:
    """Let the people of a hub I belong to find it, as far as its visibility allows."""
    wanted = GiveConsent(organisation=organisation, hub=hub, language=language)
    return shown(request, await ask.ask(wanted, person=person))


@router.delete("/{organisation}/consents/{hub}", response_model=ProfileView, responses=refusals())
async def organisation_withdraws_consent(
    request: Request,
    ask: Ask,
    person: Somebody,
    language: Tongue,
    organisation: OrganisationId,
    hub: HubId,
) -> Response:
    """Take it back: from this moment nobody finds it there. Twice changes nothing."""
    wanted = WithdrawConsent(organisation=organisation, hub=hub, language=language)
    return shown(request, await ask.ask(wanted, person=person))
