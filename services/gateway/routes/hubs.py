"""`/v1/hubs`: the public directory of hubs, and joining and leaving them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import answer, expected_version, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Anybody,
    Ask,
    Base,
    Cursor,
    HubId,
    IdempotencyKey,
    IfMatch,
    Limit,
    PersonId,
    Somebody,
    StrictRoute,
    Words,
)
from shared.contracts.directory.requests import (
    AddMember,
    ChangeRole,
    GetHub,
    GetMembership,
    HubView,
    LeaveHub,
    ListHubs,
    MembershipView,
    NewMember,
    NewRole,
)
from shared.contracts.directory.words import HubKind

router = APIRouter(route_class=StrictRoute, prefix="/v1/hubs", tags=["hubs"])

Sought = Annotated[Words, Query(description="Words in name, place or offer.", examples=["coffice"])]
Country = Annotated[str | None, Query(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")]


@router.get("", response_model=Listing[HubView], responses=NOT_MODIFIED | refusals())
async def list_hubs(
    request: Request,
    ask: Ask,
    base: Base,
    person: Anybody,
    q: Sought = None,
    municipality: Words = None,
    region: Words = None,
    country: Country = None,
    kind: HubKind | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Find hubs by place and text. Open to everybody."""
    wanted = ListHubs(
        q=q, municipality=municipality, region=region, country=country, kind=kind, limit=limit, cursor=cursor
    )
    return listing(request, await ask.ask(wanted, person=person), base)


@router.get("/{hub}", response_model=HubView, responses=NOT_MODIFIED | refusals())
async def get_hub(request: Request, ask: Ask, person: Anybody, hub: HubId) -> Response:
    """A hub's public profile. Open to everybody."""
    return answer(request, await ask.ask(GetHub(hub=hub), person=person))


@router.post(
    "/{hub}/members",
    status_code=201,
    response_model=MembershipView,
    responses=refusals(403, 409),
    dependencies=SIGN_IN,
)
async def add_member(
    request: Request, ask: Ask, person: Somebody, hub: HubId, body: NewMember, key: IdempotencyKey = None
) -> Response:
    """Join the hub, or, as its staff, let somebody in: a person of the directory or a guest."""
    wanted = AddMember(hub=hub, **{name: getattr(body, name) for name in body.model_fields_set})
    reply = await ask.ask_in(hub, wanted, person=person, key=key)
    member = MembershipView.model_validate_json(reply.body)
    ask.forget(hub, member.person)
    return answer(request, reply, location=f"/v1/hubs/{hub}/members/{member.person}")


@router.get(
    "/{hub}/members/{member}",
    response_model=MembershipView,
    responses=NOT_MODIFIED | refusals(),
    dependencies=SIGN_IN,
)
async def get_membership(
    request: Request, ask: Ask, person: Somebody, hub: HubId, member: PersonId
) -> Response:
    """What somebody is in the hub; for themselves and for the hub's staff."""
    return answer(request, await ask.ask_in(hub, GetMembership(hub=hub, person=member), person=person))


@router.patch(
    "/{hub}/members/{member}",
    response_model=MembershipView,
    responses=refusals(403, 409, 412, 428),
    dependencies=SIGN_IN,
)
async def change_role(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    member: PersonId,
    body: NewRole,
    if_match: IfMatch = None,
) -> Response:
    """Give a member another role; operators and admins do this."""
    wanted = ChangeRole(hub=hub, person=member, role=body.role, version=expected_version(if_match))
    reply = await ask.ask_in(hub, wanted, person=person)
    ask.forget(hub, member)
    return answer(request, reply)


@router.delete(
    "/{hub}/members/{member}", response_model=MembershipView, responses=refusals(403), dependencies=SIGN_IN
)
async def leave_hub(request: Request, ask: Ask, person: Somebody, hub: HubId, member: PersonId) -> Response:
    """Leave the hub, or end a membership as its operator; bookings ahead are given back."""
    reply = await ask.ask_in(hub, LeaveHub(hub=hub, person=member), person=person)
    ask.forget(hub, member)
    return answer(request, reply)
