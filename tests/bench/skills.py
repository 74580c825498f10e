"""How often somebody's words find the skill that is meant: by their letters, and by their meaning across languages."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.matching.index.vocabulary import Vocabulary
from services.matching.queries.skills import rank
from services.matching.rules.finding import SURE
from shared.kit.database import Database

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Phrase:
    """How somebody says it, in which language, and which concepts would be right."""

    language: str
    text: str
    right: frozenset[str]


@dataclass(frozen=True)
class Tried:
    """What became of a phrase: at which place a right concept stood, if it was among the first, and how sure that was."""

    phrase: Phrase
    place: int | None
    sure: bool
    """Something was answered, not only asked back."""
    seconds: float


def phrases(file: Path = FOLDER / "skill_phrases.csv") -> list[Phrase]:
    """What people say: no label of the vocabulary is among them, misspellings and compounds are."""
    with file.open(encoding="utf-8", newline="") as opened:
        return [
            Phrase(row["language"], row["phrase"], frozenset(row["concepts"].split("|")))
            for row in csv.DictReader(opened)
        ]


def no_skills(file: Path = FOLDER / "no_skills.txt") -> list[str]:
    """Sentences that name no skill."""
    return file.read_text("utf-8").split("\n")[:-1]


async def tried(database: Database, vocabulary: Vocabulary, some: Iterable[Phrase]) -> list[Tried]:
    """Ask for each as a person does."""
    found = []
    for phrase in some:
        began = time.perf_counter()
        async with database.reading() as session:
            ranked = await rank(session, phrase.text, vocabulary)
        seconds = time.perf_counter() - began
        places = [place for place, one in enumerate(ranked, 1) if one.concept in phrase.right]
        sure = bool(ranked) and ranked[0].confidence >= SURE
        found.append(Tried(phrase, min(places, default=None), sure, seconds))
    return found


def accuracy(results: Sequence[Tried], place: int) -> float:
    """The share of phrases with a right concept among the first so many."""
    return sum(one.place is not None and one.place <= place for one in results) / max(len(results), 1)
