"""The figures as plain tables, with the goals and whether they are reached: docs/benchmarks.md."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

COMMAND = "python -m tests.bench"

INTRODUCTION = """\
# Benchmarks

Written by `make bench` ({command}), each section when it was measured last; do not edit. Everything runs on the one
machine below: PostgreSQL, nats-server, directory, booking, events, gateway, the load generator and a sink for traces share
its cores. On are, as in production: authentication (signed tokens, roles looked up in directory and remembered for 30 s),
idempotency keys, fsync of PostgreSQL and of JetStream (`sync_interval: always`), NATS permissions, tracing with {sampled} of
the traces exported over OTLP, metrics, JSON logs. Only the rate limit is set out of reach. Notify and matching run where
they are measured and nowhere else: what it costs to tell somebody stands there and is in no other figure. Throughput says
little across machines; ratios to the floor and CPU per booking say more.
"""

CLOSING = """\
## Where the time goes

`{command} --profile gateway` (or `booking`, `directory`) runs the load and samples that process with py-spy, which is no
part of the locks: install it into an environment of its own and put it on the PATH. PostgreSQL: `perf top -p`, or
`pg_stat_statements`. The figures of a process that is being sampled are not comparable with those above.
"""


def median(values: Iterable[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def spread(values: Sequence[float], form: str = "{:.0f}") -> str:
    """Median, with the least and the most in brackets."""
    return f"{form.format(median(values))} ({form.format(min(values))} to {form.format(max(values))})"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table whose source is readable too."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


@dataclass(frozen=True)
class Goal:
    """A figure, what it should be, and what it is."""

    what: str
    wanted: str
    found: str
    reached: bool

    @property
    def verdict(self) -> str:
        """In a word."""
        return "reached" if self.reached else "**missed**"


def at_most(what: str, found: float, wanted: float, unit: str, form: str = "{:.1f}") -> Goal:
    """A goal that is a ceiling."""
    return Goal(what, f"≤ {wanted:g}{unit}", f"{form.format(found)}{unit}", found <= wanted)


@dataclass
class Section:
    """One heading with its text, its goals, and the command that shows it alone."""

    name: str
    title: str
    text: str
    goals: tuple[Goal, ...] = ()
    measured: str = ""
    """When, of which commit, beside what load; empty for the run that is going on."""

    def markdown(self) -> str:
        """As it stands in the document."""
        when = f" Measured {self.measured}." if self.measured else ""
        return f"## {self.title}\n\nShown by `{COMMAND} --only {self.name}`.{when}\n\n{self.text}\n"


@dataclass
class Report:
    """Everything one run has found."""

    day: date
    machine: dict[str, str]
    load_before: str
    load_after: str
    sampled: str
    quick: bool
    sections: list[Section] = field(default_factory=list)

    @property
    def measured(self) -> str:
        """When this run was, of which commit, beside what load."""
        load = f"load average {self.load_before} before and {self.load_after} after"
        return f"{self.day.isoformat()} at {self.machine['Commit']}, {load}"

    def markdown(self) -> str:
        """The document; the machine is that of the last run."""
        about = {"Date": self.day.isoformat(), **self.machine}
        about["Load average before and after"] = f"{self.load_before}; {self.load_after} (1, 5, 15 minutes)"
        goals = [
            (goal.what, goal.wanted, goal.found, goal.verdict)
            for section in self.sections
            for goal in section.goals
        ]
        parts = [INTRODUCTION.format(command=f"`{COMMAND}`", sampled=self.sampled)]
        if self.quick:
            parts.append(
                "**A quick try: runs too short and fillings too small for the figures to mean anything.**\n"
            )
        parts.append(table(("Machine", ""), about.items()) + "\n")
        parts.append("## Goals\n\n" + table(("What", "Goal", "Found", ""), goals) + "\n")
        return "\n".join(
            [*parts, *(section.markdown() for section in self.sections), CLOSING.format(command=COMMAND)]
        )


Say = Callable[[str], None]
