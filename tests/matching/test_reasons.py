"""Reasons are said in the reader's language, and rest on nothing but what is said to be used."""

from __future__ import annotations

import dataclasses
import inspect
import re
from uuid import UUID

import pytest

from services.matching.index import rows
from services.matching.queries import matches
from services.matching.rules import ranking
from services.matching.rules.ranking import Card, Context, Found, Known, Meeting
from services.matching.rules.reasons import CATALOGS, INPUTS, reasons
from shared.contracts.matching.matches import Input
from shared.kit.translations import path_of
from tests.matching import catalogs
from tests.notify.catalogs import faults

LABELS = {
    "en": {"bookkeeping": "bookkeeping", "law": "law", "pr": "PR", "photography": "photography", "video": "video"},
    "sv": {"bookkeeping": "bokföring", "law": "juridik", "pr": "PR", "photography": "fotografering", "video": "video"},
    "da": {"bookkeeping": "bogføring", "law": "jura", "pr": "PR", "photography": "fotografering", "video": "video"},
}  # fmt: skip


def _found(got: tuple[str, ...], given: tuple[str, ...]) -> Found:
    """Pairs `mine<theirs`, or one word for the same on both sides; the first is worth most."""

    def meetings(pairs: tuple[str, ...]) -> tuple[Meeting, ...]:
        halves = (one.split("<") for one in pairs)
        return tuple(Meeting(half[0], half[-1], 100 - n) for n, half in enumerate(halves))

    return Found(1, meetings(got), meetings(given))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("offers bookkeeping, which you need", "looks for photography, which you offer")),
        ("sv", ("erbjuder bokföring, som du behöver", "söker fotografering, som du erbjuder")),
        ("da", ("tilbyder bogføring, som du har brug for", "søger fotografering, som du tilbyder")),
        ("fi", ("offers bookkeeping, which you need", "looks for photography, which you offer")),
    ],
)
def test_both_directions_are_said_in_the_readers_language(language: str, said: tuple[str, ...]) -> None:
    labels = LABELS.get(language, LABELS["en"])
    assert reasons(_found(("bookkeeping",), ("photography",)), labels, language) == said


def test_several_skills_are_a_list_as_the_language_writes_lists() -> None:
    found = _found(("bookkeeping", "law", "pr"), ())
    assert reasons(found, LABELS["en"], "en-GB") == ("offers bookkeeping, law and PR, which you need",)
    assert reasons(found, LABELS["sv"], "sv-SE") == ("erbjuder bokföring, juridik och PR, som du behöver",)
    assert reasons(found, LABELS["da"], "da") == ("tilbyder bogføring, jura og PR, som du har brug for",)


def test_what_is_only_near_is_said_to_be_so() -> None:
    found = _found(("photography<video",), ("bookkeeping<law", "pr"))
    assert reasons(found, LABELS["en"], "en") == (
        "offers video, close to what you need: photography",
        "looks for law, close to what you offer: bookkeeping",
        "looks for PR, which you offer",
    )


def test_a_label_is_text_whatever_stands_in_it() -> None:
    labels = {"pr": "100 % %(near)s {0}"}
    assert reasons(_found(("pr",), ()), labels, "en") == ("offers 100 % %(near)s {0}, which you need",)


@pytest.mark.parametrize("language", catalogs.TRANSLATED)
def test_every_reason_is_translated(language: str) -> None:
    raw = path_of(CATALOGS, language).read_bytes()
    assert faults(raw, language, catalogs.words()) == []
    assert catalogs.update(language, catalogs.words()) == raw, "run `python -m tests.matching.catalogs`"


# --- "Why am I shown this?" ---

_OF_PEOPLE = {"person"}
"""Whose it is: the id, by which nobody is ranked but ties."""
_TABLES = {
    "profile": {"person", "kept_by", "visibility", "paused", "languages"},
    "statement": {"person", "side", "concept", "level", "until"},
    "membership": {"person", "hub", "role", "left_at"},
    "consent": {"person", "hub", "withdrawn_at"},
}
"""All that is read of people's own tables to rank them: what they offer and need and in which languages, where they belong,
and who may find them (`kept_by`: whose belonging counts for an organisation)."""


def test_the_constant_names_everything_ranking_takes_of_people() -> None:
    taken = {one.name for one in dataclasses.fields(Card)} - _OF_PEOPLE
    # A turn is drawn from nothing but the reader's id and the day.
    taken |= {one.name for one in dataclasses.fields(Context)} - {"hub", "turn"}
    taken |= {one.name for one in dataclasses.fields(Known)} - {"weigh", "places"}
    taken |= set(inspect.signature(ranking.rest).parameters) - {"usual"}
    assert set(INPUTS) == taken
    assert set(INPUTS.values()) == set(Input)


def test_ranking_reads_no_other_column_of_people() -> None:
    aliases = {"p": "profile", "s": "statement", "own": "membership", "c": "consent"}
    for module in (rows, matches):
        source = inspect.getsource(module)
        read = re.findall(r"\b(p|s|own|c)\.([a-z_]+)\b", source)
        assert {
            (aliases[one], column) for one, column in read if column not in _TABLES[aliases[one]]
        } == set()
        assert not re.search(r"SELECT\s+(?:\w+\.)?\*", source)
        assert not re.search(
            r"\b(about|talk_about|fields|name|words|owner_kind)\b",
            "".join(re.findall(r'text\(\s*f?"""(.*?)"""', source, re.DOTALL)),
        )


def test_equal_people_are_ranked_alike_whoever_they_are() -> None:
    one, other = (
        Card(UUID(int=n), ("a",), ("a",), False, ("sv",), (("law", 2),), (("pr", 1),)) for n in (1, 2)
    )
    known = ranking.Known({}, lambda _: 3, {})
    reader = Card(UUID(int=9), ("a",), (), False, ("sv",), (("pr", 3),), (("law", 3),))
    assert ranking.compare(reader, one, known, Context()) == ranking.compare(reader, other, known, Context())
