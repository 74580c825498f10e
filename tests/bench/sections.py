"""The measurements, in an order in which one feeds the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import (
    delivery,
    history,
    live,
    match_exposure,
    match_index,
    match_quality,
    member_search,
    openloop,
    scaling,
    sign_ups,
    skills,
    telling,
)
from tests.bench.floor import Floor, definitions
from tests.bench.machine import Memory, memory
from tests.bench.pages import (
    delivery_section,
    history_section,
    latency_section,
    scaling_section,
    throughput_section,
)
from tests.bench.pages_events import sign_ups_section
from tests.bench.pages_live import live_section
from tests.bench.pages_matching import match_index_section, matches_section, member_search_section
from tests.bench.pages_skills import skills_section
from tests.bench.plan import PLACES, Plan
from tests.bench.report import Say, Section, median, table
from tests.bench.stack import Stack
from tests.bench.throughput import Load
from tests.bench.world import fill

_SIZES = """
    SELECT (SELECT avg(length(body) + length(headers)) FROM outbox WHERE stream = 'BOOKING')::int AS stated,
           (SELECT avg(length(answer)) FROM idempotency_key WHERE key LIKE 'bench-%' AND fingerprint <> $1)::int AS kept,
           (SELECT count(*) FROM booking WHERE hub LIKE 'floor-%') AS inserted
