"""Requests in about the signed-in person's profile, consents and organisations."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands import consents, erasing, profiles
from services.matching.queries.profiles import empty_profile, get_profile, list_organisations
from shared.contracts.base import Request
from shared.contracts.matching.profiles import (
    ChangeMyProfile,
    EraseMyProfile,
    GetMyProfile,
    GiveConsent,
    ListMyOrganisations,
    MakeOrganisation,
    OrganisationPage,
    ProfileView,
    State,
    TakeBack,
    WithdrawConsent,
)
from shared.contracts.matching.words import OwnerKind
from shared.kit.ids import Ids
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


async def _get(session: AsyncSession, request: GetMyProfile, call: Call) -> ProfileView:
    by = required(call.principal).person
    return await get_profile(session, by, request.organisation, request.language)


async def _list(session: AsyncSession, request: ListMyOrganisations, call: Call) -> OrganisationPage:
    return await list_organisations(session, required(call.principal).person, request.language)


def _changing(act: Any, ids: Ids) -> Handler:
    """Carry the order out, and answer with the profile as it is then."""

    async def carry_out(session: AsyncSession, request: Any, call: Call) -> ProfileView:
        by = required(call.principal).person
        await act(session, request, by, now=call.now, ids=ids)
        return await get_profile(session, by, request.organisation, request.language)

    return carry_out


def handlers(ids: Ids) -> dict[type[Request[Any]], Handler]:
    """Everything about one's own profiles."""

    async def erase(session: AsyncSession, request: EraseMyProfile, call: Call) -> ProfileView:
        by = required(call.principal).person
        await erasing.erase_own(session, by, request.organisation, now=call.now, ids=ids)
        kind = OwnerKind.PERSON if request.organisation is None else OwnerKind.ORGANISATION
        return empty_profile(request.organisation or by, kind)

    async def make(session: AsyncSession, request: MakeOrganisation, call: Call) -> ProfileView:
        by = required(call.principal).person
        made = await profiles.make_organisation(session, request, by, now=call.now, ids=ids)
        return await get_profile(session, by, made, request.language)

    return {
        GetMyProfile: _get,
        ListMyOrganisations: _list,
        ChangeMyProfile: _changing(profiles.change_profile, ids),
        State: _changing(profiles.state, ids),
        TakeBack: _changing(profiles.take_back, ids),
        GiveConsent: _changing(consents.give_consent, ids),
        WithdrawConsent: _changing(consents.withdraw_consent, ids),
        EraseMyProfile: erase,
        MakeOrganisation: make,
    }
