"""Whatever is said, chosen and refused, in any order, and wherever processes die: each thing is told, once, by day."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import Phase
from hypothesis.stateful import run_state_machine_as_test

from shared.contracts.booking.facts import BookingMovedV1
from tests.notify.anything.__main__ import thorough
from tests.notify.anything.dying import Fuse
from tests.notify.anything.happenings import FIRST_DAY, Anything
from tests.notify.anything.machine import BEGINS
from tests.notify.mailing import LEASE

EXAMPLES, STEPS, POINTS = 12, 30, 15


def test_whatever_happens_each_thing_is_told_once_and_by_day(notify_database: str) -> None:
    def a_world() -> Anything:
        return Anything(notify_database)

    few = thorough(EXAMPLES, STEPS, derandomize=True, phases=(Phase.generate,))
    run_state_machine_as_test(a_world, settings=few)  # type: ignore[arg-type]  # anything that makes one will do


def test_the_inbox_knows_what_the_mail_knows(notify_database: str) -> None:
    """What dies between the two is told over both in the end."""
    machine = Anything(notify_database)
    machine.begin()
    try:
        for point in range(1, POINTS + 1):
            machine.state("now", machine.world.booked(start=FIRST_DAY))
            machine.world.later(seconds=140)
            machine.run(machine.send(Fuse(point)))
            machine.world.later(seconds=LEASE.total_seconds())
            machine.run(machine.send(Fuse(None)))
        made = [mail.channel for mail in machine.account.mails.values()]
        assert (made.count("email"), made.count("inbox")) == (POINTS, POINTS)
        sent = sum(machine.account.arrivals.values())
        assert sent <= POINTS + 3, "only who dies between 250 and mark sends again"
    finally:
        machine.run(machine._end())
        machine.runner.close()


def test_a_booking_first_looked_at_when_it_was_over_and_then_moved_is_told_of(notify_database: str) -> None:
    """Found by letting anything happen for long: nothing was to be said while it was over, and the account did not know it."""
    machine = Anything(notify_database)
    machine.begin()
    try:
        thing = machine.world.ids()
        machine.state("now", machine.world.booked(thing=thing, start=BEGINS + timedelta(hours=4)))
        machine.world.later(seconds=26 * 3600)
        machine.run(machine.send(Fuse(None)))
        assert not machine.account.mails
        machine.state("now", machine.world.booked(BookingMovedV1, thing, start=FIRST_DAY))
        machine.world.later(seconds=140)
        machine.run(machine.send(Fuse(None)))
        assert {mail.channel for mail in machine.account.mails.values()} == {"email", "inbox"}
    finally:
        machine.run(machine._end())
        machine.runner.close()