"""


@dataclass(frozen=True)
class Lengths:
    """How long and how large."""

    hubs: int
    people: int
    rounds: int
    round_s: int
    warm_up_s: int
    open_loop_s: int
    delivery_s: int


FULL = Lengths(hubs=30, people=10, rounds=5, round_s=10, warm_up_s=10, open_loop_s=30, delivery_s=60)
QUICK = Lengths(hubs=4, people=3, rounds=2, round_s=2, warm_up_s=1, open_loop_s=3, delivery_s=3)


@dataclass
class Bench:
    """One run of the bench: what it measures with and what it has found."""

    folder: Path
    lengths: Lengths
    quick: bool
    say: Say
    peak: float | None = None
    answered: list[str] = field(default_factory=list)
    idle: dict[str, Memory] = field(default_factory=dict)

    # --- one stack for everything that needs a single booking replica ---

    def under_load(self, wanted: Sequence[str]) -> list[Section]:
        """Throughput, open-loop latency, history and memory, on one stack."""
        sections = []
        self.say("starting the stack")
        with Stack(self.folder / "home") as stack:
            self.idle = memory(stack.processes)
            self.say(f"{self.lengths.hubs} hubs with {PLACES} places and {self.lengths.people} people each")
            plan = fill(stack, hubs=self.lengths.hubs, people=self.lengths.people)
            load = Load(stack, plan, self.folder)
            if {"throughput", "latency", "memory"} & set(wanted):
                sections.append(self._throughput(stack, plan, load))
            if "latency" in wanted:
                sections.append(self._latency(stack, plan, load))
            sections.append(self._history(stack, load))
            if "memory" in wanted:
                sections.append(self._memory(memory(stack.processes)))
        return sections

    def _throughput(self, stack: Stack, plan: Plan, load: Load) -> Section:
        floor = Floor(stack.database_url(), stack.processes["postgres"], plan)
        self.say("warming up")
        load.run(self.lengths.warm_up_s)
        floor.choose_clients(max(self.lengths.warm_up_s // 3, 1))
        floors, rounds = [], []
        for number in range(1, self.lengths.rounds + 1):
            floors.append(floor.run(self.lengths.round_s))
            rounds.append(load.run(self.lengths.round_s))
            self.say(
                f"round {number} of {self.lengths.rounds}: floor {floors[-1].rate:.0f}/s, gateway {rounds[-1].rate:.0f}/s, "
                f"CPU {sum(rounds[-1].cpu_us().values()):.0f} µs a booking"
            )
        self.peak = median(one.rate for one in rounds)
        return throughput_section(floors, rounds, floor.clients, load.connections, self._sizes(stack, floor))

    def _sizes(self, stack: Stack, floor: Floor) -> str:
        texts = definitions()
        row = stack.sql(_SIZES, texts["fingerprint"])[0]
        return (
            f"{row['inserted']} of the floor's {floor.transactions} transactions found their place free.\n"
            f"Characters a booking: outbox {row['stated']} through the gateway and "
            f"{len(texts['body'] + texts['headers'])} in the floor, kept answer {row['kept']} and {len(texts['answer'])}."
        )

    def _latency(self, stack: Stack, plan: Plan, load: Load) -> Section:
        rate = round((self.peak or 200.0) / 2)
        self.say(f"open loop at {rate}/s")
        found = openloop.run(
            stack.url,
            plan,
            first=load.number,
            rate=rate,
            seconds=self.lengths.open_loop_s,
            folder=self.folder,
        )
        load.number += found.requests
        self.answered += [one.booking for one in found.answers if one.status == 201]
        stack.settle()
        return latency_section(found)

    def _history(self, stack: Stack, load: Load) -> Section:
        self.say("checking the history of everything that was answered")
        if load.record.exists():
            self.answered += history.answered_bookings(load.record)
        found = history.check(stack, self.answered, definitions()["fingerprint"])
        return history_section(found)

    def _memory(self, loaded: Mapping[str, Memory]) -> Section:
        rows = [
            (name, f"{self.idle[name].resident:.0f}", f"{it.resident:.0f}", f"{self.idle[name].proportional:.0f}",
             f"{it.proportional:.0f}")
            for name, it in loaded.items()
        ]  # fmt: skip
        total = [sum(one.proportional for one in some.values()) for some in (self.idle, loaded)]
        rows.append(("together", "", "", f"{total[0]:.0f}", f"{total[1]:.0f}"))
        head = ("MB", "resident, idle", "resident, after load", "shared pages once, idle", "… after load")
        text = (
            table(head, rows)
            + "\n\nPostgreSQL is the server with all its backends; its resident figure counts shared "
            "buffers once per backend, so the right-hand columns are the ones to add up."
        )
        return Section("memory", "Resident memory", text)

    # --- two replicas ---

    def delivered(self) -> list[Section]:
        """From commit to subscriber, with two replicas of booking."""
        self.say("starting the stack with two replicas of booking")
        traces = self.folder / "traces"
        with Stack(self.folder / "home-2", replicas={"booking": 2}, traces=traces) as stack:
            plan = fill(stack, hubs=self.lengths.hubs, people=self.lengths.people)
            load = Load(stack, plan, self.folder)
            load.run(min(self.lengths.warm_up_s, 3))
            self.say(f"{delivery.RATE:.0f} bookings a second, a subscriber beside")
            found = delivery.measure(
                stack,
                plan,
                first=load.number,
                seconds=self.lengths.delivery_s,
                folder=self.folder,
                traces=traces,
            )
        return [delivery_section(found)]

    # --- events ---

    def signed_up(self) -> list[Section]:
        """Sign-ups, spread over many events and all at one, in turns; and a rush."""
        size = sign_ups.QUICK if self.quick else sign_ups.FULL
        self.say("starting the stack for sign-ups")
        with Stack(self.folder / "home-3") as stack:
            self.say(
                f"{size.hubs} hubs with {size.people} people and {size.events} events each, a crowd of {size.crowd}"
            )
            load = sign_ups.SignUpLoad(stack, sign_ups.fill(stack, size), self.folder)
            for one in (False, True):
                load.run(max(self.lengths.warm_up_s / 2, 1), one=one)
            spread, single = [], []
            for number in range(1, self.lengths.rounds + 1):
                spread.append(load.run(self.lengths.round_s, one=False))
                single.append(load.run(self.lengths.round_s, one=True))
                rates = f"spread {spread[-1].rate:.0f}/s, at one event {single[-1].rate:.0f}/s"
                costs = " and ".join(f"{sum(some[-1].cpu_us().values()):.0f}" for some in (spread, single))
                self.say(f"round {number} of {self.lengths.rounds}: {rates}, CPU {costs} µs a sign-up")
            self.say(f"{size.crowd} people at once")
            rush = sign_ups.rush(stack, load.plan, self.folder)
            found = sign_ups.check(stack, load.record)
        return [sign_ups_section(size, spread, single, rush, found)]

    def scaled(self) -> list[Section]:
        """The cost of a booking from small to large."""
        folder = self.folder / "scale"
        folder.mkdir()
        return [scaling_section(scaling.measure(folder, quick=self.quick, say=self.say))]

    # --- notify ---

    def told(self) -> list[Section]:
        """Notices a second, from the fact to the mail server."""
        return [telling.told(self.folder, self._telling, self.say)]

    def hooked(self) -> list[Section]:
        """Webhooks a second."""
        return [telling.hooked(self.folder, self._telling, self.say)]

    def remembered(self) -> list[Section]:
        """Notify's memory over many notices."""
        return [telling.remembered(self.folder, self._telling, self.say)]

    # --- the gateway ---

    def read_along(self) -> list[Section]:
        """Many readers of what happens."""
        size = live.QUICK if self.quick else live.FULL
        self.say("starting the stack for readers")
        with Stack(self.folder / "home-9") as stack:
            plan = fill(stack, hubs=1, people=live.PEOPLE)
            return [live_section(live.measure(stack, plan, size, self.folder, self.say))]

    # --- matching ---

    def matched(self) -> list[Section]:
        """How good matches are where the truth is known."""
        worlds = match_quality.measured(quick=self.quick, say=self.say)
        return [matches_section(worlds, match_exposure.measured(quick=self.quick, say=self.say))]

    def understood(self) -> list[Section]:
        """How often somebody's words find the skill that is meant."""
        return [skills_section(skills.measured(self.say))]

    def indexed(self) -> list[Section]:
        """How fast the index is, at a tenth of the people and at all of them."""
        sizes = (
            (match_index.QUICK, match_index.QUICK) if self.quick else (match_index.SMALLER, match_index.FULL)
        )
        with Stack(self.folder / "home-8") as stack:
            url = stack.database_url("postgres")
            return [match_index_section([match_index.measure(size, url, self.say) for size in sizes])]

    def searched(self) -> list[Section]:
        """How long a large hub's members take to be searched."""
        size = member_search.QUICK if self.quick else member_search.FULL
        with Stack(self.folder / "home-9") as stack:
            url = stack.database_url("matching").replace("postgresql://", "postgresql+asyncpg://", 1)
            return [member_search_section(member_search.measured(url, size, self.say), size)]

    @property
    def _telling(self) -> telling.Size:
        return telling.QUICK if self.quick else telling.FULL
