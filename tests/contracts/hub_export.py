"""`python -m tests.contracts.hub_export`: writes the tables of docs/hub-export.md from what the services declare."""

from __future__ import annotations

from pathlib import Path

from services.booking.commands import belongings as booking
from services.directory.commands import belongings as directory
from services.events.commands import belongings as events
from services.matching.commands import belongings as matching
from services.notify.commands import belongings as notify
from shared.kit.belongings import Kept
from shared.kit.ids import new_id, utc_now

PAGE = Path(__file__).parents[2] / "docs" / "hub-export.md"
FROM, TO = "<!-- made by python -m tests.contracts.hub_export -->\n", "<!-- to here -->\n"
KEPT: dict[str, tuple[Kept, ...]] = {
    "directory": directory.kept("local", utc_now, new_id),
    "booking": booking.KEPT,
    "events": events.KEPT,
    "matching": matching.KEPT,
    "notify": notify.KEPT,
}


def tables() -> str:
    """One line per file."""
    lines = ["| file | what | fields, in brackets the key |", "|---|---|---|"]
    for service, kept in KEPT.items():
        for one in kept:
            fields = ", ".join(f"[{name}]" if name in one.key else name for name in one.fields)
            lines.append(f"| `{service}/{one.entity}.jsonl` | {one.says} | {fields} |")
    return "\n".join(lines) + "\n"


def page_with(made: str) -> str:
    """The page with these tables."""
    before, _, rest = PAGE.read_text().partition(FROM)
    return before + FROM + made + TO + rest.partition(TO)[2]


if __name__ == "__main__":
    PAGE.write_text(page_with(tables()))
