"""A hub's data page by page out of the services of a cell, and into those of another; each service tells only its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar, cast
from uuid import UUID

import orjson

from services.cli.hub.folder import Inbound, Manifest, Outbound, Part
from services.cli.hub.readable import TABLES, as_calendar, as_csv, of_bookings, of_events
from shared.contracts.base import Request
from shared.contracts.operations import (
    ExportHub,
    HubEntity,
    HubImported,
    HubInventory,
    HubRows,
    ImportHub,
    Republish,
    Republished,
    TakeInventory,
)
from shared.contracts.users import SERVICES
from shared.kit.errors import Unavailable

Ask = Callable[[str, Request[Any]], Awaitable[Any]]
"""Sends an admin request to a service of the cell, and gives back the parsed answer."""
Tell = Callable[[str, int], None]
"""Hears what is being done, and how many rows of it are done now."""

TRIES = 3
PAUSE_S = 0.5
HEARS_WITHIN = 120
"""Tries of half a second each: so long until a service has heard of the hub."""
AT_ONCE = 100
MOST_BYTES = 256 * 1024
"""Of rows in one request; the bus takes four times that."""
GUESTS = "guests"
COMES = frozenset({"pending", "attending", "offered", "waiting"})
STATED_AGAIN = (
    ("booking", "spaces"), ("booking", "bookings"), ("booking", "venues"), ("events", "events"), ("events", "sign-ups"),
    ("events", "venues"), ("booking", "occupancy"),
)  # fmt: skip
"""What the other services of the cell know of a hub they get from these."""


T = TypeVar("T")


def batched(things: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """So many at a time."""
    left = iter(things)
    while some := tuple(islice(left, size)):
        yield some


def _requests(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], ...]]:
    """As many rows at a time as one request takes."""
    some: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        length = len(orjson.dumps(row))
        if some and (len(some) == AT_ONCE or size + length > MOST_BYTES):
            yield tuple(some)
            some, size = [], 0
        some.append(row)
        size += length
    if some:
        yield tuple(some)


class NoHub(Exception):
    """There is no such hub in this cell."""


class Restless(Exception):
    """The hub changed each time while it was being exported."""


class NotTheSame(Exception):
    """What is there after the import is not what was exported."""


async def export(
    ask: Ask, hub: str, into: Outbound, tell: Tell, *, cell: str, release: str, at: datetime
) -> Manifest:
    """Everything the hub owns, as of one moment for each service; Restless when there is no such moment, NoHub."""
    known = {one.entity: one.count for one in (await _inventory(ask, "directory", hub)).items}
    if not known["hub"]:
        raise NoHub(f"There is no hub {hub} in this cell.")
    for _ in range(TRIES):
        into.begin()
        marks = [(await _inventory(ask, service, hub)).mark for service in SERVICES]
        guests: list[UUID] = []
        # Events first: it knows which guests have a part in the hub.
        for service in sorted(SERVICES, key=lambda one: one != "events"):
            guests += await _export_service(ask, service, hub, into, tell, guests)
        if [(await _inventory(ask, service, hub)).mark for service in SERVICES] == marks:
            return into.finish(hub=hub, cell=cell, release=release, at=at)
    raise Restless(hub)


async def _inventory(ask: Ask, service: str, hub: str) -> HubInventory:
    return cast("HubInventory", await ask(service, TakeInventory(hub=hub)))


async def _export_service(
    ask: Ask, service: str, hub: str, into: Outbound, tell: Tell, guests: list[UUID]
) -> list[UUID]:
    found: list[UUID] = []
    for item in (await _inventory(ask, service, hub)).items:
        rows = [row async for row in _rows(ask, service, hub, item.entity, tell)]
        _write(into, service, item, rows)
        if (service, item.entity) == ("events", "sign-ups"):
            found = sorted({UUID(row["person"]) for row in rows if row["guest"] and row["status"] in COMES})
        if (service, item.entity) == ("directory", "people"):
            invited = [
                row
                for some in batched(guests, 200)
                async for row in _rows(ask, service, hub, GUESTS, tell, people=some)
            ]
            says = "Guests without an account who have a part in the hub's events."
            into.write(service, GUESTS, says, invited, passing=False)
    return found


async def _rows(ask: Ask, service: str, hub: str, entity: str, tell: Tell, **more: Any) -> Any:
    cursor: tuple[str, ...] | None = None
    while True:
        request = ExportHub(hub=hub, entity=entity, cursor=cursor, **more)
        page = cast("HubRows", await ask(service, request))
        tell(f"{service}: {entity}", len(page.rows))
        for row in page.rows:
            yield row
        cursor = page.cursor
        if cursor is None:
            return


def _write(into: Outbound, service: str, item: HubEntity, rows: list[dict[str, Any]]) -> None:
    into.write(service, item.entity, item.says, rows, passing=item.passing)
    columns = TABLES.get((service, item.entity))
    if columns is not None:
        into.put(f"{service}/{item.entity}.csv", as_csv(rows, columns))
    if item.entity == "bookings":
        into.put("booking/bookings.ics", as_calendar("bookings", of_bookings(rows)))
    if (service, item.entity) == ("events", "events"):
        into.put("events/events.ics", as_calendar("events", of_events(rows)))


# --- into another cell ---


def _in_order(manifest: Manifest) -> Iterator[Part]:
    """Directory first: the others know hubs and people from what it states."""
    order = {service: place for place, service in enumerate(SERVICES)}
    yield from sorted(manifest.files, key=lambda part: order.get(part.service, len(order)))


async def look(ask: Ask, source: Inbound, tell: Tell) -> None:
    """Whether everything can be taken in; nothing is written. Raises the refusal of the service that would not."""
    for part in _in_order(source.manifest):
        await _send(ask, source, part, tell, only_look=True)


async def take_in(ask: Ask, source: Inbound, tell: Tell) -> tuple[int, int]:
    """Take in what lasts: how many were new, how many were there already. After an interruption do it again."""
    done = await _take_in(ask, source, tell, passing=False)
    for service, entity in STATED_AGAIN:
        await _state_again(ask, service, entity, tell)
    return done


async def set_going(ask: Ask, source: Inbound, tell: Tell) -> tuple[int, int]:
    """Take in what moves the rest, when all of that is there: until then the hub stands still and can be compared."""
    return await _take_in(ask, source, tell, passing=True)


async def _take_in(ask: Ask, source: Inbound, tell: Tell, *, passing: bool) -> tuple[int, int]:
    written = same = 0
    for part in _in_order(source.manifest):
        if part.passing is passing:
            new, old = await _send(ask, source, part, tell, only_look=False)
            written, same = written + new, same + old
    return written, same


async def _send(ask: Ask, source: Inbound, part: Part, tell: Tell, *, only_look: bool) -> tuple[int, int]:
    written = same = 0
    for rows in _requests(source.rows(part)):
        request = ImportHub(hub=source.manifest.hub, entity=part.entity, rows=rows, only_look=only_look)
        done = cast("HubImported", await _patiently(ask, part.service, request))
        written, same = written + done.written, same + done.same
        tell(f"{'looking at' if only_look else 'taking in'} {part.service}: {part.entity}", len(rows))
    return written, same


async def _patiently(ask: Ask, service: str, request: ImportHub) -> Any:
    for _ in range(HEARS_WITHIN):
        try:
            return await ask(service, request)
        except Unavailable:
            await asyncio.sleep(PAUSE_S)
    return await ask(service, request)


async def _state_again(ask: Ask, service: str, entity: str, tell: Tell) -> None:
    cursor: str | None = None
    while True:
        done = cast("Republished", await ask(service, Republish(entity=entity, cursor=cursor)))
        tell(f"stating {service}'s {entity}", 0)
        cursor = done.cursor
        if cursor is None:
            return


async def compare(ask: Ask, source: Inbound, tell: Tell) -> int:
    """Read everything back and compare it row by row: how many rows. NotTheSame when one differs or is missing."""
    hub, compared = source.manifest.hub, 0
    for part in _in_order(source.manifest):
        if part.passing or part.entity == GUESTS:
            continue
        there = [row async for row in _rows(ask, part.service, hub, part.entity, tell)]
        given = list(source.rows(part))
        if len(there) != len(given) or not _alike(there, given, part):
            raise NotTheSame(
                f"{part.service}: {part.entity}: {len(given)} were exported, {len(there)} are there."
            )
        compared += len(there)
    return compared


def _alike(there: Iterable[dict[str, Any]], given: Iterable[dict[str, Any]], part: Part) -> bool:
    # A person who was known here keeps the name and address they have here.
    names = ("id",) if part.entity == "people" else None
    return all(
        (one == other) if names is None else all(one[name] == other[name] for name in names)
        for one, other in zip(there, given, strict=True)
    )
