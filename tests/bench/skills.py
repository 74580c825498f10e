"""How often somebody's words find the skill that is meant: by their letters, and by their meaning across languages."""

from __future__ import annotations

import csv
import resource
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.matching.index.encoder import Encoder, Kept, load
from services.matching.rules.finding import DOUBTFUL, SURE, Candidate, Match, Wording, by_letters, combined
from services.matching.rules.folding import fold
from services.matching.rules.lexicon import Lexicon
from services.matching.rules.meaning import Entry, Space
from services.matching.rules.vocabulary import LANGUAGES, ours
from tests.bench.report import Say

FOLDER = Path(__file__).parent
VOCABULARY = ours()
WITHOUT = ("", *LANGUAGES)
"""Which language's labels are hidden: none, or that of the phrase, as if it stood in another language only."""


@dataclass(frozen=True)
class Phrase:
    """How somebody says it, in which language, and which concepts would be right."""

    language: str
    text: str
    right: frozenset[str]


@dataclass(frozen=True)
class Tried:
    """What became of a phrase: at which place a right concept stood, how sure the first was, and what it took."""

    phrase: Phrase
    place: int | None
    confidence: float
    seconds: float


@dataclass
class Result:
    """What one way of finding has come to."""

    way: str
    known: list[Tried]
    """Phrases, with all labels there."""
    foreign: list[Tried]
    """Phrases, without the labels of their language."""
    nothing: list[Tried]
    """Sentences that name no skill."""


@dataclass
class Results:
    """What the section is written from."""

    ways: list[Result] = field(default_factory=list)
    concepts: int = len(VOCABULARY)
    entries: int = 0
    encoded_s: float | None = None
    """Seconds in which the encoder made the vocabulary's vectors; None without it."""
    question_ms: float | None = None
    """Milliseconds for one question's vector, median."""
    encoder_mb: float | None = None
    """Resident memory that came with the encoder and the vectors."""


def phrases(file: Path = FOLDER / "skill_phrases.csv") -> list[Phrase]:
    """What people say: no label of the vocabulary is among them, misspellings and compounds are."""
    with file.open(encoding="utf-8", newline="") as opened:
        return [
            Phrase(row["language"], row["phrase"], frozenset(row["concepts"].split("|")))
            for row in csv.DictReader(opened)
        ]


def no_skills(file: Path = FOLDER / "no_skills.txt") -> list[Phrase]:
    """Sentences that name no skill."""
    return [Phrase("", text, frozenset()) for text in file.read_text("utf-8").split("\n")[:-1]]


def lexicon(without: str = "") -> Lexicon:
    """Our labels, those of one language left out."""
    return Lexicon(
        [
            Candidate(one.id, kind, label, fold(label))
            for one in VOCABULARY
            for language in LANGUAGES
            if language != without
            for kind, labels in (
                ("preferred", (one.preferred[language],)),
                ("alternative", one.others[language]),
            )
            for label in labels
        ]
    )


def entries(without: str = "") -> list[Entry]:
    """The same as they are encoded."""
    return [
        Entry(one.id, (one.preferred[language], *sorted(one.others[language])), own=True)
        for one in VOCABULARY
        for language in LANGUAGES
        if language != without
    ]


class Letters:
    """Finding by letters alone."""

    name = "letters"

    def __init__(self) -> None:
        self._lexica = {without: lexicon(without) for without in WITHOUT}

    def rank(self, text: str, without: str = "") -> list[Match]:
        """The concepts that may be meant, the likeliest first."""
        wording = Wording.of(text)
        return by_letters(wording, self._lexica[without].candidates(wording))


class Both(Letters):
    """Finding by letters and by meaning."""

    name = "letters and meaning"

    def __init__(self, encoder: Encoder, kept: Kept) -> None:
        super().__init__()
        self.encoder = encoder
        self._spaces = {without: self._space(without, kept) for without in WITHOUT}

    def _space(self, without: str, kept: Kept) -> Space:
        some = entries(without)
        vectors = kept.encoded([one.text for one in some], self.encoder)
        assert vectors is not None
        return Space(some, vectors)

    def rank(self, text: str, without: str = "") -> list[Match]:
        """The concepts that may be meant, the likeliest first."""
        letters = super().rank(text, without)
        vector = self.encoder.encode([text])[0]
        return combined(letters, self._spaces[without].near(vector, [one.concept for one in letters]))


class Meaning(Both):
    """Finding by meaning alone, to see what each adds."""

    name = "meaning"

    def rank(self, text: str, without: str = "") -> list[Match]:
        """The concepts that may be meant, the likeliest first."""
        return combined([], self._spaces[without].near(self.encoder.encode([text])[0]))


def tried(way: Letters, some: Iterable[Phrase], *, foreign: bool = False) -> list[Tried]:
    """Look each up as a person's words are."""
    found = []
    for phrase in some:
        began = time.perf_counter()
        ranked = way.rank(phrase.text, phrase.language if foreign else "")
        seconds = time.perf_counter() - began
        places = [place for place, one in enumerate(ranked, 1) if one.concept in phrase.right]
        sure = ranked[0].confidence if ranked else 0.0
        found.append(Tried(phrase, min(places, default=None), sure, seconds))
    return found


def result(way: Letters) -> Result:
    """One way, on everything."""
    return Result(
        way.name, tried(way, phrases()), tried(way, phrases(), foreign=True), tried(way, no_skills())
    )


def accuracy(results: Sequence[Tried], place: int) -> float:
    """The share of phrases with a right concept among the first so many."""
    return sum(one.place is not None and one.place <= place for one in results) / max(len(results), 1)


def answered(results: Sequence[Tried], least: float = SURE) -> float:
    """The share of phrases to which something was answered; with DOUBTFUL, or asked back."""
    return sum(one.confidence >= least for one in results) / max(len(results), 1)


def measured(say: Say) -> Results:
    """All ways there are here: without the extra `meaning` only letters."""
    found = Results()
    letters = Letters()
    say("finding skills by letters")
    found.ways.append(result(letters))
    before = _resident_mb()
    encoder = load()
    if encoder is None:
        say("the extra `meaning` is not installed: `make meaning`")
        return found
    with tempfile.TemporaryDirectory() as folder:
        kept = Kept(Path(folder))
        some = entries()
        found.entries = len(some)
        say(f"encoding {len(some)} entries of the vocabulary")
        began = time.perf_counter()
        kept.encoded([one.text for one in some], encoder)
        found.encoded_s = time.perf_counter() - began
        found.encoder_mb = _resident_mb() - before
        took = []
        for phrase in phrases():
            began = time.perf_counter()
            encoder.encode([phrase.text])
            took.append(time.perf_counter() - began)
        found.question_ms = 1000 * sorted(took)[len(took) // 2]
        for way in (Meaning, Both):
            say(f"finding skills by {way.name}")
            found.ways.append(result(way(encoder, kept)))
    return found


def _resident_mb() -> float:
    """The most this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


__all__ = ["DOUBTFUL", "SURE", "Letters", "Phrase", "Result", "Results", "Tried", "accuracy", "answered"]
