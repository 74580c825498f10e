"""docs/benchmarks.md and what it is made from: each section as it was measured last, whole runs being long."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tests.bench.machine import ROOT
from tests.bench.report import Goal, Report, Section

DOCUMENT = ROOT / "docs" / "benchmarks.md"
KEPT = ROOT / "docs" / "benchmarks.json"


def kept(file: Path = KEPT) -> list[Section]:
    """The sections measured so far."""
    known = json.loads(file.read_text("utf-8")) if file.exists() else []
    return [Section(**one | {"goals": tuple(Goal(**goal) for goal in one["goals"])}) for one in known]


def merged(known: Sequence[Section], found: Sequence[Section], order: Sequence[str]) -> list[Section]:
    """What was found takes the place of what was known under the same title; in the bench's order."""
    titles = {section.title for section in found}
    together = [section for section in known if section.title not in titles] + list(found)
    return sorted(together, key=lambda section: order.index(section.name))


def write(report: Report, order: Sequence[str], *, document: Path = DOCUMENT, file: Path = KEPT) -> None:
    """Keep what this run has found beside what others have, and make the document anew."""
    when = report.measured
    found = [replace(section, measured=when) for section in report.sections]
    sections = merged(kept(file), found, order)
    file.write_text(
        json.dumps([asdict(section) for section in sections], indent=1, ensure_ascii=False) + "\n"
    )
    document.write_text(replace(report, sections=sections).markdown())
