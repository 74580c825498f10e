"""A person is erased: what they had ahead is free, what is past has nobody in it, and nothing brings them back."""

from __future__ import annotations

from shared.contracts.base import NOBODY
from shared.contracts.booking.facts import BookerForgottenV1, BookingCancelledV1
from shared.contracts.directory.words import Role
from shared.contracts.forgetting import Deed
from tests.booking.asking import Asking, live
from tests.booking.world import World

PEOPLE = "SELECT starts_at, status, person, booked_by, title FROM booking ORDER BY starts_at, id"


async def told(world: World) -> list[tuple[str, str, int | None]]:
    """What the service has answered in all, in order."""
    answers = [fact for fact in await world.facts(BookerForgottenV1) if isinstance(fact, BookerForgottenV1)]
    assert [one.subject_version for one in answers] == list(range(1, len(answers) + 1))
    return [
        (line.what, line.deed, line.count)
        for one in answers
        for line in one.told
        if line.deed is not Deed.KEPT
    ]


async def test_what_is_ahead_is_free_and_what_is_past_is_nobodys(world: World) -> None:
    await world.space("room")
    past = await world.book("room", "2027-03-01T10:00", title="Of Ann")
    await world.let_time_pass(hours=4)
    ahead = await world.book("room", "2027-03-02T10:00", title="Of Ann")
    others = await world.book("room", "2027-03-03T10:00", by="bob", title="Of Bob")
    for_bob = await world.book(
        "room", "2027-03-04T10:00", by="ann", role=Role.HOST, person=world.person("bob")
    )
    await world.hear(world.erased("ann"))
    [cancelled] = await world.facts(BookingCancelledV1)
    assert cancelled.subject == str(ahead.id)
    rows = {row.starts_at: row for row in await world.rows(PEOPLE)}
    assert [(one.person, one.title) for one in (rows[past.start], rows[ahead.start])] == [(NOBODY, None)] * 2
    assert (rows[others.start].person, rows[others.start].title) == (world.person("bob"), "Of Bob")
    assert (rows[for_bob.start].person, rows[for_bob.start].booked_by) == (world.person("bob"), NOBODY)
    assert await told(world) == [
        ("bookings-ahead", Deed.ERASED, 1),
        ("bookings", Deed.ANONYMISED, 2),
        ("bookings-for-others", Deed.ANONYMISED, 1),
    ]


async def test_heard_twice_or_stated_again_it_is_done_once_and_answered(world: World) -> None:
    await world.space("room")
    await world.book("room")
    first = world.erased("ann")
    assert await world.hear(first, first, world.erased("ann")) == ["done", "repeated", "done"]
    assert len(await world.facts(BookerForgottenV1)) == 2, (
        "the second answers, too: the first may have been lost"
    )
    assert len(await told(world)) == 2


async def test_what_a_token_did_that_was_still_good_is_swept_up(world: World) -> None:
    await world.space("room")
    await world.hear(world.erased("ann"))
    await world.let_time_pass(minutes=3)
    await world.book("room", "2027-03-02T10:00", title="Still here")
    await world.let_time_pass(minutes=15)
    [row] = await world.rows(PEOPLE)
    assert (row.status, row.person, row.title) == ("cancelled", NOBODY, None)
    assert await told(world) == [("bookings-ahead", Deed.ERASED, 1), ("bookings", Deed.ANONYMISED, 1)]


async def test_a_wish_for_a_room_that_comes_late_brings_nobody_back(world: World, asking: Asking) -> None:
    wish = asking.wants()
    await world.hear(world.erased("ann"))
    await world.hear(wish, asking.accepts())
    [row] = await live(world)
    assert (row.status, row.person) == ("confirmed", NOBODY), "the event goes on in its room"
    assert [one.person for one in await world.rows("SELECT person FROM venue")] == [NOBODY]
