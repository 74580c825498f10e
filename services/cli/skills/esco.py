"""ESCO's CSV files as ESCO publishes them (versions 1.1 and 1.2): what a row of each means."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from services.cli.skills.rows import BrokenFileError, Rows
from shared.contracts.matching.skills import MOST_LABELS, ImportedLinks, ImportedSkill, SkillKind

_LANGUAGE = re.compile(r"skills_([a-z]{2,3})\.csv")
_SKILL = re.compile(
    r"http://data\.europa\.eu/esco/skill/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.ASCII
)
_KINDS = {"skill/competence": SkillKind.SKILL, "knowledge": SkillKind.KNOWLEDGE, "": SkillKind.SKILL}
_SEVERAL = re.compile(r"\n| \| ")
"""Between labels of one cell: a line each, and ` | ` in ESCO's collections."""
_LONGEST_LABEL = 200
_SKILL_COLUMNS = ("conceptUri", "skillType", "preferredLabel", "altLabels")
_BROADER_COLUMNS = ("conceptUri", "broaderUri")
_RELATED_COLUMNS = ("originalSkillUri", "relatedSkillUri")


@dataclass
class Left:
    """What of the files is not taken over, and counted so that nobody wonders."""

    drafts: int = 0
    """Rows whose status is not `released`."""
    groups: int = 0
    """Rows and links of skill groups, which nobody offers or needs."""
    labels: int = 0
    """Labels too long for a line, or too many for one concept."""


@dataclass(frozen=True)
class Files:
    """What was found in the folder."""

    skills: dict[str, Path]
    """By language."""
    broader: Path | None
    related: Path | None


@dataclass
class Links:
    """Neighbours by concept."""

    broader: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    related: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def of(self, concept: str) -> ImportedLinks:
        """One concept's, in an order that is the same every time."""
        broader = self.broader.get(concept, set())
        related = self.related.get(concept, set()) - broader - {concept}
        return ImportedLinks(
            concept=concept, broader=tuple(sorted(broader - {concept})), related=tuple(sorted(related))
        )


class NothingFoundError(Exception):
    """The folder holds no file of skills."""


def look(folder: Path) -> Files:
    """The files below a folder: ESCO gives one archive per language, so each may lie in a folder of its own."""
    skills = {
        found[1]: file
        for file in sorted(folder.rglob("skills_*.csv"))
        if (found := _LANGUAGE.fullmatch(file.name))
    }
    if not skills:
        raise NothingFoundError(
            f"{folder} holds no skills_<language>.csv. Unpack ESCO's CSV download there, for example for sv, da and en."
        )
    # The links are the same in every language's set.
    return Files(
        skills,
        next(iter(sorted(folder.rglob("broaderRelationsSkillPillar_*.csv"))), None),
        next(iter(sorted(folder.rglob("skillSkillRelations_*.csv"))), None),
    )


def concept_of(uri: str) -> str | None:
    """Our id of a skill; None for what is no single skill."""
    found = _SKILL.fullmatch(uri.strip())
    return None if found is None else f"esco:{found[1]}"


def read_skills(file: Path, left: Left) -> Iterator[ImportedSkill]:
    """The file's skills in its order; a concept that comes twice is a broken file."""
    rows, seen = Rows(file, _SKILL_COLUMNS), set()
    for row in rows:
        if row.get("status", "released") not in {"released", ""}:
            left.drafts += 1
            continue
        concept = concept_of(row["conceptUri"])
        if concept is None:
            if row.get("conceptType") == "SkillGroup":
                left.groups += 1
                continue
            raise rows.broken(f"conceptUri {row['conceptUri'][:80]!r} is no skill of ESCO's")
        if concept in seen:
            raise rows.broken(f"{row['conceptUri']} comes a second time")
        seen.add(concept)
        yield _skill(rows, row, concept, left)


def _skill(rows: Rows, row: dict[str, str], concept: str, left: Left) -> ImportedSkill:
    kind = _KINDS.get(row["skillType"].strip())
    if kind is None:
        raise rows.broken(
            f"skillType {row['skillType'][:40]!r} is neither {' nor '.join(k for k in _KINDS if k)}"
        )
    preferred = row["preferredLabel"].strip()
    if not preferred:
        raise rows.broken("preferredLabel is empty")
    try:
        return ImportedSkill(
            concept=concept,
            kind=kind,
            preferred=preferred,
            alternatives=_labels(row["altLabels"], left),
            hidden=_labels(row.get("hiddenLabels", ""), left),
        )
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise rows.broken(f"{fault['loc'][0]}: {fault['msg']}") from None


def _labels(cell: str, left: Left) -> tuple[str, ...]:
    """Each label once; ESCO has some that are whole sentences, which nobody would say."""
    every = dict.fromkeys(label for part in _SEVERAL.split(cell) if (label := part.strip()))
    kept = [label for label in every if len(label) <= _LONGEST_LABEL][:MOST_LABELS]
    left.labels += len(every) - len(kept)
    return tuple(kept)


def read_links(files: Files, known: set[str], left: Left) -> Links:
    """How the known skills stand to each other; links to groups, and to what is not known, are left out."""
    links = Links()
    for file, columns, of in (
        (files.broader, _BROADER_COLUMNS, links.broader),
        (files.related, _RELATED_COLUMNS, links.related),
    ):
        if file is None:
            continue
        rows = Rows(file, columns)
        for row in rows:
            for column in columns:
                if not row[column].startswith("http://data.europa.eu/esco/"):
                    raise rows.broken(f"{column} {row[column][:80]!r} is no URI of ESCO's")
            one, other = (concept_of(row[column]) for column in columns)
            if one in known and other in known and one and other:
                of[one].add(other)
                if of is links.related:
                    of[other].add(one)
            else:
                left.groups += 1
    return links


__all__ = [
    "BrokenFileError", "Files", "Left", "Links", "NothingFoundError", "concept_of", "look", "read_links", "read_skills",
]  # fmt: skip
