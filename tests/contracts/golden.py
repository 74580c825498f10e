"""The golden examples: one message and its schema per published version, written once and never edited.

`python -m tests.contracts.golden` writes those that are missing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from shared.contracts.booking.facts import OccupancyChangedV1
from shared.contracts.catalogue import FACTS
from shared.contracts.examples import example, occupancy_example, plain

FOLDER = Path(__file__).parent / "golden"
SUMS = FOLDER / "SHA256SUMS"
"""One line per file. Lines are added, never changed: whoever edits an example has to say so here too."""
HOW = "run `.venv/bin/python -m tests.contracts.golden` and commit what it writes"


@dataclass(frozen=True)
class Published:
    """One version of one message, as its class is today."""

    model: type[BaseModel]
    service: str
    name: str

    @property
    def example_file(self) -> Path:
        """Where its golden example stands."""
        return FOLDER / self.service / f"{self.name}.json"

    @property
    def schema_file(self) -> Path:
        """Where the schema of the day it was published stands."""
        return FOLDER / self.service / f"{self.name}.schema.json"

    def schema(self) -> dict[str, Any]:
        """The schema of today's class."""
        return self.model.model_json_schema(mode="validation")

    def made_up(self) -> dict[str, Any]:
        """A new example."""
        if self.model is OccupancyChangedV1:
            return plain(occupancy_example())
        return plain(example(self.model))  # type: ignore[type-var]  # all others are facts


PUBLISHED: tuple[Published, ...] = (
    *(
        Published(fact, service, f"{fact.fact}.v{fact.version}")
        for service, facts in FACTS.items()
        for fact in facts
    ),
    Published(OccupancyChangedV1, "booking", f"{OccupancyChangedV1.fact}.v1"),
)


def digest(file: Path) -> str:
    """The checksum of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def sums() -> dict[str, str]:
    """The checksums written down when the files were."""
    lines = SUMS.read_text().splitlines() if SUMS.exists() else []
    return {name: checksum for checksum, name in (line.split("  ", 1) for line in lines)}


def write_missing() -> list[str]:
    """Write the examples and schemas of versions that have none; which."""
    written = []
    known = sums()
    for one in PUBLISHED:
        for file, content in ((one.example_file, one.made_up()), (one.schema_file, one.schema())):
            name = str(file.relative_to(FOLDER))
            if name in known or file.exists():
                continue
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
            known[name] = digest(file)
            written.append(name)
    SUMS.write_text("".join(f"{checksum}  {name}\n" for name, checksum in sorted(known.items())))
    return written


if __name__ == "__main__":
    for line in write_missing() or ["nothing is missing"]:
        print(line)  # noqa: T201  # a command for developers
