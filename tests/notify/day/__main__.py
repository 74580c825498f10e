"""`python -m tests.notify.day [--hubs N] [--seed N]`: lives through a day of 620 hubs and 200 000 notices.

Real are PostgreSQL, notify's consumers and senders, and the writing of every mail. Simulated are the time, directory's answers
(a table of the day's people gives them), and for four of five addresses the mail server, which only counts what it is handed:
with all of it over SMTP the day would take far longer. The others' goes over SMTP to a real one.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from dataclasses import replace

import structlog
import uvloop

from tests.notify.day.run import FULL, Outcome, Size, live
from tests.notify.world import make_world
from tests.servers import Databases, HolderProcess, ask

SHOWN = 20


def _say(sentence: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} · {sentence}\n")


async def _live(url: str, size: Size, seed: int) -> Outcome:
    async with make_world(url) as world:
        return await live(world, size, seed, _say)


def main() -> int:
    """Live through it; 1 when something was wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.notify.day", description="A simulated day of notify."
    )
    parser.add_argument("--hubs", type=int, default=FULL.hubs, help="how many hubs")
    parser.add_argument(
        "--seed", type=int, default=time.time_ns() % 100_000, help="another one is another day"
    )
    arguments = parser.parse_args()
    _say(f"seed {arguments.seed}")
    # Every mail that is put off while the mail server is away would be a line.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    holder = HolderProcess()
    try:
        databases = Databases(ask("servers")["postgres"])
        url = databases.fresh("notify")
        outcome = uvloop.run(_live(url, replace(FULL, hubs=arguments.hubs), arguments.seed))
        databases.drop()
    finally:
        holder.stop()
    for news, number in outcome.by_news.most_common():
        sys.stdout.write(f"{number:8} {news}\n")
    for fault in outcome.faults[:SHOWN]:
        sys.stdout.write(f"wrong: {fault}\n")
    sys.stdout.write(f"{outcome.notices} notices, {len(outcome.faults)} faults\n")
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
