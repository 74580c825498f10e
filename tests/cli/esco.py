"""CSV files in the shape ESCO publishes, with invented skills."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

SKILL_COLUMNS = (
    "conceptType", "conceptUri", "skillType", "reuseLevel", "preferredLabel", "altLabels", "hiddenLabels", "status",
    "modifiedDate", "scopeNote", "definition", "inScheme", "description",
)  # fmt: skip
BROADER_COLUMNS = ("conceptType", "conceptUri", "broaderType", "broaderUri")
RELATED_COLUMNS = (
    "originalSkillUri", "originalSkillType", "relationType", "relatedSkillType", "relatedSkillUri",
)  # fmt: skip
GROUP = "http://data.europa.eu/esco/skill/S9.9.9"
INVENTED = uuid.UUID("6f0c1d52-0000-4000-8000-000000000000")


def uri(number: int) -> str:
    """The address of an invented skill."""
    return f"http://data.europa.eu/esco/skill/{uuid.UUID(int=INVENTED.int + number)}"


def concept(number: int) -> str:
    """Its id in Foci."""
    return f"esco:{uri(number).rpartition('/')[2]}"


def skill(number: int, label: str, **cells: str) -> dict[str, str]:
    """A row of `skills_<language>.csv`."""
    row = {
        "conceptType": "KnowledgeSkillCompetence",
        "conceptUri": uri(number),
        "skillType": "skill/competence",
        "reuseLevel": "cross-sector",
        "preferredLabel": label,
        "status": "released",
        "modifiedDate": "2026-05-15T09:00:00.000Z",
        "description": f"Invented for a test:\n“{label}”, over two lines, with a comma.",
    }
    return row | cells


def write(file: Path, columns: tuple[str, ...], rows: Iterable[Mapping[str, str]]) -> Path:
    """Write a file as ESCO does: UTF-8, commas, cells quoted where they must be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as opened:
        out = csv.DictWriter(opened, columns, restval="")
        out.writeheader()
        out.writerows(rows)
    return file


def small_set(folder: Path) -> Path:
    """Six skills in two languages, each language in a folder of its own as it is unpacked, with their relations."""
    english = [
        skill(1, "paint lighthouses", altLabels="lighthouse painting\ncoat lighthouses\nlighthouse painting"),
        skill(2, "lighthouse keeping", skillType="knowledge", hiddenLabels="lighthous keeping"),
        skill(3, "whistle for seals", altLabels="x" * 201),
        skill(4, "bookkeeping"),
        skill(5, "count waves", status="draft"),
        skill(6, "tie knots in fog"),
        {"conceptType": "SkillGroup", "conceptUri": GROUP, "preferredLabel": "seaside matters"},
    ]
    swedish = [
        skill(6, "knyta knopar i dimma"),
        skill(1, "måla fyrar", altLabels="fyrmålning | måla en fyr"),
        skill(2, "fyrvaktande", skillType="knowledge"),
        skill(3, "vissla på sälar"),
        skill(4, "bokföring"),
    ]
    write(folder / "en" / "skills_en.csv", SKILL_COLUMNS, english)
    write(folder / "sv" / "skills_sv.csv", SKILL_COLUMNS, swedish)
    one = "KnowledgeSkillCompetence"
    broader = [
        (one, uri(1), one, uri(2)),
        (one, uri(3), "SkillGroup", GROUP),
        ("SkillGroup", GROUP, "SkillGroup", GROUP),
    ]
    write(
        folder / "en" / "broaderRelationsSkillPillar_en.csv",
        BROADER_COLUMNS,
        (dict(zip(BROADER_COLUMNS, row, strict=True)) for row in broader),
    )
    related = [(uri(6), "", "optional", "", uri(2)), (uri(2), "", "essential", "", uri(1))]
    write(
        folder / "en" / "skillSkillRelations_en.csv",
        RELATED_COLUMNS,
        (dict(zip(RELATED_COLUMNS, row, strict=True)) for row in related),
    )
    return folder


def large_set(folder: Path, skills: int) -> Path:
    """As many as ESCO has, with as many names each."""
    rows = (
        skill(
            number,
            f"invented skill {number}",
            altLabels="\n".join(f"skill {number} by name {n}" for n in range(3)),
        )
        for number in range(skills)
    )
    write(folder / "skills_en.csv", SKILL_COLUMNS, rows)
    links = ((uri(number), uri(number // 10)) for number in range(1, skills))
    write(
        folder / "broaderRelationsSkillPillar_en.csv",
        BROADER_COLUMNS,
        ({"conceptUri": one, "broaderUri": other} for one, other in links),
    )
    return folder
