"""`GET /v1/hubs/{hub}/members`: the hub's members by what they say of themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import BY_LANGUAGE, listing
from services.gateway.routes.names import named
from services.gateway.routes.parts import SIGN_IN, Acting, Base, Cursor, Few, StrictRoute, Tongue, Words
from shared.contracts.matching.members import MemberView, SearchMembers

router = APIRouter(route_class=StrictRoute, prefix="/v1/hubs/{hub}", tags=["members"], dependencies=SIGN_IN)

Sought = Annotated[
    Words,
    Query(description="Words of what they say, offer or need; all must be found.", examples=["fotograf"]),
]
Spoken = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z]{2,3}(?:-[A-Z]{2})?$",
        description="Of the words; else all languages are tried.",
        examples=["sv"],
    ),
]


@router.get("/members", response_model=Listing[MemberView], responses=NOT_MODIFIED | refusals(403))
async def search_members(
    visit: Acting,
    base: Base,
    accepted: Tongue,
    text: Sought = None,
    language: Spoken = None,
    limit: Few = 50,
    cursor: Cursor = None,
) -> Response:
    """Members who let the hub's people see their profile, best fit first; for members of the hub.

    Names stand there of those I have been introduced to, and of organisations. `fotograf` finds `bröllopsfotografering`,
    and the skill whatever it is called in another language.
    """
    wanted = SearchMembers(
        hub=visit.hub, text=text, language=language, shown_in=accepted, limit=limit, cursor=cursor
    )
    person = visit.person
    assert person is not None  # noqa: S101  # nobody gets here without having signed in
    reply = await named(visit.ask, person, visit.hub, await visit.asked(wanted), "members")
    return listing(visit.request, reply, base, vary=BY_LANGUAGE)
