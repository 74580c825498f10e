"""Requests matching answers about skills: concepts found from free text, one concept, and an imported vocabulary."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.contracts.base import Body, Language, Line, Page, Plain, Request, View, described
from shared.contracts.matching.words import ConceptId

MOST_LABELS = 300
"""Alternative labels a concept may bring along in one language."""
MOST_IMPORTED = 500
"""Concepts one request of an import carries: its transaction stays short."""

Label = Annotated[Line, Field(max_length=200)]


class SkillKind(StrEnum):
    """What sort of concept it is, in the words of the European classification (ESCO)."""

    SKILL = "skill"
    KNOWLEDGE = "knowledge"


class SkillOrigin(StrEnum):
    """Whose vocabulary a concept comes from."""

    FOCI = "foci"
    """Made for coworking hubs, by hand."""
    ESCO = "esco"
    """European Skills, Competences, Qualifications and Occupations, brought in by `foci import skills`."""


class Found(StrEnum):
    """How a concept was found in somebody's words."""

    LABEL = "label"
    """A label stands there."""
    FUZZY = "fuzzy"
    """Something like a label does: misspelt, inflected, or part of a compound."""
    MEANING = "meaning"
    """It means about the same, whatever the language."""


class SkillRef(View):
    """A concept by its name."""

    id: ConceptId
    label: str = described("In the reader's language where it has one, else in English, else in any.")


class SkillView(SkillRef):
    """A concept that somebody's words may mean."""

    field: str = described("The part of working life it belongs to, a slug; `esco` for what was imported.")
    confidence: float = described("From 0 to 1; from 0.5 on it is offered as an answer.", ge=0, le=1)
    how: Found
    matched: str = described("The label that was recognised, in whatever language.")


class SkillsFound(Page):
    """What a text may mean, the most likely first."""

    items: tuple[SkillView, ...]
    did_you_mean: tuple[SkillView, ...] = described("Less likely ones: a question, not an answer.")
    by_meaning: bool = described(
        "False while concepts are found by their letters only: the encoder is not installed, or is not ready yet."
    )


class FindSkills(Request[SkillsFound]):
    """Which concepts a text means. No skill in it, none in the answer. For anybody who is signed in."""

    service = "matching"
    operation = "find-skills"
    reply = SkillsFound

    text: Line
    language: Language | None = described(
        "In which language to answer; the text may be in any.", default=None
    )
    limit: int = Field(default=5, ge=1, le=20)


class SkillLabels(View):
    """What a concept is called in one language."""

    language: Language
    preferred: str | None = None
    alternatives: tuple[str, ...] = ()


class SkillDetail(SkillRef):
    """A concept with its names and neighbours (SKOS)."""

    origin: SkillOrigin
    kind: SkillKind
    field: str
    reviewed: bool = described("False until somebody who speaks the languages has looked at its labels.")
    exact_match: str | None = described("The same concept elsewhere: its ESCO URI.", default=None)
    labels: tuple[SkillLabels, ...]
    broader: tuple[SkillRef, ...]
    narrower: tuple[SkillRef, ...]
    related: tuple[SkillRef, ...]


class GetSkill(Request[SkillDetail]):
    """One concept with everything about it. For anybody who is signed in."""

    service = "matching"
    operation = "get-skill"
    reply = SkillDetail

    concept: ConceptId
    language: Language | None = None


class _OfImport(Request):  # type: ignore[type-arg]
    service = "matching"
    admin = True
    changes = True


class ImportedSkill(Body):
    """One row of a vocabulary in one language."""

    concept: ConceptId
    kind: SkillKind
    preferred: Label
    alternatives: Annotated[tuple[Label, ...], Field(max_length=MOST_LABELS)] = ()
    hidden: Annotated[tuple[Label, ...], Field(max_length=MOST_LABELS)] = ()


class ImportCount(View):
    """What one part of an import has done."""

    added: int = 0
    changed: int = 0
    same: int = 0
    retired: int = 0


class ImportSkills(_OfImport):
    """Concepts with their labels in one language; the labels they had in it go, other languages stay."""

    operation = "import-skills"
    reply = ImportCount

    language: Language
    items: Annotated[tuple[ImportedSkill, ...], Field(max_length=MOST_IMPORTED)]


class ImportedLinks(Body):
    """A concept's neighbours."""

    concept: ConceptId
    broader: tuple[ConceptId, ...] = ()
    related: tuple[ConceptId, ...] = ()


class LinkSkills(_OfImport):
    """All imported concepts between two ids, with their neighbours; others between them are retired."""

    operation = "link-skills"
    reply = ImportCount

    after: Plain = described("Concepts whose id is greater than this one …", max_length=64)
    until: ConceptId | None = described("… up to this one; null: all the rest.", default=None)
    items: Annotated[tuple[ImportedLinks, ...], Field(max_length=MOST_IMPORTED)]

    @model_validator(mode="after")
    def _within(self) -> Self:
        for one in self.items:
            if one.concept <= self.after or (self.until is not None and one.concept > self.until):
                raise ValueError(f"{one.concept} does not lie after {self.after} and until {self.until}")
        return self


class ImportEnded(View):
    """What an import has come to."""

    vocabulary: int = described("The vocabulary's version now.")
    matched: int = described("Concepts of our own that are the same as an imported one, all in all.")


class EndImport(_OfImport):
    """The import is whole: tell everybody, if anything is other than it was."""

    operation = "end-import"
    reply = ImportEnded
