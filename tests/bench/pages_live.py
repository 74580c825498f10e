"""What the measurement of live streams is reported as."""

from __future__ import annotations

from tests.bench.delivery import Times
from tests.bench.live import Live
from tests.bench.report import Goal, Section, at_most, table

GOAL_MS = 1000.0


def live_section(found: Live) -> Section:
    """Time to the last reader, memory and CPU."""
    size, facts = found.size, len(found.told)
    last, spread = (
        Times.of(one.to_last_ms for one in found.told),
        Times.of(one.spread_ms for one in found.told),
    )
    missing = sum(size.readers - one.reached for one in found.told) + (size.facts - facts) * size.readers
    rows = [
        ("from sending the order to its fact at the last reader, ms", *_in_words(last)),
        ("from the first reader to the last, ms", *_in_words(spread)),
    ]
    text = f"""\
{size.readers} readers of one hub on one replica of the gateway (`tests/bench/liveload.c`), every other one signed in, and
one fact for all of them every {size.each_s:g} s, {facts} in all: a space is opened through the same gateway, and the time counts
from sending that order. {missing} of {size.readers * size.facts} messages did not arrive; {found.closed} streams were closed.

{table(("", "p50", "p99", "most"), rows)}

A reader takes {found.kb_per_reader:.0f} kB of the gateway's resident memory, sockets of the kernel apart. A fact for all of them
takes the gateway {found.gateway_cpu_ms:.0f} ms of CPU, {1000 * found.gateway_cpu_ms / size.readers:.0f} µs a reader, the order,
heartbeats and idling included. The readers together took {found.load_cpu_s:.2f} s of CPU in {found.seconds:.0f} s."""
    goals = (
        at_most(f"a fact at the last of {size.readers} readers, p99", last.p99, GOAL_MS, " ms", "{:.0f}"),
        Goal("live messages that did not arrive", "0", str(missing), missing == 0),
    )
    return Section("live", "Reading along", text, goals)


def _in_words(times: Times) -> tuple[str, str, str]:
    return f"{times.p50:.0f}", f"{times.p99:.0f}", f"{times.most:.0f}"
