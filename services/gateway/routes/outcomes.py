"""`GET /v1/hubs/{hub}/outcomes`: what came of introductions, as open data."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import BY_FORM, CSV, listing, table
from services.gateway.routes.parts import Base, Looking, StrictRoute, wants
from shared.contracts.matching.gaps import Area, Month
from shared.contracts.matching.outcomes import GetOutcomes, OutcomeFigure

router = APIRouter(route_class=StrictRoute, prefix="/v1/hubs/{hub}", tags=["introductions"])

COLUMNS = ("month", "area", "place", "outcome", "people")
_OPEN: dict[int | str, dict[str, Any]] = {
    200: {"content": {CSV: {"schema": {"type": "string"}, "example": ",".join(COLUMNS)}}}
}


class OutcomeListing(Listing[OutcomeFigure]):
    """What came of introductions in an area, from the least to the most."""

    hub: str
    area: Area
    place: str
    month: Month | None


@router.get("/outcomes", response_model=OutcomeListing, responses=_OPEN | NOT_MODIFIED | refusals())
async def get_outcomes(
    visit: Looking,
    base: Base,
    area: Annotated[Area, Query(description="How far around the hub.")] = Area.HUB,
) -> Response:
    """How many said in the last year what meeting somebody brought them, as JSON or with `Accept: text/csv` as CSV.

    Open to everybody. Counted and protected like the skills that are missing: in steps of five downwards, `<5` for fewer and
    for what would tell of fewer; of those alone who are open to the hub's people.
    """
    reply = await visit.asked(GetOutcomes(hub=visit.hub, area=area))
    if wants(visit.request, CSV):
        return table(visit.request, reply, base, COLUMNS, _lines, vary=BY_FORM)
    return listing(visit.request, reply, base, vary=BY_FORM)


def _lines(page: dict[str, Any]) -> list[list[Any]]:
    """A line for each outcome and month, the oldest first."""
    return [
        [one["month"], page["area"], page["place"], figure["outcome"], one["people"]]
        for figure in page["items"]
        for one in (*figure["trend"], {"month": page["month"], "people": figure["people"]})
    ]
