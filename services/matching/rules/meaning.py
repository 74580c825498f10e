"""The vocabulary as vectors, and how far each concept stands out for a text; exact, no approximate neighbours."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.finding import Likeness

Vectors = NDArray[np.float32]
LONGEST_ENTRY = 160
"""Characters of an entry that are encoded; time grows with them, and the first labels say it."""
NEAREST = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """What one concept is called in one language."""

    concept: str
    labels: tuple[str, ...]
    """The preferred one first."""
    own: bool

    @property
    def text(self) -> str:
        """What is encoded: one vector for all labels finds as well as one for each, at a third of the time."""
        joined = ", ".join(self.labels)
        return joined if len(joined) <= LONGEST_ENTRY else joined[:LONGEST_ENTRY].rpartition(",")[0] or joined


class Space:
    """All entries' vectors, each of length one, those of a concept side by side."""

    def __init__(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        order = sorted(range(len(entries)), key=lambda at: entries[at].concept)
        self._entries = [entries[at] for at in order]
        self._vectors: Vectors = np.ascontiguousarray(vectors[order], dtype=np.float32)
        names = [one.concept for one in self._entries]
        self._concepts = list(dict.fromkeys(names))
        self._places = {concept: place for place, concept in enumerate(self._concepts)}
        first = [at for at, name in enumerate(names) if at == 0 or names[at - 1] != name]
        self._first: NDArray[Any] = np.array(first, dtype=np.intp)

    def __len__(self) -> int:
        return len(self._concepts)

    def near(self, vector: Vectors, also: Collection[str] = ()) -> dict[str, Likeness]:
        """The concepts that stand out most for a text's vector, and those of `also` that are known."""
        if len(self._concepts) < 2:
            return {}
        cosines = self._vectors @ vector
        best = np.maximum.reduceat(cosines, self._first)
        spread = float(best.std()) or 1.0
        standing = (best - float(best.mean())) / spread
        most = min(NEAREST, len(best))
        places = set(np.argpartition(-standing, most - 1)[:most].tolist())
        places |= {self._places[concept] for concept in also if concept in self._places}
        return {
            self._concepts[place]: self._likeness(place, float(standing[place]), cosines) for place in places
        }

    def _likeness(self, place: int, standing: float, cosines: Vectors) -> Likeness:
        first = int(self._first[place])
        last = int(self._first[place + 1]) if place + 1 < len(self._first) else len(self._entries)
        entry = self._entries[first + int(np.argmax(cosines[first:last]))]
        return Likeness(standing, entry.labels[0], entry.own)
