"""The vocabulary that comes with Foci, as it stands in the files beside: concepts, names in three languages, neighbours."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "vocabulary"
LANGUAGES = ("sv", "da", "en")
COLUMNS = ("id", "broader", "related", "sv", "sv_other", "da", "da_other", "en", "en_other", "exact_match")


@dataclass(frozen=True)
class Concept:
    """One row of a file; the file's name is the field it belongs to."""

    id: str
    field: str
    preferred: dict[str, str]
    others: dict[str, tuple[str, ...]]
    broader: tuple[str, ...]
    related: tuple[str, ...]
    """Said at one of the two; it holds for both."""
    exact_match: str | None


def ours(folder: Path = FOLDER) -> tuple[Concept, ...]:
    """All concepts in order of their ids; a file of another form is a fault of the release."""
    found = [concept for file in sorted(folder.glob("*.csv")) for concept in _read(file)]
    return tuple(sorted(found, key=lambda one: one.id))


def _read(file: Path) -> list[Concept]:
    with file.open(encoding="utf-8", newline="") as opened:
        rows = csv.DictReader(opened, strict=True)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{file.name}: the columns are {', '.join(COLUMNS)}")
        return [_concept(file.stem, row) for row in rows]


def _concept(field: str, row: dict[str, str]) -> Concept:
    return Concept(
        id=row["id"],
        field=field,
        preferred={language: row[language] for language in LANGUAGES},
        others={language: _parts(row[f"{language}_other"]) for language in LANGUAGES},
        broader=_parts(row["broader"]),
        related=_parts(row["related"]),
        exact_match=row["exact_match"] or None,
    )


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split("|") if part)
