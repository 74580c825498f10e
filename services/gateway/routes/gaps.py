"""`/v1/hubs/{hub}/skills-missing` and `/targets`: what a town lacks, as open data, and what its hubs want."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import BY_LANGUAGE, CSV, answer, listing, table
from services.gateway.routes.parts import (
    SIGN_IN,
    Acting,
    Base,
    ConceptId,
    Cursor,
    Few,
    Limit,
    Looking,
    StrictRoute,
    Tongue,
    said,
    wants,
)
from shared.contracts.matching.gaps import (
    Area,
    DropTarget,
    GetSkillsMissing,
    GetTarget,
    ListTargets,
    Month,
    SetTarget,
    SkillGap,
    TargetBody,
    TargetView,
)

router = APIRouter(route_class=StrictRoute, prefix="/v1/hubs/{hub}", tags=["skills-missing"])

TARGET = "/targets/{concept}"
COLUMNS = ("month", "area", "place", "concept", "label", "demand", "supply", "wanted", "missing")
BY_LANGUAGE_AND_FORM = f"{BY_LANGUAGE}, Accept"
_OPEN: dict[int | str, dict[str, Any]] = {
    200: {"content": {CSV: {"schema": {"type": "string"}, "example": ",".join(COLUMNS)}}}
}
_OPERATORS: dict[str, Any] = {"response_model": TargetView, "dependencies": SIGN_IN}


class GapListing(Listing[SkillGap]):
    """What an area lacks, what it lacks most first."""

    hub: str
    area: Area
    place: str
    month: Month | None


@router.get("/skills-missing", response_model=GapListing, responses=_OPEN | NOT_MODIFIED | refusals())
async def get_skills_missing(
    visit: Looking,
    base: Base,
    language: Tongue,
    area: Annotated[Area, Query(description="How far around the hub.")] = Area.HUB,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Skills needed and wanted against those offered, by month, as JSON or with `Accept: text/csv` as CSV. Open to everybody.

    Figures are counted once a day, in steps of five downwards, and none tells of fewer than five people, alone or by
    subtraction from others: `<5` stands for fewer and for what would.
    """
    wanted = GetSkillsMissing(hub=visit.hub, area=area, language=language, limit=limit, cursor=cursor)
    reply = await visit.asked(wanted)
    if wants(visit.request, CSV):
        return table(visit.request, reply, base, COLUMNS, _lines, vary=BY_LANGUAGE_AND_FORM)
    return listing(visit.request, reply, base, vary=BY_LANGUAGE_AND_FORM)


def _lines(page: dict[str, Any]) -> list[list[Any]]:
    """A line for each skill and month; what is wanted and missing is of the last."""
    lines: list[list[Any]] = []
    for one in page["items"]:
        about = [page["area"], page["place"], one["concept"], one["label"]]
        before = (
            [month["month"], *about, month["demand"], month["supply"], "", ""] for month in one["trend"]
        )
        lines.extend(before)
        lines.append(
            [page["month"] or "", *about, one["demand"], one["supply"], one["wanted"], one["missing"]]
        )
    return lines


@router.get(
    "/targets",
    response_model=Listing[TargetView],
    responses=NOT_MODIFIED | refusals(403),
    dependencies=SIGN_IN,
)
async def list_targets(
    visit: Acting, base: Base, language: Tongue, limit: Few = 50, cursor: Cursor = None
) -> Response:
    """What the hub wants for the town, by skill. For operators and admins."""
    wanted = ListTargets(hub=visit.hub, language=language, limit=limit, cursor=cursor)
    return listing(visit.request, await visit.asked(wanted), base, vary=BY_LANGUAGE)


@router.get(TARGET, responses=NOT_MODIFIED | refusals(403), **_OPERATORS)
async def get_target(visit: Acting, language: Tongue, concept: ConceptId) -> Response:
    """How many with this skill the hub wants. For operators and admins."""
    wanted = GetTarget(hub=visit.hub, concept=concept, language=language)
    return answer(visit.request, await visit.asked(wanted), vary=BY_LANGUAGE)


@router.put(TARGET, responses=refusals(403), **_OPERATORS)
async def set_target(visit: Acting, language: Tongue, concept: ConceptId, body: TargetBody) -> Response:
    """Want so many people with this skill in town. For operators and admins."""
    wanted = SetTarget(hub=visit.hub, concept=concept, language=language, **said(body))
    return answer(visit.request, await visit.asked(wanted), vary=BY_LANGUAGE)


@router.delete(TARGET, responses=refusals(403), **_OPERATORS)
async def drop_target(visit: Acting, language: Tongue, concept: ConceptId) -> Response:
    """Take it off the list; twice changes nothing. For operators and admins."""
    wanted = DropTarget(hub=visit.hub, concept=concept, language=language)
    return answer(visit.request, await visit.asked(wanted), vary=BY_LANGUAGE)
