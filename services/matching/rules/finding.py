"""From somebody's words to concepts: labels that stand there, labels like what stands there, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.matching.rules.folding import LONGEST, alike, content, fold, kept
from shared.contracts.matching.skills import Found

LONGEST_SPAN = 5
"""Words of the longest label that is looked up as it stands."""
MOST_WORDS = 12
"""Words of a text that are looked at one by one; a skill is said in fewer."""
SURE = 0.5
"""From here on a concept is an answer."""
DOUBTFUL = 0.3
"""From here on it is a question; below it is nothing."""
MOST_QUESTIONS = 3
WHOLE = 0.9
ALMOST = 0.95
"""A label that stands there but for marks on its letters."""
_KINDS = {"preferred": 1.0, "alternative": 0.98, "hidden": 0.94}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A label that may be meant."""

    concept: str
    kind: str
    label: str
    folded: str
    own: bool = True
    """Whether the concept is of our own vocabulary: of two alike, ours is the one people here have stated."""


@dataclass(frozen=True, slots=True)
class Match:
    """A concept that may be meant, how that was seen, and how sure it is."""

    concept: str
    confidence: float
    how: Found
    label: str
    own: bool = True


@dataclass(frozen=True, slots=True)
class Likeness:
    """How a concept means what a text means: `standing` is in standard deviations over all concepts' mean."""

    standing: float
    label: str
    own: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What a text means, and what it might mean."""

    items: tuple[Match, ...]
    questions: tuple[Match, ...]


@dataclass(frozen=True)
class Wording:
    """A text as it is looked up."""

    words: tuple[str, ...]
    """Those that say something, at most MOST_WORDS."""
    spans: tuple[str, ...]
    """Every run of up to LONGEST_SPAN words, fillers included: labels as they stand."""
    written: frozenset[str]
    """The same with every letter kept: `massör` and `mässor` fold alike and are two things."""

    @classmethod
    def of(cls, text: str) -> Wording:
        """The text folded and taken apart."""
        every = fold(text).split()[: MOST_WORDS * 3]
        words = tuple(dict.fromkeys(content(every)))[:MOST_WORDS]
        written = kept(text[:LONGEST]).split()[: MOST_WORDS * 3]
        return cls(words, tuple(sorted(_spans(every))), frozenset(_spans(written)))

    @property
    def sought(self) -> tuple[str, ...]:
        """What is looked for among labels by likeness: the whole, and each word that says something."""
        whole = " ".join(self.words)
        return tuple(dict.fromkeys((whole, *(word for word in self.words if len(word) > 2))))


def _spans(words: Sequence[str]) -> set[str]:
    sizes = range(1, min(LONGEST_SPAN, len(words)) + 1)
    return {" ".join(words[at : at + size]) for size in sizes for at in range(len(words) - size + 1)}


def by_letters(wording: Wording, candidates: Iterable[Candidate]) -> list[Match]:
    """The concepts of these labels, the likeliest first."""
    best: dict[str, Match] = {}
    spans = frozenset(wording.spans)
    for one in candidates:
        found = _match(wording, one, stands=one.folded in spans)
        known = best.get(found.concept)
        if known is None or found.confidence > known.confidence:
            best[found.concept] = found
    return _ranked(best.values())


def _match(wording: Wording, one: Candidate, *, stands: bool) -> Match:
    words = content(one.folded.split())
    said = _share(words, wording.words)
    covered = _share(wording.words, words)
    if stands:
        said = 1.0 if kept(one.label) in wording.written else ALMOST
    confidence = said * (0.45 + 0.55 * covered) * _KINDS[one.kind]
    return Match(
        one.concept, round(confidence, 4), Found.LABEL if stands else Found.FUZZY, one.label, one.own
    )


def _share(these: Sequence[str], among: Sequence[str]) -> float:
    """How much of these words is among those, long words counting more."""
    if not these or not among:
        return 0.0
    total = sum(len(word) for word in these)
    found = (len(word) * math.pow(max(alike(word, other) for other in among), 1.5) for word in these)
    return sum(found) / total


def _ranked(matches: Iterable[Match]) -> list[Match]:
    return sorted(matches, key=lambda one: (-one.confidence, not one.own, one.concept))


def combined(letters: Sequence[Match], meaning: Mapping[str, Likeness]) -> list[Match]:
    """Both ways of finding in one order; `meaning` must know every concept of `letters` it can.

    A logistic of two figures, its three numbers fitted by regression on one half of the phrases of
    `tests/bench/skill_phrases.csv` and tried on the other. Cosines of this encoder lie between 0.75 and 0.95 whatever is
    compared: how far one stands out among those of the same text says more than the cosine itself.
    """
    by_letters = {one.concept: one for one in letters}
    found = [_weighed(concept, by_letters.get(concept), like) for concept, like in meaning.items()]
    found += [one for one in letters if one.concept not in meaning]
    return _ranked(found)


def _weighed(concept: str, known: Match | None, like: Likeness) -> Match:
    letters = known.confidence if known else 0.0
    sure = 1 / (1 + math.exp(-(1.44 * (like.standing - 3.4) + 2.84 * letters - 2.58)))
    if known is not None and (known.how is Found.LABEL or letters > sure / 2):
        # A label that is all of what was said needs no second witness.
        sure = max(sure, letters) if known.how is Found.LABEL and letters > WHOLE else sure
        return Match(concept, round(sure, 4), known.how, known.label, known.own)
    return Match(concept, round(sure, 4), Found.MEANING, like.label, like.own)


def answer(ranked: Sequence[Match], limit: int) -> Answer:
    """What is sure enough, and what is asked back."""
    items = tuple(one for one in ranked if one.confidence >= SURE)[:limit]
    doubtful = tuple(one for one in ranked if DOUBTFUL <= one.confidence < SURE)[:MOST_QUESTIONS]
    return Answer(items, doubtful if len(items) < limit else ())
