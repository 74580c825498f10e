"""Which words of a search are looked for, and how far they may differ from what is written."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.matching.rules.folding import fold

MOST_WORDS = 8
INSIDE = 4
"""A word of so many letters is also looked for inside others: `foto` in `bröllopsfotografering`."""
ALIKE = 0.58
"""Share of a word's trigrams that must stand in what somebody says: one letter too many in a long word passes, `design`
for `resign` does not."""
CONFIGS = {"sv": "swedish", "da": "danish", "en": "english"}
"""PostgreSQL's text search configurations, by language."""

_WORD = re.compile(r"[\w#+.-]*\w[\w#+]*")


@dataclass(frozen=True)
class Word:
    """A word as it was written, in small letters; as labels are folded; and whether it may stand inside another."""

    written: str
    folded: str
    inside: bool


def words(text: str | None) -> list[Word]:
    """The words to look for, each once."""
    found = dict.fromkeys(_WORD.findall((text or "").lower()))
    folded = ((word, fold(word)) for word in found)
    return [Word(word, bare, len(bare) >= INSIDE) for word, bare in folded if bare][:MOST_WORDS]


def languages(language: str | None) -> list[str]:
    """The languages the words are read in: the one that was said, or all we have rules for."""
    known = (language or "")[:2]
    return [known] if known in CONFIGS else [*CONFIGS]
