"""`python -m tests.bench [--quick] [--only NAME …] [--write | --no-write] [--profile PROCESS]`."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tests.bench import document
from tests.bench.machine import ROOT, description, load_average
from tests.bench.openloop import CompilerMissing
from tests.bench.profiling import ProfilerMissing, sample
from tests.bench.report import Report, Section
from tests.bench.sections import FULL, QUICK, Bench
from tests.bench.stack import SAMPLED, Stack
from tests.bench.throughput import Load, WrkMissing, wrk
from tests.bench.world import fill

NAMES = (
    "throughput", "latency", "memory", "delivery", "sign-ups", "scaling", "notices", "webhooks", "notice-memory",
    "matches", "match-index", "member-search", "skills", "live",
)  # fmt: skip
ONE_STACK = {"throughput", "latency", "memory"}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measure Foci on this machine."
    )
    parser.add_argument(
        "--quick", action="store_true", help="seconds instead of minutes, to try the bench itself"
    )
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, default=list(NAMES), help="these measurements alone"
    )
    parser.add_argument(
        "--write", action=argparse.BooleanOptionalAction, default=None,
        help="put what was measured into docs/benchmarks.md (otherwise only after a whole run that was not quick)",
    )  # fmt: skip
    parser.add_argument("--date", type=date.fromisoformat, help="the day to be written; otherwise today")
    parser.add_argument(
        "--profile", choices=("gateway", "booking", "directory"), help="sample that process under load"
    )
    return parser.parse_args()


def _say(sentence: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} · {sentence}\n")


def _profile(process: str, folder: Path, seconds: float) -> str:
    with Stack(folder / "home") as stack:
        load = Load(stack, fill(stack, hubs=10, people=10), folder)
        load.run(seconds / 3)
        return sample(load, process, seconds)


def _measure(arguments: argparse.Namespace, folder: Path) -> Report:
    bench = Bench(folder, QUICK if arguments.quick else FULL, quick=arguments.quick, say=_say)
    before, sections = load_average(), []
    parts: tuple[tuple[set[str], Callable[[], list[Section]]], ...] = (
        (ONE_STACK, lambda: bench.under_load(arguments.only)),
        ({"delivery"}, bench.delivered),
        ({"sign-ups"}, bench.signed_up),
        ({"scaling"}, bench.scaled),
        ({"notices"}, bench.told),
        ({"webhooks"}, bench.hooked),
        ({"notice-memory"}, bench.remembered),
        ({"matches"}, bench.matched),
        ({"match-index"}, bench.indexed),
        ({"member-search"}, bench.searched),
        ({"skills"}, bench.understood),
        ({"live"}, bench.read_along),
    )
    for names, part in parts:
        if names & set(arguments.only):
            found = part()
            # At once: what comes after may fail, and these took minutes.
            sys.stderr.write("\n\n".join(section.markdown() for section in found) + "\n\n")
            sections += found
    return Report(
        day=arguments.date or date.today(),  # noqa: DTZ011  # the day where the machine stands
        machine=description(),
        load_before=before,
        load_after=load_average(),
        sampled=f"{float(SAMPLED):.0%}",
        quick=arguments.quick,
        sections=sections,
    )


def main() -> int:
    """Measure, show, and write."""
    arguments = _arguments()
    # Told to end it leaves as after an error, which stops the stacks it has started.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        if arguments.profile or (ONE_STACK | {"sign-ups"}) & set(arguments.only):
            wrk()  # says now, not in a quarter of an hour, that it is missing
        with tempfile.TemporaryDirectory(prefix="foci-bench-", ignore_cleanup_errors=True) as folder:
            if arguments.profile:
                sys.stdout.write(
                    _profile(arguments.profile, Path(folder), 3 if arguments.quick else 15) + "\n"
                )
                return 0
            report = _measure(arguments, Path(folder))
    except (WrkMissing, CompilerMissing, ProfilerMissing) as missing:
        sys.stderr.write(f"{missing}\n")
        return 2
    sys.stdout.write(report.markdown())
    whole = not arguments.quick and set(arguments.only) == set(NAMES)
    if whole if arguments.write is None else arguments.write:
        document.write(report, NAMES)
        _say(f"written: {document.DOCUMENT.relative_to(ROOT)}")
    missed = [goal.what for section in report.sections for goal in section.goals if not goal.reached]
    _say("every goal reached" if not missed else f"missed: {'; '.join(missed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
