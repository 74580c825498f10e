"""A plan for a programme changes what differs and nothing else, whatever events there were before."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.cli.calendar.entry import VANISHED, Entry, Reading
from services.cli.programme.plan import Plan, compare, idempotency_key
from services.cli.programme.wanted import Known, change_of, new_event
from shared.contracts.events.requests import ChangeEvent, StartEvent
from shared.contracts.events.views import EventPlaceView, EventSource, EventText, EventView
from shared.contracts.events.words import EventStatus, Visibility
from tests.cli.calendars import utc

HOUR = timedelta(hours=1)
words = st.sampled_from(["", "Tea", "Bring a cup"])
links = st.sampled_from(["", "https://tea.example"])
tags = st.sampled_from([(), ("tea",), ("tea", "open")])


@st.composite
def entries_of(draw: st.DrawFn) -> tuple[Entry, ...]:
    """What a file asks for: each key once."""
    keys = draw(st.sets(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", "1", "2"])), max_size=12))
    entries = []
    for uid, recurrence_id in sorted(keys):
        start = utc(2027, 1, 1) + draw(st.integers(0, 200)) * HOUR
        end = start + draw(st.integers(1, 8)) * HOUR
        title = draw(st.sampled_from(["Tea", "Talk"]))
        details = draw(words), draw(words), draw(links), draw(tags)
        entries.append(Entry(start, end, uid, recurrence_id, title, *details))
    return tuple(sorted(entries))


@st.composite
def known_of(draw: st.DrawFn) -> list[Known]:
    """What an API may hold: one event that counts at most for a key, any number of cancelled ones."""
    standing = [
        known(entry, draw(st.sampled_from(["published", "changed", "draft", "held"])))
        for entry in draw(entries_of())
    ]
    gone = [
        known(entry, "cancelled", draw(st.sampled_from([VANISHED, "", "ill"])))
        for entry in draw(entries_of())
    ]
    return draw(st.permutations([*standing, *gone]))


def known(entry: Entry, status: str = "published", reason: str = "") -> Known:
    """The event the entry became."""
    place = {"space": None, "address": entry.location or None, "online_url": None}
    return Known(
        f"{entry.key}{status}{reason}",
        1,
        entry.start,
        entry.end,
        entry.title,
        entry.text,
        place,
        entry.link,
        entry.tags,
        status,
        reason,
        *entry.key,
    )


def carried_out(plan: Plan, there: list[Known]) -> list[Known]:
    """The API after the plan."""
    gone = {one.id for one in (*plan.cancel, *(change.known for change in plan.change))}
    after = [one for one in there if one.id not in gone]
    after += [known(_entry(one), "cancelled", VANISHED) for one in plan.cancel]
    return after + [known(entry) for entry in (*(change.entry for change in plan.change), *plan.start)]


def _entry(one: Known) -> Entry:
    return Entry(one.start, one.end, one.uid, one.recurrence_id, one.title)


@given(entries=entries_of(), there=known_of())
def test_whatever_is_asked_for_and_there(entries: tuple[Entry, ...], there: list[Known]) -> None:
    """One plan is tried on all three: making up files and events takes longer than planning."""
    plan = compare(Reading("c", entries), there)
    _calendar_and_events_are_in_step_and_a_second_plan_is_empty(plan, entries, there)
    _every_entry_has_exactly_one_fate_and_history_none(plan, entries)
    _what_is_not_understood_does_not_count_as_vanished(entries)


def _calendar_and_events_are_in_step_and_a_second_plan_is_empty(
    plan: Plan, entries: tuple[Entry, ...], there: list[Known]
) -> None:
    after = carried_out(plan, there)
    assert compare(Reading("c", entries), after).changes == 0
    live = {one.key: one for one in after if one.status not in ("held", "cancelled")}
    over = {one.key for one in there if one.status == "held"}
    by_hand = {one.key for one in there if one.status == "cancelled" and one.cancel_reason != VANISHED}
    for entry in entries:
        if entry.key in live:
            assert live.pop(entry.key).says(entry)
        else:
            assert entry.key in over | by_hand
    assert live == {}


def _every_entry_has_exactly_one_fate_and_history_none(plan: Plan, entries: tuple[Entry, ...]) -> None:
    wanted = (*plan.start, *plan.left_cancelled, *(change.entry for change in plan.change))
    fates = [entry.key for entry in wanted] + [one.key for one in plan.unchanged]
    assert sorted(fates) == sorted(entry.key for entry in entries)
    touched = (*plan.cancel, *(change.known for change in plan.change))
    assert all(one.status not in ("held", "cancelled") for one in touched)


def _what_is_not_understood_does_not_count_as_vanished(entries: tuple[Entry, ...]) -> None:
    there = [known(entry) for entry in entries]
    for reading in (
        Reading("c", (), unread_uids=frozenset(entry.uid for entry in entries)),
        Reading("c", (), unread_keys=frozenset(entry.key for entry in entries)),
    ):
        plan = compare(reading, there)
        assert plan.changes == 0
        assert {one.id for one in plan.left_unread} == {one.id for one in there}


@given(before=entries_of(), after=entries_of())
def test_what_is_asked_for_is_what_the_published_language_takes(
    before: tuple[Entry, ...], after: tuple[Entry, ...]
) -> None:
    for entry in before:
        asked = StartEvent.model_validate({"hub": "h", **new_event(entry, "c", "public")})
        assert (asked.title, asked.text, asked.publish) == (entry.title, entry.text, True)
    for old, new in zip(before, after, strict=False):
        change = change_of(known(old), new)
        ChangeEvent.model_validate({"hub": "h", "event": UUID(int=1), "version": 1, **change})
        assert (change == {}) == known(old).says(new)


def test_an_event_is_read_from_the_published_view() -> None:
    entry = Entry(utc(2027, 1, 1), utc(2027, 1, 2), "u", "20270101", "Tea", "Cups", "Quay 1", "", ("tea",))
    view = EventView(
        id=UUID(int=1),
        hub="h",
        status=EventStatus.CHANGED,
        kind="other",
        visibility=Visibility.PUBLIC,
        title="Tea",
        text="Cups",
        language="en",
        texts={"en": EventText(title="Tea", text="Cups")},
        start=entry.start,
        end=entry.end,
        time_zone="Europe/Berlin",
        place=EventPlaceView(address="Quay 1"),
        places=(),
        organisers=(),
        tags=("tea",),
        source=EventSource(calendar="c", uid="u", recurrence_id="20270101"),
        created_at=entry.start,
        version=3,
    )
    event = Known.from_item(view.model_dump(mode="json"))
    assert event.says(entry)
    assert (event.version, event.key, event.status) == (3, entry.key, "changed")


def test_the_key_is_the_same_within_a_run_and_differs_with_everything_else() -> None:
    entry = Entry(utc(2027, 1, 1), utc(2027, 1, 2), "u", "r", "Tea")
    other = Entry(utc(2027, 1, 1), utc(2027, 1, 2), "u", "s", "Tea")
    keys = [("run", "h", "c", entry), ("run 2", "h", "c", entry), ("run", "i", "c", entry)]
    made = {idempotency_key(*one) for one in [*keys, ("run", "h", "d", entry), ("run", "h", "c", other)]}
    assert len(made) == 5
    assert idempotency_key("run", "h", "c", entry) in made
