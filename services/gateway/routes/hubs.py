"""`/v1/hubs`: the public directory of hubs, and joining and leaving them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import answer, expected_version, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Acting,
    Anybody,
    Ask,
    Base,
    Cursor,
    HubId,
    IfMatch,
    Limit,
    Ordering,
    PersonId,
    StrictRoute,
    Words,
    said,
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

_ACT: dict[str, Any] = {
    "response_model": MembershipView,
    "responses": refusals(403, 409),
    "dependencies": SIGN_IN,
}
"""What every request about a membership has in common."""


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


@router.post("/{hub}/members", status_code=201, **_ACT)
async def add_member(visit: Ordering, body: NewMember) -> Response:
    """Join the hub, or, as its staff, let somebody in: a person of the directory or a guest."""
    reply = await visit.asked(AddMember(hub=visit.hub, **said(body)))
    member = MembershipView.model_validate_json(reply.body)
    visit.ask.forget(visit.hub, member.person)
    return answer(visit.request, reply, location=f"/v1/hubs/{visit.hub}/members/{member.person}")


@router.get("/{hub}/members/{member}", **_ACT | {"responses": NOT_MODIFIED | refusals()})
async def get_membership(visit: Acting, member: PersonId) -> Response:
    """What somebody is in the hub; for themselves and for the hub's staff."""
    return answer(visit.request, await visit.asked(GetMembership(hub=visit.hub, person=member)))


@router.patch("/{hub}/members/{member}", **_ACT | {"responses": refusals(403, 409, 412, 428)})
async def change_role(visit: Acting, member: PersonId, body: NewRole, if_match: IfMatch = None) -> Response:
    """Give a member another role; operators and admins do this."""
    version = expected_version(if_match)
    reply = await visit.asked(ChangeRole(hub=visit.hub, person=member, version=version, **said(body)))
    visit.ask.forget(visit.hub, member)
    return answer(visit.request, reply)


@router.delete("/{hub}/members/{member}", **_ACT | {"responses": refusals(403)})
async def leave_hub(visit: Acting, member: PersonId) -> Response:
    """Leave the hub, or end a membership as its operator; bookings ahead are given back."""
    reply = await visit.asked(LeaveHub(hub=visit.hub, person=member))
    visit.ask.forget(visit.hub, member)
    return answer(visit.request, reply)
