"""`python -m tests.notify.anything [--examples N] [--steps N] [--seed N]`: lets anything happen for as long as one likes."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence

import structlog
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.notify.anything.happenings import Anything
from tests.servers import Databases, HolderProcess, ask

EVERY = 100


def thorough(
    examples: int,
    steps: int,
    *,
    derandomize: bool = False,
    phases: Sequence[Phase] = (Phase.generate, Phase.shrink),
) -> settings:
    """How Hypothesis goes about it: each example is a story of so many steps on a real database."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=derandomize,
        phases=tuple(phases),
        report_multiple_bugs=False,
    )


def _anything(url: str, examples: int, steps: int, number: int, *, shrink: bool) -> int:
    """How many examples were tried; AssertionError for the first that went wrong."""
    tried = 0

    def one() -> Anything:
        nonlocal tried
        tried += 1
        if tried % EVERY == 0:
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} · {tried} examples\n")
        return Anything(url)

    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    run_state_machine_as_test(
        seed(number)(one),  # type: ignore[arg-type]  # anything that makes one will do
        settings=thorough(examples, steps, phases=phases),
    )
    return tried


def main() -> int:
    """Let it happen; a story that goes wrong is an AssertionError with all of its steps."""
    parser = argparse.ArgumentParser(prog="python -m tests.notify.anything")
    parser.add_argument("--examples", type=int, default=1000, help="how many stories")
    parser.add_argument("--steps", type=int, default=50, help="of how many steps at most")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000, help="others are other stories")
    parser.add_argument("--shrink", action="store_true", help="look for the shortest story that goes wrong")
    arguments = parser.parse_args()
    sys.stderr.write(f"seed {arguments.seed}\n")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    holder = HolderProcess()
    try:
        databases = Databases(ask("servers")["postgres"])
        url = databases.fresh("notify")
        tried = _anything(url, arguments.examples, arguments.steps, arguments.seed, shrink=arguments.shrink)
        databases.drop()
    finally:
        holder.stop()
    sys.stdout.write(f"{tried} examples, nothing wrong\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
