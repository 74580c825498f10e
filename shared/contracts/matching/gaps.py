"""Requests matching answers about the skills a town lacks: open figures of which none tells of fewer than five people."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import Body, Language, Page, Plain, Request, Slug, View, described
from shared.contracts.matching.words import ConceptId

FEW: Literal["<5"] = "<5"
Shown = Annotated[int, Field(ge=5, multiple_of=5)] | Literal["<5"]
"""People, in steps of five downwards; `<5` for fewer, and for what would tell of fewer if it were told."""
Month = Annotated[Plain, Field(pattern=r"^[0-9]{4}-[0-9]{2}$")]


class Area(StrEnum):
    """How far around the hub."""

    HUB = "hub"
    MUNICIPALITY = "municipality"
    REGION = "region"


class MonthGap(View):
    """What was needed and offered in a month."""

    month: Month
    demand: Shown
    supply: Shown


class SkillGap(View):
    """How many people need a skill, how many offer it; narrower skills count for the broader ones."""

    concept: ConceptId
    label: str
    broader: tuple[ConceptId, ...] = ()
    demand: Shown
    supply: Shown
    wanted: int = described(
        "How many the hubs of the area want for the town, by their operators' lists.", ge=0
    )
    missing: int = described("Demand and wanted less supply, by what is shown; `<5` counts nothing.", ge=0)
    trend: tuple[MonthGap, ...] = described("The months before, the oldest first.", default=())


class SkillsMissing(Page):
    """What an area lacks, what it lacks most first."""

    hub: Slug
    area: Area
    place: str = described("What the area is called.")
    month: Month | None = described(
        "The month of the figures; null before anything has been counted.", default=None
    )
    items: tuple[SkillGap, ...]


class GetSkillsMissing(Request[SkillsMissing]):
    """Demand against supply in a hub, its municipality or its region. Open to everybody."""

    service = "matching"
    operation = "get-skills-missing"
    reply = SkillsMissing

    hub: Slug
    area: Area = Area.HUB
    language: Language | None = None
    limit: int = Field(default=100, ge=1, le=200)
    cursor: Plain | None = Field(default=None, max_length=200)


class FiguresView(View):
    """From how many areas it is made up what is counted."""

    areas: int


class CountFigures(Request[FiguresView]):
    """Count all figures now, not only when a day is over: for the platform's operator, once people have been brought in."""

    service = "matching"
    operation = "count-figures"
    reply = FiguresView
    admin = True
    changes = True


class TargetBody(Body):
    """How many people with a skill a hub wants for the town."""

    wanted: int = Field(ge=1, le=1000)


class TargetView(View):
    """A line of a hub's list of what the town should have."""

    hub: Slug
    concept: ConceptId
    label: str
    wanted: int


class TargetPage(Page):
    """A hub's list, by concept."""

    items: tuple[TargetView, ...]


class ListTargets(Request[TargetPage]):
    """What the hub wants for the town; for its operators."""

    service = "matching"
    operation = "list-targets"
    reply = TargetPage

    hub: Slug
    language: Language | None = None
    limit: int = Field(default=50, ge=1, le=100)
    cursor: Plain | None = Field(default=None, max_length=200)


class _OneTarget(Request[TargetView]):
    service = "matching"
    reply = TargetView

    hub: Slug
    concept: ConceptId
    language: Language | None = None


class GetTarget(_OneTarget):
    """One line of the list; for the hub's operators."""

    operation = "get-target"


class SetTarget(TargetBody, _OneTarget):
    """Put a skill on the list, or want another number; for the hub's operators."""

    operation = "set-target"
    changes = True


class DropTarget(_OneTarget):
    """Take a skill off the list; twice changes nothing."""

    operation = "drop-target"
    changes = True
