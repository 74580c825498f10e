"""Events and booking agree on rooms although each is ended at every step; orphans made by hand are found and mended."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from deploy.local.narrator import Narrator
from shared.contracts.base import Fact
from shared.contracts.booking import facts as answers
from shared.contracts.events import facts as wishes
from tests.faults.moments import AFTER_COMMIT, BEFORE_COMMIT, file_for
from tests.faults.theatre import LASTS, SETTLES_WITHIN_S, Event, Saga, open_saga, theatre_in
from tests.faults.waiting import comes_true

# --- every step of the agreement, and who says what there ---


CHANGED = (200, 412)
"""A change has no key: the repeat of one that was made and not answered hears that the version is another by now."""


@dataclass(frozen=True)
class Step:
    """A deed that leads to `fact`, from an event that has its room or none, and what must come of it."""

    name: str
    fact: type[Fact]
    deed: Callable[[Saga, Event], Awaitable[Any]]
    ends_as: tuple[str, ...]
    at_first: bool = False
    """True when the deed is publishing itself."""


async def _publish(saga: Saga, event: Event) -> None:
    event |= await saga.publish(event["from"])


async def _publish_taken(saga: Saga, event: Event) -> None:
    start = event["from"]
    wish = {"space": "studio", "start": start.isoformat(), "end": (start + LASTS).isoformat()}
    status, answer = await saga.order(saga.host, "POST", "/bookings", wish)
    assert status == 201, answer
    await _publish(saga, event)


async def _cancel(saga: Saga, event: Event) -> None:
    status, answer = await saga.order(saga.world.members[0], "POST", f"/events/{event['id']}/cancel")
    assert status == 200, answer


async def _change(saga: Saga, event: Event) -> None:
    seen, start = await saga.seen(event), event["from"] + timedelta(hours=4)
    body = {"start": start.isoformat(), "end": (start + LASTS).isoformat()}
    status, answer = await saga.order(
        saga.world.members[0], "PATCH", f"/events/{event['id']}", body, seen["version"]
    )
    assert status in CHANGED, answer


async def _host_cancels(saga: Saga, event: Event) -> None:
    room = await saga.room(event)
    status, answer = await saga.order(saga.host, "POST", f"/bookings/{room['id']}/cancel", {})
    assert status == 200, answer


async def _host_moves(saga: Saga, event: Event) -> None:
    room, start = await saga.room(event), event["from"] + timedelta(hours=4)
    body = {"start": start.isoformat(), "end": (start + LASTS).isoformat()}
    status, answer = await saga.order(saga.host, "PATCH", f"/bookings/{room['id']}", body, room["version"])
    assert status in CHANGED, answer


async def _republished(saga: Saga, _: Event) -> None:
    await saga.republish()


STEPS = (
    Step("wanted", wishes.VenueWantedV1, _publish, ("published",), at_first=True),
    Step("held", answers.VenueHeldV1, _publish, ("published",), at_first=True),
    Step("accepted", wishes.VenueAcceptedV1, _publish, ("published",), at_first=True),
    Step("confirmed", answers.VenueConfirmedV1, _publish, ("published",), at_first=True),
    Step("refused", answers.VenueRefusedV1, _publish_taken, ("draft",), at_first=True),
    Step("wanted anew", wishes.VenueWantedV1, _change, ("changed",)),
    Step("moved along", answers.VenueConfirmedV1, _change, ("changed",)),
    Step("released", wishes.VenueReleasedV1, _cancel, ("cancelled",)),
    Step("freed", answers.VenueFreedV1, _cancel, ("cancelled",)),
    Step("lost", answers.VenueLostV1, _host_cancels, ("changed",)),
    Step("moved", answers.VenueMovedV1, _host_moves, ("changed",)),
    Step("wish compared", wishes.VenueWishSnapshotV1, _republished, ("published",)),
    Step("room compared", answers.VenueSnapshotV1, _republished, ("published",)),
)


async def play(saga: Saga, step: Step, when: str) -> list[str]:
    """Lay the moment out, do the deed, see that somebody died there and that all is well all the same."""
    start = saga.free_day()
    event: Event = {"from": start}
    if not step.at_first:
        event |= await saga.published(start)
    file = file_for(saga.theatre.moments, step.fact, when)
    file.touch()
    await step.deed(saga, event)

    async def died() -> bool:
        return not file.exists()  # one look at a local folder

    found = [] if await comes_true(died, within=SETTLES_WITHIN_S) else [f"nobody came to {file.name}"]
    found += await saga.agrees()
    shown = await saga.becomes(event, *step.ends_as)
    if step.fact is answers.VenueLostV1 and shown["venue"]["state"] != "lost":
        found.append(f"the organiser does not see that the room is lost: {shown['venue']}")
    if not await saga.theatre.heals():
        found.append("not everybody came back")
    return found


# --- orphans ---


@dataclass(frozen=True)
class Orphan:
    """Something done by hand on one side."""

    name: str
    service: str
    statement: str


ORPHANS = (
    Orphan("the booking is deleted", "booking", "DELETE FROM booking WHERE event = '{event}'"),
    Orphan("booking's row is deleted", "booking", "DELETE FROM venue WHERE event = '{event}'"),
    Orphan(
        "the booking is moved",
        "booking",
        "UPDATE booking SET starts_at = starts_at + interval '1 hour' WHERE event = '{event}'",
    ),
    Orphan("the event is deleted", "events", "DELETE FROM event WHERE id = '{event}'"),
    Orphan("events' row is deleted", "events", "DELETE FROM venue WHERE event = '{event}'"),
    Orphan(
        "events' row is set back",
        "events",
        "UPDATE venue SET version = 1, heard = 1, edition = 1, state = 'wanted' WHERE event = '{event}'",
    ),
)


MENDED_WITHIN = 3
"""How often both sides state what is: some orphans are seen by one side only after the other has spoken."""
PATIENCE_S = 15.0


async def mend(saga: Saga, orphan: Orphan) -> list[str]:
    """Plant it, see that it is one, have both sides state what is, and see that they agree again."""
    event = await saga.published(saga.free_day())
    await saga.by_hand(orphan.service, orphan.statement.format(event=event["id"]))
    if not await saga.apart():
        return ["nothing is apart"]
    for _ in range(MENDED_WITHIN):
        for service in ("events", "booking"):
            await saga.by_hand(service)
        await saga.republish()
        found = await saga.agrees(within=PATIENCE_S)
        if not found:
            return []
    return found


async def all_of_it(home: Path, narrator: Narrator) -> bool:
    """Every step before and after its commit, then every orphan; whether all went well."""
    table = Table("step", "", "s", "found", title="sagas")
    good = True
    async with theatre_in(home, narrator) as theatre:
        saga = await open_saga(theatre)
        plays: list[tuple[str, str, Callable[[], Awaitable[list[str]]]]] = [
            (step.name, when, lambda step=step, when=when: play(saga, step, when))  # type: ignore[misc]
            for step in STEPS
            for when in (BEFORE_COMMIT, AFTER_COMMIT)
        ]
        plays += [
            (orphan.name, "by hand", lambda orphan=orphan: mend(saga, orphan))  # type: ignore[misc]
            for orphan in ORPHANS
        ]
        for name, when, go in plays:
            started = time.monotonic()
            found = await go()
            good = good and not found
            table.add_row(name, when, f"{time.monotonic() - started:.0f}", "; ".join(found) or "nothing")
            narrator.say(
                f"{name}, {when}: {'in agreement' if not found else '; '.join(found)}", bad=bool(found)
            )
    narrator.console.print(table)
    return good
