"""The request matching answers about what came of introductions: open figures of which none tells of fewer than five people."""

from __future__ import annotations

from shared.contracts.base import Page, Request, Slug, View, described
from shared.contracts.matching.gaps import Area, Month, Shown
from shared.contracts.matching.words import Outcome


class MonthOutcome(View):
    """What had come of introductions by a month."""

    month: Month
    people: Shown


class OutcomeFigure(View):
    """How many people said in the year up to the month that this came of meeting somebody."""

    outcome: Outcome
    people: Shown
    trend: tuple[MonthOutcome, ...] = described("The months before, the oldest first.", default=())


class OutcomeFigures(Page):
    """What came of introductions in an area, from the least to the most; there is no next page."""

    hub: Slug
    area: Area
    place: str = described("What the area is called.")
    month: Month | None = described(
        "The month of the figures; null before anything has been counted.", default=None
    )
    items: tuple[OutcomeFigure, ...]


class GetOutcomes(Request[OutcomeFigures]):
    """What came of introductions in a hub, its municipality or its region. Open to everybody."""

    service = "matching"
    operation = "get-outcomes"
    reply = OutcomeFigures

    hub: Slug
    area: Area = Area.HUB
