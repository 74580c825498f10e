"""What is a person's is found by an index, however many others there are: erasing and exporting have five seconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.booking.commands import forgetting as booking
from services.booking.queries import export as booking_export
from services.events.commands import forgetting as events
from services.events.queries import export as events_export
from services.notify.commands import forgetting_people as notify
from services.notify.queries import export as notify_export

GROW = {
    "booking": {"booking"},
    "events": {"event", "sign_up"},
    "notify": {"message", "member", "booking", "sign_up", "choice", "told", "digest"},
}
"""Tables with rows of everybody, for as long as there is a cell."""
STATEMENTS = {
    "booking": (booking._THEIRS, booking._FOR_OTHERS, *booking_export.EXPORTED.values()),
    "events": (events._SIGN_UPS, events._LET_IN, *events._EVENTS, *events_export.EXPORTED.values()),
    "notify": (
        *(one for _, several in (*notify._ERASED, *notify._ANONYMISED) for one in several),
        *notify_export.EXPORTED.values(),
    ),
}
SOMEBODY = f"CAST('{UUID(int=1)}' AS uuid)"


@pytest.mark.parametrize("service", GROW)
async def test_a_person_is_found_without_reading_everybody(
    service: str, database: Callable[[str], str]
) -> None:
    connection = await asyncpg.connect(database(service).replace("+asyncpg", ""))
    try:
        # What has a few rows is better read whole: it is asked what could be done if it had more.
        await connection.execute("SET enable_seqscan = off")
        for statement in STATEMENTS[service]:
            asked = statement.replace(":person", SOMEBODY).replace(":nobody", SOMEBODY)
            plan = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {asked}"))[0]["Plan"]
            read_whole = [
                node
                for node in _scans(plan)
                if node.get("Relation Name") in GROW[service] and "Cond" not in str([*node])
            ]
            assert not read_whole, f"{statement}\n{read_whole}"
    finally:
        await connection.close()


def _scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if plan["Node Type"].endswith("Scan"):
        yield plan
    for part in plan.get("Plans", ()):
        yield from _scans(part)
