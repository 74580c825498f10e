"""What each measurement is reported as: its text, its tables, its goals."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench import delivery, history, openloop, scaling
from tests.bench.floor import FloorRound
from tests.bench.plan import AREAS, ROOMS
from tests.bench.report import Goal, Section, at_most, median, spread, table
from tests.bench.throughput import Round

GOAL_RATIO, AIM_RATIO = 0.12, 0.2
GOAL_CPU_MS, AIM_CPU_MS = 1.5, 1.0
MORE_BLOCKS, MORE_CPU = 4, 1.4


def throughput_section(
    floors: Sequence[FloorRound], rounds: Sequence[Round], clients: int, connections: int, sizes: str
) -> Section:
    """Ratio to the floor, and CPU by process."""
    ratios = [one.rate / floor.rate for floor, one in zip(floors, rounds, strict=True)]
    totals = [sum(one.cpu_us().values()) / 1000 for one in rounds]
    requests, refused = sum(one.requests for one in rounds), sum(one.refused for one in rounds)
    broken = sum(one.broken for one in rounds)
    text = f"""\
{len(rounds)} rounds of {rounds[0].seconds:.0f} s, floor and gateway in turns. The floor is `tests/bench/floor.sql`: the statement
of the hot path by pgbench (prepared, {clients} clients, the best of those tried) in the same database, into hubs of its own, its
outbox rows in a stream nobody relays: one booking a statement and a transaction, while booking makes those of one moment
together (ADR 21). The gateway's load comes from wrk ({connections} connections, kept alive): distinct
bookings in hubs of {ROOMS} rooms and {AREAS} areas. {refused} of {requests} requests were not answered with 2xx, {broken} not
at all. {sizes}

{_figures(floors, rounds, ratios)}

CPU per booking in µs, from the first request until relay and consumers were done (`/proc/PID/stat`, all threads; PostgreSQL
with its backends; what is done when idle is in it):

{cpu_by_process(rounds)}"""
    ratio, cpu = median(ratios), median(totals)
    goals = (
        Goal("bookings/s, gateway / floor", f"≥ {GOAL_RATIO}, aim {AIM_RATIO}", f"{ratio:.3f}", ratio >= GOAL_RATIO),
        Goal("CPU per booking, all processes", f"≤ {GOAL_CPU_MS} ms, aim {AIM_CPU_MS:.1f} ms", f"{cpu:.2f} ms",
             cpu <= GOAL_CPU_MS),
    )  # fmt: skip
    return Section("throughput", "Bookings a second, and CPU per booking", text, goals)


def _figures(floors: Sequence[FloorRound], rounds: Sequence[Round], ratios: Sequence[float]) -> str:
    return table(
        ("", "median (least to most)"),
        [
            ("floor: pgbench, bookings/s", spread([one.rate for one in floors])),
            ("gateway: bookings/s answered with 201", spread([one.rate for one in rounds])),
            ("**gateway / floor**, of the same minute", spread(ratios, "{:.3f}")),
            ("gateway: p50 under full load, ms", spread([one.p50_ms for one in rounds], "{:.1f}")),
            ("gateway: p99 under full load, ms", spread([one.p99_ms for one in rounds], "{:.1f}")),
            (
                "relay and consumers done after the last request, s",
                spread([one.settled_s for one in rounds], "{:.2f}"),
            ),
            ("floor: PostgreSQL's CPU, µs a booking", spread([one.cpu_us for one in floors])),
        ],
    )


def cpu_by_process(rounds: Sequence[Round]) -> str:
    """Microseconds of CPU for each that was done, by process."""
    by_process = {name: [one.cpu_us()[name] for one in rounds] for name in rounds[0].cpu_s}
    rows = [(name, spread(values)) for name, values in by_process.items()]
    rows.append(("**together**", spread([sum(one.cpu_us().values()) for one in rounds])))
    generator = [one.generator_cpu_s / one.requests * 1e6 for one in rounds]
    rows.append(("load generator (wrk), not counted", spread(generator)))
    return table(("process", "median (least to most)"), rows)


def latency_section(found: openloop.OpenLoopRun) -> Section:
    """Open loop at half the peak."""
    rows = [
        ("p50", found.p50_ms),
        ("p90", found.p90_ms),
        ("p99", found.p99_ms),
        ("p99.9", found.p999_ms),
        ("most", found.max_ms),
    ]
    lasted = found.requests / found.rate
    text = f"""\
Half the peak above: {found.rate:.0f} bookings/s at even distances for {lasted:.0f} s by `tests/bench/openloop.c`,
whether or not earlier ones have been answered. Times count from when a request was due, so waiting for a stalled service
is in them. {found.good} of {found.requests} answered with 2xx, {found.refused} refused, {found.unanswered} unanswered. The
generator took {found.cpu_s / found.requests * 1e6:.0f} µs of CPU a request.

{table(("share", "ms from due to answered"), [(name, f"{value:.1f}") for name, value in rows])}"""
    goal = Goal(
        "open loop at half the peak: errors",
        "none",
        str(found.requests - found.good),
        found.good == found.requests,
    )
    return Section("latency", "Latency at half the peak, open loop", text, (goal,))


def delivery_section(found: delivery.Delivery) -> Section:
    """From commit to subscriber."""
    moments = {
        "stated (before the commit)": found.from_stated,
        "**committed**": found.from_committed,
        "answered (after the commit)": found.from_answered,
    }
    rows = [(name, f"{it.p50:.1f}", f"{it.p99:.1f}", f"{it.most:.1f}") for name, it in moments.items()]
    text = f"""\
