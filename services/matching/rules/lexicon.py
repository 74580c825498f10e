"""All labels by the letters of their words: which labels have a word like one that somebody has said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.finding import Candidate, Wording
from services.matching.rules.folding import alike, content, grams

LEAST_SHARED = 0.3
"""Dice's share of common letter groups from which two words are compared closely."""
MOST_WORDS = 40
MOST_LABELS = 150

Places = NDArray[np.int32]


class Lexicon:
    """Labels in memory, with an inverted index of the letter groups of their distinct words.

    Words repeat and labels do not: 250 000 labels have some 40 000 words, and what a question touches grows with the
    words that share its letter groups, not with the labels.
    """

    def __init__(self, labels: Sequence[Candidate]) -> None:
        self._labels = labels
        self._standing: dict[str, list[int]] = defaultdict(list)
        having: dict[str, list[int]] = defaultdict(list)
        for place, one in enumerate(labels):
            self._standing[one.folded].append(place)
            for word in dict.fromkeys(content(one.folded.split())):
                having[word].append(place)
        self._words = list(having)
        self._having: list[Places] = [np.array(places, dtype=np.int32) for places in having.values()]
        sharing: dict[str, list[int]] = defaultdict(list)
        for number, word in enumerate(self._words):
            for gram in grams(word):
                sharing[gram].append(number)
        self._sharing: dict[str, Places] = {gram: np.array(some, np.int32) for gram, some in sharing.items()}
        self._sizes: NDArray[Any] = np.array([len(grams(word)) for word in self._words], dtype=np.int32)

    def __len__(self) -> int:
        return len(self._labels)

    def candidates(self, wording: Wording) -> list[Candidate]:
        """The labels that stand in the text, and those that have most in common with its words."""
        standing = chain.from_iterable(self._standing.get(span, ()) for span in wording.spans)
        shared: NDArray[np.float32] = np.zeros(len(self._labels), dtype=np.float32)
        for word in wording.words:
            for number, likeness in self._like(word):
                shared[self._having[number]] += likeness * len(word)
        places = np.flatnonzero(shared)
        if len(places) > MOST_LABELS:
            # By what is shared, then by place: replicas give the same answer.
            places = places[np.lexsort((places, -shared[places]))][:MOST_LABELS]
        return [self._labels[place] for place in sorted({*standing, *places.tolist()})]

    def _like(self, word: str) -> list[tuple[int, float]]:
        mine = grams(word)
        some = [self._sharing[gram] for gram in mine if gram in self._sharing]
        if not some:
            return []
        common = np.bincount(np.concatenate(some), minlength=len(self._words))
        dice = 2 * common / (self._sizes + len(mine))
        # A short word in a long compound shares little of the whole: what counts is how much of the shorter is there.
        part = common / np.minimum(self._sizes, len(mine))
        numbers = np.flatnonzero((dice >= LEAST_SHARED) | (part >= 0.8))
        best = numbers[np.lexsort((numbers, -dice[numbers]))][:MOST_WORDS]
        return [(number, alike(word, self._words[number])) for number in best.tolist()]
