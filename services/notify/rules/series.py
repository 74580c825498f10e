"""Dates of one series with the same news, told in one line of a digest: a year of Mondays is not 52 of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from services.notify.rules.differences import Item
from services.notify.rules.states import field_of


class Dates(NamedTuple):
    """An item, and how many dates it stands for: it is the next of them."""

    item: Item
    number: int


def together(items: Sequence[Item]) -> list[Dates]:
    """The items in their order, those of one series with the same news as one, where the first of them stands."""
    lines: dict[object, list[Item]] = {}
    for item in items:
        lines.setdefault(_same(item) or item.about + str(item.thing), []).append(item)
    return [Dates(min(ones, key=_start), len(ones)) for ones in lines.values()]


def _start(item: Item) -> float:
    start = field_of(item.now, "start")
    return 0.0 if start is None else float(start.timestamp())


def _same(item: Item) -> tuple[object, ...] | None:
    """What dates of a series have in common that are told alike; None for what is of no series, or has its own links."""
    now, before = item.now, item.before
    series = field_of(now, "series")
    if series is None or field_of(now, "until") is not None or field_of(now, "guest"):
        return None
    return (
        series,
        item.about,
        item.news,
        item.kind,
        str(field_of(now, "titles")),
        field_of(now, "space"),
        field_of(now, "way"),
        field_of(now, "status"),
        field_of(before, "space"),
        before is not None and _moved(item),
    )


def _moved(item: Item) -> float:
    """By how much it begins later than the person knew."""
    was = field_of(item.before, "start")
    return 0.0 if was is None else _start(item) - float(was.timestamp())
