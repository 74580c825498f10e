"""Whatever people do, in whatever order: the promises of the line hold, and the facts tell what is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.events.rules.refusals import CapacityBelow
from shared.contracts.base import Request
from shared.contracts.directory.words import Role
from shared.contracts.events.facts import (
    AttendeeCameV1,
    OfferDeclinedV1,
    OfferLapsedV1,
    PlaceAwaitedV1,
    PlaceGivenBackV1,
    PlaceOfferedV1,
    PlaceTakenV1,
    SignUpPendingV1,
)
from shared.contracts.events.sign_ups import (
    AcceptOffer,
    ConfirmSignUp,
    DeclineOffer,
    GiveBackPlace,
    RegisterArrival,
    SignUp,
    SignUpGuest,
)
from shared.contracts.events.words import Way
from shared.kit.idempotency import Answer
from shared.kit.principal import Principal
from tests.connections import Connections
from tests.events.lines import cancelled, changed, hidden, nothing_wrong, opened, resized
from tests.events.world import HUB, Refused, World, make_world

T = TypeVar("T")

PEOPLE = tuple(f"p{number}" for number in range(8))
STATE_AFTER: dict[Any, str] = {
    SignUpPendingV1: "pending",
    PlaceTakenV1: "attending",
    PlaceAwaitedV1: "waiting",
    PlaceOfferedV1: "offered",
    OfferDeclinedV1: "declined",
    OfferLapsedV1: "lapsed",
    PlaceGivenBackV1: "cancelled",
    AttendeeCameV1: "attending",
}
"""What each fact says of a sign-up; whoever hears only these must know who attends."""
CAPACITIES = st.sampled_from((1, 2, 3, 0, 1, 2, 5, None))
SOMEBODY = st.sampled_from(PEOPLE)
WAYS = st.sampled_from((None, Way.ROOM, Way.ONLINE))
DEEDS = st.sampled_from(
    (*["sign up"] * 4, *["give back"] * 3, *["accept"] * 2, "decline", "invite", "invite", "confirm")
)
SELDOM = st.sampled_from((True, *[False] * 5))


class Line(RuleBasedStateMachine):
    """One event with two lines, eight people, and everything that can happen to them."""

    def __init__(self, runner: asyncio.Runner, connections: Connections, database: str) -> None:
        super().__init__()
        self.runner = runner
        self.connections = connections
        self.database = database
        self.world: World
        self.event: UUID
        self.offered_before: set[UUID] = set()
        self.cancelled = self.hidden = False

    def run(self, work: Awaitable[T]) -> T:
        """Do it now."""

        async def wrapped() -> T:
            return await work

        return self.runner.run(wrapped())

    @initialize(room=CAPACITIES, online=st.integers(1, 3), no_line=SELDOM, days=st.integers(5, 20))
    def open(self, room: int | None, online: int, no_line: bool, days: int) -> None:
        async def opening() -> None:
            await self.connections.emptied(self.database)
            self.world = make_world(self.connections, self.database)
            self.event = await opened(
                self.world, room, online=online, waits=not no_line, starts_in=timedelta(days=days)
            )
            for name in PEOPLE[:4]:
                await self._does(name, "sign up", Way.ROOM)

        self.run(opening())

    # --- what people do: each is answered or refused, and nothing else ---

    @rule(name=SOMEBODY, deed=DEEDS, way=WAYS)
    def somebody_does(self, name: str, deed: str, way: Way | None) -> None:
        self.run(self._does(name, deed, way))

    @rule(deeds=st.lists(st.tuples(SOMEBODY, DEEDS, WAYS), min_size=2, max_size=8))
    def many_do_at_once(self, deeds: list[tuple[str, str, Way | None]]) -> None:
        async def together() -> None:
            await asyncio.gather(*(self._does(*deed) for deed in deeds))

        self.run(together())

    @rule(name=SOMEBODY)
    def somebody_comes(self, name: str) -> None:
        async def coming() -> None:
            mine = await self._row(name)
            if mine is not None:
                arrival = RegisterArrival(hub=HUB, event=self.event, sign_up=mine.id)
                await self._asked(arrival, self.world.principal("opal", Role.OPERATOR))

        self.run(coming())

    async def _does(self, name: str, deed: str, way: Way | None) -> None:
        if deed in ("accept", "decline"):
            name = await self._somebody_offered(name)
        by = self.world.principal(name)
        if deed == "sign up":
            await self._asked(SignUp(hub=HUB, event=self.event, way=way), by)
        elif deed == "invite":
            person = self.world.person(name)
            await self._asked(SignUpGuest(hub=HUB, event=self.event, guest=person, way=way), None)
        elif (mine := await self._row(name)) is not None:
            kind = {"accept": AcceptOffer, "decline": DeclineOffer, "confirm": ConfirmSignUp}.get(deed)
            about = {"hub": HUB, "event": self.event, "sign_up": mine.id}
            await self._asked(kind(**about, version=mine.version) if kind else GiveBackPlace(**about), by)

    async def _somebody_offered(self, name: str) -> str:
        """Somebody who has been offered a place, or else whoever it was going to be."""
        rows = await self.world.rows("SELECT person FROM sign_up WHERE status = 'offered' ORDER BY number")
        names = [one for one, person in self.world.people.items() if person in {row.person for row in rows}]
        return names[PEOPLE.index(name) % len(names)] if names else name

    async def _row(self, name: str) -> Any:
        asked = "SELECT id, version FROM sign_up WHERE event = :event AND person = :person"
        rows = await self.world.rows(asked, event=self.event, person=self.world.person(name))
        return rows[0] if rows else None

    async def _asked(self, request: Request[Any], by: Principal | None) -> None:
        answer = await self.world.answer(request, by)
        assert isinstance(answer, (Answer, Refused))
        assert answer.status in (200, 201, 403, 404, 409)

    # --- what time, organisers and the hub do ---

    @rule(hours=st.sampled_from((0, 0, 1, 5, 25)))
    def time_passes(self, hours: int) -> None:
        self.run(self.world.let_time_pass(hours=hours))

    @rule(minutes=st.integers(1, 60 * 8))
    def time_passes_and_timers_are_late(self, minutes: int) -> None:
        self.world.now += timedelta(minutes=minutes)

    @rule(capacity=CAPACITIES, way=st.sampled_from(Way), decided=st.booleans())
    def capacity_is_changed(self, capacity: int | None, way: Way, decided: bool) -> None:
        self.run(self._resize(capacity, way, decided))

    async def _resize(self, capacity: int | None, way: Way, decided: bool) -> None:
        try:
            await resized(self.world, self.event, capacity, way=way)
        except CapacityBelow as refused:
            proposal = refused.extra
        else:
            return
        named = [UUID(one["sign_up"]) for one in proposal["would_lose"]]
        if decided and len(named) == proposal["must_lose"]:  # who has come already cannot lose a place
            await resized(self.world, self.event, capacity, way=way, losing=named)

    @precondition(lambda self: not self.cancelled)
    @rule(really=SELDOM)
    def the_hub_hides_it_or_shows_it_again(self, really: bool) -> None:
        if not really and not self.hidden:
            return
        self.hidden = not self.hidden
        self._change(lambda: hidden(self.world, self.event, again=not self.hidden))

    @precondition(lambda self: not self.cancelled)
    @rule(hours=st.sampled_from((200, 200, 100, 100, 30, 3, -3)))
    def it_is_moved(self, hours: int) -> None:
        start = self.world.now + timedelta(hours=hours)
        self._change(
            lambda: changed(self.world, self.event, starts_at=start, ends_at=start + timedelta(hours=2))
        )

    @precondition(lambda self: not self.cancelled and not self.hidden)
    @rule(really=st.sampled_from((True, *[False] * 15)))
    def it_is_cancelled(self, really: bool) -> None:
        if really:
            self.cancelled = True
            self._change(lambda: cancelled(self.world, self.event))

    def _change(self, change: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A line that opens again moves by a duty that is due at once."""
        self.run(change())
        self.run(self.world.let_time_pass(seconds=0))

    # --- what always holds ---

    @invariant()
    def every_promise_is_kept(self) -> None:
        self.run(nothing_wrong(self.world))

    @invariant()
    def the_facts_tell_what_is(self) -> None:
        self.run(self._facts_agree())

    async def _facts_agree(self) -> None:
        rows = await self.world.rows("SELECT id, way, status, version, number FROM sign_up")
        said: dict[str, tuple[str, int]] = {}
        highest = dict.fromkeys(Way, 0)
        for stated in await self.world.facts():
            fact: Any = stated
            assert fact.subject_version == said.get(fact.subject, ("", 0))[1] + 1
            said[fact.subject] = (STATE_AFTER[type(fact)], fact.subject_version)
            if fact.number is not None and fact.number > highest[fact.way]:
                # Places are given in the order of commits, none left out: whatever is new is the next.
                assert fact.number == highest[fact.way] + 1
                highest[fact.way] = fact.number
        assert {str(row.id): (row.status, row.version) for row in rows} == said

    @invariant()
    def nobody_is_overtaken(self) -> None:
        self.run(self._first_come_first_served())

    async def _first_come_first_served(self) -> None:
        rows = await self.world.rows("SELECT id, way, status, number FROM sign_up")
        offered = {row.id for row in rows if row.status == "offered"}
        for new in (row for row in rows if row.id in offered - self.offered_before):
            ahead = [
                row
                for row in rows
                if (row.status, row.way) == ("waiting", new.way) and row.number < new.number
            ]
            assert ahead == []
        self.offered_before = offered


def test_the_line_keeps_its_promises(events_database: str) -> None:
    with asyncio.Runner() as runner:
        connections = Connections()

        def a_line() -> Line:
            return Line(runner, connections, events_database)

        try:
            run_state_machine_as_test(
                a_line,  # type: ignore[arg-type]  # anything that makes one will do
                settings=settings(
                    max_examples=12,
                    stateful_step_count=25,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                    database=None,
                    derandomize=True,
                    phases=(Phase.generate,),
                ),
            )
        finally:
            runner.run(connections.close())
