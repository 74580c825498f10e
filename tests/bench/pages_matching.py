"""What the measurements of matching are reported as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.bench.match_exposure import Spread
from tests.bench.match_index import CONCEPTS, TOP, Found
from tests.bench.match_quality import LEARNED, REPEATED_WITHIN, SHOWN, WAYS, WEEKS, Quality
from tests.bench.member_search import Searched, Size
from tests.bench.report import Goal, Section, at_most, median, spread, table
from tests.matching.planted import REPORTED

MOST_TOP_MS = 25
MOST_RESIDENT_MB = 500
MOST_BUILD_S = 60
MOST_SEARCH_MS = 1000
LEAST_RATIO = 1.3
MOST_NEVER = 5
MOST_GROWTH = 2.0
"""Times: what a change may cost among ten times the people. Flat, but for caches."""


FIGURES = {
    f"success@{SHOWN}": "success",
    f"precision@{SHOWN}": "precision",
    "never suggested": "never",
    "exposure, Gini": "gini",
    f"repeats within {REPEATED_WITHIN} weeks": "repeats",
    "different successes per person": "successes",
}


def matches_section(worlds: Sequence[Mapping[str, Quality]], crowds: Sequence[Spread]) -> Section:
    """How good, against tag overlap and chance."""

    def over(way: str, figure: str) -> str:
        at_first, later = [one[way] for one in worlds], [one[way].weeks for one in worlds]
        found = at_first if hasattr(at_first[0], figure) else later
        return spread([float(getattr(one, figure)) for one in found], "{:.2f}")

    rows = [(way, *(over(way, figure) for figure in FIGURES.values())) for way in WAYS]
    text = f"""\
{len(worlds)} made-up federations whose truth is known, from the generator `tests/matching/planted.py`, which says what
it assumes and why; seeds {", ".join(map(str, REPORTED[: len(worlds)]))}, none of them looked at while the ranking was worked on.
All ways suggest {SHOWN} people out of the same ones, those the person may see. *success@{SHOWN}*: share of the people with one
of their truly best hundredth among the first {SHOWN}. *Tags as typed* is what existing systems keep: whoever shares most words,
offers with needs. *Tags as concepts* gives them our vocabulary, but not its relations. The last four columns are over {WEEKS}
weeks in which six in ten look each week; of Foci with what the service remembers: who was shown, who met, who was suggested
often, what came of it. *Having learned* is Foci again, from the beginning, with what those weeks taught about skills. Median
(least to most).

{table(("", *FIGURES), rows)}

Whether everybody's turn comes where many more suit than are ever among the best: all in one hub, six in ten look each week.

{table(("people", "different skills", "weeks", "never suggested", "exposure, Gini"), map(_spread, crowds))}"""
    goals = (*_quality_goals(worlds), *map(_turn_goal, crowds))
    return Section("matches", "How good matches are", text, goals)


def _spread(one: Spread) -> tuple[str, ...]:
    crowd = one.crowd
    return (
        str(crowd.members), str(crowd.skills), str(crowd.weeks), f"{100 * one.never:.2f} %", f"{one.gini:.2f}",
    )  # fmt: skip


def _turn_goal(one: Spread) -> Goal:
    what = f"never suggested of {one.crowd.members} in one hub, {one.crowd.skills} skills"
    return at_most(what, 100 * one.never, MOST_NEVER, " %", "{:.2f}")


def _quality_goals(worlds: Sequence[Mapping[str, Quality]]) -> tuple[Goal, ...]:
    seeds = f"of {len(worlds)} seeds"
    never = max(100 * one["Foci"].weeks.never for one in worlds)
    ratios = {
        way: min(one["Foci"].success / max(one[way].success, 1e-9) for one in worlds)
        for way in ("tags as typed", "tags as concepts")
    }
    better = (
        Goal(
            f"success@{SHOWN} of matches / of {way}, least {seeds}",
            f"≥ {LEAST_RATIO}",
            f"{ratio:.2f}",
            ratio >= LEAST_RATIO,
        )
        for way, ratio in ratios.items()
    )
    taught = min(one[LEARNED].success / one["Foci"].success for one in worlds)
    return (
        *better,
        Goal(f"success@{SHOWN} having learned / before, least {seeds}", "≥ 1", f"{taught:.3f}", taught >= 1),
        at_most(f"people never suggested in {WEEKS} weeks, most {seeds}", never, MOST_NEVER, " %"),
    )


def match_index_section(found: Sequence[Found]) -> Section:
    """How fast, beside a join and brute force."""
    rows = [
        (
            f"{one.people:,}".replace(",", " "),
            f"{one.build_s:.1f}",
            f"{one.resident_mb:.0f}",
            f"{_ms(one.top_s, 50):.1f} / {_ms(one.top_s, 99):.1f}",
            f"{1000 * _ms(one.change_s, 50):.0f} / {1000 * _ms(one.change_s, 99):.0f}",
            f"{1e6 * sum(one.change_s) / len(one.change_s):.0f}",
        )
        for one in found
    ]
    largest = found[-1]
    text = f"""\
