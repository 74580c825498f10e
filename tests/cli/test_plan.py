"""A plan changes what differs and nothing else, whatever was booked before."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.cli.calendar.entry import VANISHED, Entry, Reading
from services.cli.calendar.plan import Booked, Move, Plan, blocked_by_each_other, compare, idempotency_key
from shared.contracts.booking.requests import BookingView, Source
from shared.contracts.booking.words import BookingStatus
from tests.cli.calendars import BERLIN, utc

HOUR = timedelta(hours=1)
uids = st.sampled_from("abcdef")
starts = st.integers(0, 200).map(lambda hours: utc(2027, 1, 1) + hours * HOUR)


@st.composite
def entries_of(draw: st.DrawFn) -> tuple[Entry, ...]:
    """What a file asks for: each key once, overlaps welcome."""
    keys = draw(st.sets(st.tuples(uids, st.sampled_from(["", "1", "2"])), max_size=12))
    entries = []
    for uid, recurrence_id in sorted(keys):
        start = draw(starts)
        end = start + draw(st.integers(1, 8)) * HOUR
        entries.append(Entry(start, end, uid, recurrence_id, draw(st.sampled_from(["Tea", "Talk"]))))
    return tuple(sorted(entries))


@st.composite
def bookings_of(draw: st.DrawFn) -> list[Booked]:
    """What an API may hold: one live booking at most for a key, any number of ended ones."""
    standing = [_booked(entry, draw(st.sampled_from(["room", "hall"]))) for entry in draw(entries_of())]
    ended = []
    for entry in (*draw(entries_of()), *draw(entries_of())):
        status = draw(st.sampled_from(["cancelled", "expired", "checked_out"]))
        reason = draw(st.sampled_from([VANISHED, "", "ill"])) if status == "cancelled" else ""
        ended.append(_booked(entry, "room", status=status, reason=reason))
    return draw(st.permutations([*standing, *ended]))


def _booked(entry: Entry, space: str = "room", *, status: str = "confirmed", reason: str = "") -> Booked:
    identity = f"{entry.uid}/{entry.recurrence_id}/{entry.start}/{status}/{reason}"
    times = entry.start, entry.end
    return Booked(identity, 1, space, *times, entry.title, status, reason, entry.uid, entry.recurrence_id)


def _carried_out(plan: Plan, booked: list[Booked]) -> list[Booked]:
    """The API after the plan, where nothing clashes."""
    gone = {one.id for one in (*plan.cancel, *(move.booked for move in plan.move))}
    after = [one for one in booked if one.id not in gone]
    after += [_booked(_entry(one), one.space, status="cancelled", reason=VANISHED) for one in plan.cancel]
    return after + [_booked(entry) for entry in (*(move.entry for move in plan.move), *plan.book)]


def _entry(booked: Booked) -> Entry:
    return Entry(booked.start, booked.end, booked.uid, booked.recurrence_id, booked.title)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries=entries_of(), booked=bookings_of())
def test_whatever_is_asked_for_and_booked(entries: tuple[Entry, ...], booked: list[Booked]) -> None:
    """One plan is tried on all three: making up files and bookings takes longer than planning."""
    plan = compare(Reading("c", entries), booked, "room")
    _a_second_plan_is_empty(plan, entries, booked)
    _calendar_and_bookings_are_in_step(plan, entries, booked)
    _every_entry_has_exactly_one_fate(plan, entries)


def _a_second_plan_is_empty(plan: Plan, entries: tuple[Entry, ...], booked: list[Booked]) -> None:
    again = compare(Reading("c", entries), _carried_out(plan, booked), "room")
    assert again.changes == 0


def _calendar_and_bookings_are_in_step(plan: Plan, entries: tuple[Entry, ...], booked: list[Booked]) -> None:
    after = {one.key: one for one in _carried_out(plan, booked) if one.status == "confirmed"}
    over = {one.key for one in booked if one.status == "checked_out"}
    by_hand = {one.key for one in booked if one.status == "cancelled" and one.cancel_reason != VANISHED}
    for entry in entries:
        if entry.key in after:
            assert after.pop(entry.key).says(entry, "room")
        else:
            assert entry.key in over | by_hand
    assert after == {}


def _every_entry_has_exactly_one_fate(plan: Plan, entries: tuple[Entry, ...]) -> None:
    wanted = (*plan.book, *plan.left_cancelled, *(move.entry for move in plan.move))
    fates = [entry.key for entry in wanted] + [booking.key for booking in plan.unchanged]
    assert sorted(fates) == sorted(entry.key for entry in entries)


@given(entries=entries_of(), changed=st.integers(0, 11))
def test_whatever_a_file_asks_for(entries: tuple[Entry, ...], changed: int) -> None:
    """One file is tried on all four: making one up takes longer than planning."""
    _a_file_with_one_change_changes_one_booking(entries, changed)
    _what_a_person_cancelled_stays_cancelled(entries)
    _what_vanished_and_came_back_is_booked_again(entries)
    _an_entry_that_is_not_understood_does_not_count_as_vanished(entries)


def _a_file_with_one_change_changes_one_booking(entries: tuple[Entry, ...], changed: int) -> None:
    booked = [_booked(entry) for entry in entries]
    if not entries:
        return
    which = entries[changed % len(entries)]
    later = Entry(which.start + HOUR, which.end + HOUR, which.uid, which.recurrence_id, which.title)
    rest = tuple(entry for entry in entries if entry is not which)
    plan = compare(Reading("c", (*rest, later)), booked, "room")
    assert (plan.changes, [move.entry for move in plan.move]) == (1, [later])
    plan = compare(Reading("c", rest), booked, "room")
    assert (plan.changes, [one.key for one in plan.cancel]) == (1, [which.key])
    renamed = Entry(which.start, which.end, which.uid, which.recurrence_id, "Renamed")
    plan = compare(Reading("c", (*rest, renamed)), booked, "room")
    assert (plan.changes, [move.entry.title for move in plan.move]) == (1, ["Renamed"])


def _what_a_person_cancelled_stays_cancelled(entries: tuple[Entry, ...]) -> None:
    booked = [_booked(entry, status="cancelled", reason="no heating") for entry in entries]
    plan = compare(Reading("c", entries), booked, "room")
    assert (plan.changes, plan.left_cancelled) == (0, entries)


def _what_vanished_and_came_back_is_booked_again(entries: tuple[Entry, ...]) -> None:
    booked = [_booked(entry, status="cancelled", reason=VANISHED) for entry in entries]
    assert compare(Reading("c", entries), booked, "room").book == entries


def _an_entry_that_is_not_understood_does_not_count_as_vanished(entries: tuple[Entry, ...]) -> None:
    booked = [_booked(entry) for entry in entries]
    by_uid = Reading("c", (), unread_uids=frozenset(entry.uid for entry in entries))
    by_key = Reading("c", (), unread_keys=frozenset(entry.key for entry in entries))
    for reading in (by_uid, by_key):
        plan = compare(reading, booked, "room")
        assert (plan.changes, set(plan.left_unread)) == (0, set(booked))


@given(times=st.lists(st.tuples(starts, starts), max_size=12))
def test_without_the_moves_given_up_none_waits_in_a_circle(times: list[tuple]) -> None:  # type: ignore[type-arg] # pairs of times
    moves = []
    for number, (present, wanted) in enumerate(times):
        entry = Entry(wanted, wanted + HOUR, str(number), "", "Tea")
        moves.append(Move(_booked(Entry(present, present + HOUR, str(number), "", "Tea")), entry))
    given_up = blocked_by_each_other(moves, "room")
    waiting = [move for move in moves if move not in given_up]
    while waiting:
        free = [move for move in waiting if not _blocked(move, waiting)]
        assert free, "some still wait for each other"
        waiting = [move for move in waiting if move not in free]
    if not given_up:
        return
    assert any(_blocked(move, moves) for move in given_up)


def _blocked(move: Move, waiting: list[Move]) -> bool:
    others = (other.booked for other in waiting if other is not move)
    return any(one.start < move.entry.end and move.entry.start < one.end for one in others)


def test_a_booking_is_read_from_the_published_view() -> None:
    entry = Entry(utc(2027, 1, 1), utc(2027, 1, 2), "u", "20270101", "Tea")
    view = BookingView(
        id=UUID(int=1),
        hub="h",
        space="room",
        units=(1,),
        seats=1,
        start=entry.start.astimezone(BERLIN),
        end=entry.end.astimezone(BERLIN),
        time_zone="Europe/Berlin",
        status=BookingStatus.CANCELLED,
        title="Tea",
        person=UUID(int=2),
        booked_by=UUID(int=2),
        source=Source(calendar="c", uid="u", recurrence_id="20270101"),
        cancel_reason="ill",
        rules_version=1,
        version=3,
        created_at=entry.start,
    )
    booked = Booked.from_item(view.model_dump(mode="json"))
    assert booked.says(entry, "room")
    assert (booked.version, booked.cancel_reason, booked.key) == (3, "ill", entry.key)
    assert compare(Reading("c", (entry,)), [booked], "room").left_cancelled == (entry,)


def test_moves_that_wait_in_a_line_are_not_given_up() -> None:
    slots = [utc(2027, 1, 1, hour) for hour in range(5)]
    line = [
        Move(
            _booked(Entry(slots[place], slots[place] + HOUR, str(place), "", "Tea")),
            Entry(slots[place + 1], slots[place + 1] + HOUR, str(place), "", "Tea"),
        )
        for place in range(4)
    ]
    assert blocked_by_each_other(line, "room") == []


def test_the_key_is_the_same_within_a_run_and_differs_with_everything_else() -> None:
    entry = Entry(utc(2027, 1, 1), utc(2027, 1, 2), "u", "r", "Tea")
    later = Entry(utc(2027, 1, 1), utc(2027, 1, 3), "u", "r", "Tea")
    first = idempotency_key("run", "h", "c", "room", entry)
    assert first == idempotency_key("run", "h", "c", "room", entry)
    others = [
        idempotency_key("run 2", "h", "c", "room", entry),
        idempotency_key("run", "h2", "c", "room", entry),
        idempotency_key("run", "h", "c2", "room", entry),
        idempotency_key("run", "h", "c", "hall", entry),
        idempotency_key("run", "h", "c", "room", later),
    ]
    assert len({first, *others}) == 6
