"""The account sees what it is there to see: a service with a planted fault is found out by the story that suffers from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.notify.commands import marking, reminding
from services.notify.rules import deciding, differences, kinds
from shared.contracts.booking import facts as booking
from shared.contracts.events import facts as events
from shared.contracts.events.words import EventPart
from shared.contracts.notify.words import News, NoticeKind, Pace
from tests.notify.anything.dying import Fuse
from tests.notify.anything.happenings import FIRST_DAY, Anything
from tests.notify.mailing import Mailing

Plant = Callable[[pytest.MonkeyPatch], None]
Story = Callable[[Anything], None]


@pytest.fixture
def machine(notify_database: str) -> Iterator[Anything]:
    """A machine that has begun; nothing goes wrong in it but what is planted."""
    made = Anything(notify_database)
    made.begin()
    try:
        yield made
    finally:
        made.run(made._end())
        made.runner.close()


# --- stories ---


def _rest(machine: Anything, mood: str | None = None, **later: float) -> None:
    machine.world.later(**(later or {"seconds": 140}))
    machine.run(machine.send(Fuse(None), mood))


def _booked(machine: Anything) -> Any:
    fact = machine.world.booked(start=FIRST_DAY)
    machine.state("now", fact)
    return fact


def _a_booking_is_moved(machine: Anything) -> None:
    booked = _booked(machine)
    _rest(machine)
    moved = booking.BookingMovedV1
    machine.state("now", machine.world.booked(moved, booked.subject, start=FIRST_DAY + timedelta(days=1)))
    _rest(machine)


def _the_mail_server_has_a_mood(machine: Anything) -> None:
    _booked(machine)
    _rest(machine, "450 4.2.0 later")
    _rest(machine, minutes=20)


def _a_quiet_day(machine: Anything) -> None:
    _booked(machine)
    _rest(machine)
    _rest(machine, minutes=30)
    _rest(machine, days=7)


def _at_night(machine: Anything) -> None:
    machine.world.later(hours=14)
    _booked(machine)
    _rest(machine)


def _chosen(machine: Anything, pace: Pace) -> None:
    machine.choose("ann", NoticeKind.BOOKING, pace)
    _booked(machine)
    _rest(machine)


def _goes(machine: Anything) -> Any:
    published = machine.world.event(start=FIRST_DAY)
    machine.state("now", published, machine.world.sign_up(event=published.subject))
    return published


def _somebody_leaves(machine: Anything) -> None:
    published = _goes(machine)
    _rest(machine)
    machine.leave("ann", erased=False)
    more: dict[str, Any] = {"changed": (EventPart.TIME,), "start": FIRST_DAY + timedelta(hours=2)}
    machine.state("now", machine.world.event(events.EventChangedV1, published.subject, **more))
    _rest(machine)


def _somebody_is_erased(machine: Anything) -> None:
    _booked(machine)
    machine.leave("ann", erased=True)
    _rest(machine)


def _the_event_comes_late(machine: Anything) -> None:
    published = machine.world.event(start=FIRST_DAY)
    machine.state("now", machine.world.sign_up(event=published.subject))
    _rest(machine, minutes=20)
    machine.state("now", published)
    _rest(machine)


# --- faults ---


async def _nothing(*_: object, **__: object) -> None:
    """It is not done."""


async def _forget(session: Any, messages: Any, *, now: object) -> None:  # as what it stands for
    ids = {"ids": [one.id for one in messages]}
    await session.execute(text("DELETE FROM notice WHERE message = ANY(:ids)"), ids)
    await session.execute(text("DELETE FROM message WHERE id = ANY(:ids)"), ids)


def _forgets_what_is_refused(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(marking, "unsent", _forget)


def _marks_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(marking, "sent", _nothing)


def _tells_the_same_again(patch: pytest.MonkeyPatch) -> None:
    booked = (News.BOOKED, NoticeKind.BOOKING)
    patch.setattr(differences, "_RULES", dict.fromkeys(differences._RULES, lambda *_: booked))


def _never_sleeps(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deciding, "end_of_quiet", lambda *_: None)


def _does_not_wait_for_the_morning(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deciding, "next_digest", lambda at, *_: at)


def _asks_nobody_what_they_want(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kinds, "resolve", lambda *_: Pace.NOW)


def _does_not_see_who_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deciding, "_had_left", lambda *_: False)


def _remembers_addresses(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Mailing, "forget", lambda *_: None)


def _reminds_too_soon(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reminding, "remind_at", lambda start, *_: start - timedelta(days=2))


def _hears_of_nothing_late(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("services.notify.commands.following_events._places", _no_places)


async def _no_places(*_: object, **__: object) -> list[Any]:
    return []


PLANTED: list[tuple[Plant, Story, str]] = [
    (_forgets_what_is_refused, _the_mail_server_has_a_mood, "has not been told"),
    (_hears_of_nothing_late, _the_event_comes_late, "has not been told"),
    (_marks_nothing, _a_quiet_day, "without need|has not been sent"),
    (_tells_the_same_again, _a_booking_is_moved, "booked .* is told to ann by .*, not .*moved"),
    (_never_sleeps, _at_night, "quiet hours"),
    (_does_not_wait_for_the_morning, lambda machine: _chosen(machine, Pace.DAILY), "before"),
    (_asks_nobody_what_they_want, lambda machine: _chosen(machine, Pace.WEEKLY), "before"),
    (_asks_nobody_what_they_want, lambda machine: _chosen(machine, Pace.OFF), "wants nothing"),
    (_does_not_see_who_left, _somebody_leaves, "has left"),
    (_remembers_addresses, _somebody_is_erased, "told to ann, who has left"),
    (_reminds_too_soon, _a_quiet_day, "soon .* is told"),
]


@pytest.mark.parametrize(
    ("plant", "story", "found"),
    PLANTED,
    ids=[f"{number}{plant.__name__}" for number, (plant, _, _) in enumerate(PLANTED)],
)
def test_a_planted_fault_is_found(
    machine: Anything, monkeypatch: pytest.MonkeyPatch, plant: Plant, story: Story, found: str
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=found):
        story(machine)


STORIES = [
    _a_booking_is_moved,
    _the_mail_server_has_a_mood,
    _a_quiet_day,
    _at_night,
    _somebody_leaves,
    _somebody_is_erased,
    _the_event_comes_late,
]


@pytest.mark.parametrize("story", STORIES)
def test_without_a_fault_nothing_is_found(machine: Anything, story: Story) -> None:
    story(machine)
