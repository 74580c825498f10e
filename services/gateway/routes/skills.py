"""`/v1/skills`: which skills somebody's words mean, and one skill with its names and neighbours."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import BY_LANGUAGE, answer, listing
from services.gateway.routes.parts import SIGN_IN, Ask, Base, Somebody, StrictRoute, Tongue
from shared.contracts.matching.skills import FindSkills, GetSkill, SkillDetail, SkillView
from shared.contracts.matching.words import CONCEPT_PATTERN

router = APIRouter(route_class=StrictRoute, prefix="/v1/skills", tags=["skills"], dependencies=SIGN_IN)

Text = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="What somebody offers or needs, in their own words and in any language.",
        examples=["hjälp med bokföringen"],
    ),
]
SkillId = Annotated[
    str,
    Path(
        pattern=CONCEPT_PATTERN,
        description="The skill's id: a slug, or `esco:` and a UUID.",
        examples=["bookkeeping"],
    ),
]


class SkillListing(Listing[SkillView]):
    """What the words may mean, the most likely first; there is no next page."""

    did_you_mean: list[SkillView] = Field(description="Less likely ones: a question, not an answer.")
    by_meaning: bool = Field(
        description="False while skills are found by their letters only: the encoder is not installed, or not ready yet."
    )


@router.get("", response_model=SkillListing, responses=NOT_MODIFIED | refusals())
async def find_skills(
    request: Request,
    ask: Ask,
    base: Base,
    person: Somebody,
    language: Tongue,
    text: Text,
    limit: Annotated[int, Query(ge=1, le=20, description="How many.")] = 5,
) -> Response:
    """The skills that some words mean, in whatever language they are; words that mean none give none."""
    wanted = FindSkills(text=text, language=language, limit=limit)
    return listing(request, await ask.ask(wanted, person=person), base, vary=BY_LANGUAGE)


@router.get("/{concept}", response_model=SkillDetail, responses=NOT_MODIFIED | refusals())
async def get_skill(
    request: Request, ask: Ask, person: Somebody, language: Tongue, concept: SkillId
) -> Response:
    """One skill: what it is called in each language, what is broader, narrower and related (SKOS)."""
    wanted = GetSkill(concept=concept, language=language)
    return answer(request, await ask.ask(wanted, person=person), vary=BY_LANGUAGE)