Two replicas of booking, {
        delivery.RATE:.0f} bookings/s through the gateway at even distances; a subscriber of the stream BOOKING
in a process of its own (nats-py, push, no acknowledgements). All clocks are the machine's own. *Committed* is the end of the
span `{
        delivery.COMMITTED
    }`, when PostgreSQL's word that the booking is committed and on disk has arrived where it was asked for;
for that every trace is recorded and exported here, not one in twenty. *Stated* is the outbox row's `stated_at`:
`clock_timestamp()` while the statement runs, before the commit and its fsync. *Answered* is when the HTTP answer had
reached the person; below zero means the subscriber knew first. {found.facts} facts heard, {
        found.missing
    } missing, {found.untraced} without their span, {found.refused} requests refused.

{table(("to the subscriber, from", "p50 ms", "p99 ms", "most ms"), rows)}"""
    goals = (
        at_most("commit to subscriber, p50", found.from_committed.p50, 5, " ms"),
        at_most("commit to subscriber, p99", found.from_committed.p99, 25, " ms"),
        Goal(
            "commit to subscriber: facts missing, or without the moment of their commit",
            "none",
            str(found.missing + found.untraced),
            found.missing + found.untraced == 0,
        ),
    )
    return Section("delivery", "Commit to subscriber", text, goals)


def scaling_section(costs: Sequence[scaling.Cost]) -> Section:
    """The cost of a reserve by size."""
    first, last = costs[0], costs[-1]
    grown = f"{first.size} → {last.size}"
    crowded = max(costs, key=lambda cost: cost.size.bookings / cost.size.hubs)
    rows = [
        (cost.size, f"{cost.index_blocks:.1f}", f"{cost.all_blocks:.1f}", f"{cost.cpu_us:.0f}",
         f"{cost.cpu_us / first.cpu_us:.2f}", f"{cost.loaded_in_s:.0f}")
        for cost in costs
    ]  # fmt: skip
    by_index = [
        (name, *(f"{cost.by_index[name]:.1f}" for cost in costs))
        for name in sorted(first.by_index, key=lambda name: -first.by_index[name])
        if any(cost.by_index[name] for cost in costs)
    ]
    head = ("size", "index blocks", "blocks in all", "CPU µs", "× the first", "loaded in s")
    text = f"""\
Per reserve, on a PostgreSQL of its own with the stack's settings, filled by `tests/bench/scaling.py`: bookings over years,
a third of them ahead, 5 % cancelled, inserted in mixed order into the indexes as they are; {scaling.FILLINGS} databases of each
size in turn. Index blocks: the difference of `pg_statio_user_indexes` around the real statement in a transaction that is
rolled back, mean of many; blocks in all: `EXPLAIN (ANALYZE, BUFFERS)` of the same. CPU: PostgreSQL's while pgbench runs
`floor.sql`, {scaling.CLIENTS} clients, median of five runs.

{table(head, rows)}

The goals are about a federation that grows in both: {grown}. The most crowded size, {crowded.size},
needs {crowded.index_blocks - first.index_blocks:+.1f} index blocks and {crowded.cpu_us / first.cpu_us:.2f} × the CPU of the
first: the entries of a hub's many units overlap in the pages of `booking_no_overlap`.

The same by index, means:

{table(("index", *(str(cost.size) for cost in costs)), by_index)}"""
    return Section("scaling", "From small to large", text, _scaling_goals(first, last, grown))


def _scaling_goals(first: scaling.Cost, last: scaling.Cost, grown: str) -> tuple[Goal, ...]:
    blocks = last.index_blocks - first.index_blocks
    cpu = last.cpu_us / first.cpu_us
    return (
        Goal(
            f"index blocks per reserve, {grown}",
            f"≤ +{MORE_BLOCKS}",
            f"{blocks:+.1f}",
            blocks <= MORE_BLOCKS,
        ),
        Goal(f"CPU per reserve, {grown}", f"≤ {MORE_CPU} ×", f"{cpu:.2f} ×", cpu <= MORE_CPU),
    )


def history_section(found: history.History) -> Section:
    """What the check of the run that made the figures found."""
    rows = [
        ("bookings answered with 201", found.answered),
        ("bookings in the database (those cut off at the end of a run included)", found.bookings),
        ("answered twice with one id", found.twice_answered),
        ("answered, not in the database exactly once", found.not_booked),
        ("answered, not in the outbox exactly once", found.not_stated),
        ("answered, the answer not kept exactly once under its key", found.not_kept),
        ("pairs of live bookings that overlap on a unit", found.overlaps),
        ("facts in the outbox and not in the stream", found.missing_in_stream),
    ]
    text = "Checked on the run that made the figures above, warm-up included.\n\n" + table(
        ("what", "found"), rows
    )
    goal = Goal("history: faults", "none", str(found.faults), found.faults == 0)
    return Section("throughput", "The history of that run", text, (goal,))
