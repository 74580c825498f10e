"""What the measurements of events are reported as."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.pages import cpu_by_process
from tests.bench.report import Goal, Section, spread, table
from tests.bench.sign_ups import CONNECTIONS, PLACES, Rush, SignUpHistory, Size
from tests.bench.throughput import Round


def sign_ups_section(
    size: Size, spread_out: Sequence[Round], single: Sequence[Round], rush: Rush, found: SignUpHistory
) -> Section:
    """Sign-ups a second and what each costs; the rush; the history of all of it."""
    rounds = [*spread_out, *single]
    refused, requests = sum(one.refused for one in rounds), sum(one.requests for one in rounds)
    broken = sum(one.broken for one in rounds)
    text = f"""\
{len(spread_out)} rounds of {spread_out[0].seconds:.0f} s of each kind in turns, by wrk over 64 connections: distinct people,
each with a token and an idempotency key, at events with {PLACES} places and a waiting line. *Spread*: over
{size.hubs * size.events} events of {size.hubs} hubs in turn. *At one*: a crowd of {size.crowd} people at one event, then at
the next. {refused} of {requests} requests were not answered with 2xx, {broken} not at all.

{_figures(spread_out, single)}

CPU per sign-up in µs, spread:

{cpu_by_process(spread_out)}

CPU per sign-up in µs, at one:

{cpu_by_process(single)}

The rush: {rush.people} people sign up for one event in the same moment, over {min(CONNECTIONS, rush.people)} connections.
Answers: {_answers(rush)}; the last after {rush.worst_ms / 1000:.1f} s. {rush.attending} attend and {rush.waiting} stand in
line; whoever heard 503 was told to come back, and hears under the same key what became of it.

{_history(found)}"""
    goals = (
        Goal("sign-ups: faults in the history", "none", str(found.faults), found.faults == 0),
        Goal(f"{rush.people} sign-ups at once: neither 201 nor 503, or miscounted", "none", str(rush.faults), rush.faults == 0),
    )  # fmt: skip
    return Section("sign-ups", "Sign-ups a second, and CPU per sign-up", text, goals)


def _figures(spread_out: Sequence[Round], single: Sequence[Round]) -> str:
    rows = [
        ("sign-ups/s answered with 201", *(spread([one.rate for one in some]) for some in (spread_out, single))),
        ("p50 under full load, ms", *(spread([one.p50_ms for one in some], "{:.1f}") for some in (spread_out, single))),
        ("p99 under full load, ms", *(spread([one.p99_ms for one in some], "{:.1f}") for some in (spread_out, single))),
        ("relay done after the last request, s",
         *(spread([one.settled_s for one in some], "{:.2f}") for some in (spread_out, single))),
    ]  # fmt: skip
    return table(("median (least to most)", "spread", "at one"), rows)


def _answers(rush: Rush) -> str:
    named = {0: "none"}
    return ", ".join(
        f"{number} × {named.get(status, status)}" for status, number in sorted(rush.answers.items())
    )


def _history(found: SignUpHistory) -> str:
    rows = [
        ("sign-ups answered with 201", found.answered),
        ("answered twice with one id", found.twice_answered),
        ("events counted wrong, overfull, or with people waiting beside a free place", found.miscounted),
        ("facts whose number is not the next of its event, in the order of commits", found.disordered),
        ("answered, not in the database", found.missing),
        ("answered, the answer not kept exactly once under its key", found.not_kept),
    ]
    return table(("what", "found"), rows)
