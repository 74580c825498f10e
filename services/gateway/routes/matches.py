"""`/v1/me/matches`: who might be of use to the signed-in person, and why; and not this one."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import BY_LANGUAGE, answer, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Ask,
    Base,
    IdempotencyKey,
    Somebody,
    StrictRoute,
    Tongue,
)
from shared.contracts.base import SLUG_PATTERN
from shared.contracts.matching.matches import (
    MOST_MATCHES,
    Input,
    ListMyMatches,
    MatchView,
    StopMatch,
    StoppedView,
)

router = APIRouter(route_class=StrictRoute, prefix="/v1/me/matches", tags=["matches"], dependencies=SIGN_IN)

MatchId = Annotated[UUID, Path(description="The match's id, as the list says it.")]
OneHub = Annotated[str | None, Query(pattern=SLUG_PATTERN, description="Only people found at this hub.")]
Matches = Annotated[int, Query(ge=1, le=MOST_MATCHES, description="How many.")]


class MatchListing(Listing[MatchView]):
    """The best matches, best first; there is no next page."""

    why: list[Input] = Field(description="All that these matches rest on.")
    paused: bool = Field(description="True: I want no suggestions, so there are none.")


@router.get("", response_model=MatchListing, responses=NOT_MODIFIED | refusals(503))
async def list_my_matches(
    request: Request,
    ask: Ask,
    base: Base,
    person: Somebody,
    language: Tongue,
    hub: OneHub = None,
    limit: Matches = 10,
) -> Response:
    """Who could help me, or I them, with reasons in my language and without names; `why` says all that is used.

    Who is on the list counts as suggested to me, once a day, and comes later on the days that follow; what a browser
    fetches ahead (`Sec-Purpose: prefetch`, or HEAD) counts when it is looked at.
    """
    unseen = getattr(request.state, "head", False)
    ahead = unseen or "prefetch" in request.headers.get("sec-purpose", "")
    wanted = ListMyMatches(hub=hub, language=language, limit=limit, ahead=ahead)
    return listing(request, await ask.ask(wanted, person=person), base, vary=BY_LANGUAGE)


@router.post("/{match}/stop", response_model=StoppedView, responses=refusals())
async def stop_match(
    request: Request, ask: Ask, person: Somebody, match: MatchId, key: IdempotencyKey = None
) -> Response:
    """Not this one: neither of us is shown the other any more. Twice changes nothing."""
    return answer(request, await ask.ask(StopMatch(match=match), person=person, key=key))
