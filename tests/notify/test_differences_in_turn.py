"""Any sequence of states: nothing is told twice, nothing of what is over, and what is kept comes back as it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.notify.rules.differences import Item, difference
from services.notify.rules.states import (
    ApprovalState,
    BookingState,
    HookState,
    IntroductionState,
    OrganisedState,
    OutcomeState,
    PlaceState,
    ProgrammeState,
    ReminderState,
    State,
    state_from_json,
    when_of,
)
from shared.contracts.events.words import EventStatus, SignUpStatus, Way
from shared.contracts.matching.introductions import Standing
from shared.contracts.notify.words import News, NoticeKind, WebhookState

ZONE = "Europe/Stockholm"
AT = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
EVENT, THING = UUID(int=0xE1), UUID(int=0xA1)

starts = st.integers(-3, 40).map(lambda hours: AT + timedelta(hours=hours))
booleans = st.booleans()
where: dict[str, Any] = {
    "titles": st.sampled_from([{}, {"sv": "Frukost"}, {"sv": "Lunch", "en": "Lunch"}]),
    "space": st.sampled_from([None, "studio", "loft"]),
    "space_name": st.sampled_from([None, "Studion"]),
    "online": booleans,
}


def _timed(kind: type[Any], **fields: Any) -> st.SearchStrategy[Any]:
    def lasting(start: datetime, hours: int, **said: Any) -> Any:
        return kind(start=start, end=start + timedelta(hours=hours), **said)

    return st.builds(lasting, starts, st.integers(1, 5), **fields)


bookings = _timed(
    BookingState,
    status=st.sampled_from(["held", "confirmed", "cancelled", "over"]),
    space=st.sampled_from(["studio", "loft"]),
    space_name=st.just("Studion"),
    seats=st.integers(1, 2),
    by_other=booleans,
)
places = _timed(
    PlaceState,
    **where,
    status=st.sampled_from(list(SignUpStatus)),
    number=st.none() | st.integers(1, 3),
    until=st.none() | starts,
    way=st.sampled_from(list(Way)),
    guest=booleans,
    event=st.just(EVENT),
    version=st.integers(1, 9),
    event_status=st.sampled_from(["open", "cancelled", "held"]),
    by_other=booleans,
)
organising = _timed(
    OrganisedState,
    **where,
    status=st.sampled_from(list(EventStatus)),
    hidden=booleans,
    venue_lost=booleans,
    by_other=booleans,
)
approvals = _timed(ApprovalState, **where, status=st.sampled_from(list(EventStatus)))
programmes = _timed(ProgrammeState, **where, open=booleans, visible=booleans)
reminders = _timed(
    ReminderState,
    **where,
    on=booleans,
    what=st.sampled_from(["booking", "event"]),
    event=st.none() | st.just(EVENT),
)
hooks = st.builds(
    HookState,
    state=st.sampled_from(list(WebhookState)),
    because=st.none() | st.just("failing"),
    target=st.just("till"),
)
standings = st.sampled_from(list(Standing))
introductions = st.builds(IntroductionState, standing=standings, by_host=booleans, until=st.none() | starts)
outcomes = st.builds(OutcomeState, standing=standings)
KINDS = (bookings, places, organising, approvals, programmes, reminders, introductions, outcomes, hooks)
histories = st.sampled_from(KINDS).flatmap(
    lambda kind: st.lists(st.tuples(kind, booleans, st.integers(0, 300)), min_size=1, max_size=12)
)
"""States of one thing in turn: whether it is looked at then, and how many minutes later the next comes."""


@given(histories)
def test_what_has_been_told_is_not_told_again(history: list[tuple[State, bool, int]]) -> None:
    """Whenever it is looked at: after telling, or finding nothing to tell, there is nothing to tell."""
    known: State | None = None
    at = AT
    for now, looked_at, minutes in history:
        at += timedelta(minutes=minutes)
        if not looked_at:
            continue
        difference(known, now, about=now.about, at=at, hub_zone=ZONE)
        known = now
        later = at + timedelta(minutes=minutes)
        assert difference(known, now, about=now.about, at=at, hub_zone=ZONE) is None
        assert difference(known, now, about=now.about, at=later, hub_zone=ZONE) is None


@given(histories)
def test_states_and_items_survive_being_kept(history: list[tuple[State, bool, int]]) -> None:
    states = [state for state, _, _ in history]
    now, before = states[-1], states[0] if len(states) > 1 else None
    assert state_from_json(now.about, now.model_dump_json()) == now
    item = Item(
        now.about, THING, "nordviken", "Nordviken", ZONE, News.MOVED, NoticeKind.BOOKING, now, before, 3
    )
    assert Item.from_json(json.loads(json.dumps(item.to_json()))) == item


@given(histories)
def test_nothing_is_said_of_what_is_over(history: list[tuple[State, bool, int]]) -> None:
    now = history[-1][0]
    _, end = when_of(now)
    if end is not None:
        before = history[0][0] if len(history) > 1 else None
        assert difference(before, now, about=now.about, at=end, hub_zone=ZONE) is None