Made-up people with up to four offers and three needs out of {CONCEPTS} concepts (Zipf), a hundred a hub, half of them open to
all hubs; a process of its own with nothing but the index ({largest.empty_mb:.0f} MB before it). *Top*: the best {TOP} for one of
them. *Change*: somebody's card is another one, sweeping included.

{table(("people", "build, s", "resident, MB", f"top {TOP}, ms p50 / p99", "change, µs p50 / p99", "mean"), rows)}

The same {largest.compared} questions to PostgreSQL, as one join over lean unlogged tables with an index that covers it:
{_seconds(largest.join_s)}; and to brute force, `rules/ranking.py` over everybody: {_seconds(largest.brute_s)}. Alike to the last
unit of every score in {largest.agreed} of {largest.compared}."""
    return Section("match-index", "The index of matches among a million people", text, _index_goals(found))


def _index_goals(found: Sequence[Found]) -> tuple[Goal, ...]:
    largest = found[-1]
    growth = median(largest.change_s) / median(found[0].change_s)
    return (
        at_most(
            f"top {TOP} for one of {largest.people} people, p50", _ms(largest.top_s, 50), MOST_TOP_MS, " ms"
        ),
        at_most(
            "resident memory of the index' process", largest.resident_mb, MOST_RESIDENT_MB, " MB", "{:.0f}"
        ),
        at_most("building the index", largest.build_s, MOST_BUILD_S, " s"),
        at_most("a change among ten times the people, p50, times", growth, MOST_GROWTH, "", "{:.2f}"),
        Goal(
            "index, join and brute force agree",
            f"{largest.compared} of {largest.compared}",
            f"{largest.agreed} of {largest.compared}",
            largest.agreed == largest.compared > 0,
        ),
    )


def member_search_section(found: Sequence[Searched], size: Size) -> Section:
    """What it takes to look for this and that in a large hub."""
    rows = [
        (
            "(all)" if one.words is None else one.words,
            str(one.found),
            f"{_ms(one.seconds, 50):.0f} / {_ms(one.seconds, 99):.0f}",
            ", ".join(one.whole_tables) or "none",
        )
        for one in found
    ]
    text = f"""\
One hub of {size.members} open members, each with seven offers and needs out of our vocabulary and a text; the first fifty for
one of them, {size.times} times each, in one session, who may see whom and the views included. *Read whole*: tables of people of
which a search has read more than half row by row, by PostgreSQL's own count.

{table(("words", "on the page", "ms p50 / p99", "read whole"), rows)}"""
    slowest = max(_ms(one.seconds, 50) for one in found)
    goal = at_most(
        f"search of {size.members} members, slowest words, p50", slowest, MOST_SEARCH_MS, " ms", "{:.0f}"
    )
    return Section("member-search", "Searching a large hub's members", text, (goal,))


def _ms(seconds: Sequence[float], percent: int) -> float:
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]


def _seconds(took: Sequence[float]) -> str:
    return f"{spread(took, '{:.2f}')} s"
