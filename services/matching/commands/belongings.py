"""What matching keeps for a hub: the skills it wants more of. Profiles, consents and introductions belong to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.kit.belongings import HubDiffers, Kept

HUB_IS_KNOWN = "SELECT 1 FROM hub WHERE id = :hub"
_UNKNOWN = text("""
    SELECT given.concept FROM jsonb_populate_recordset(NULL::target, CAST(:rows AS jsonb)) given
    WHERE NOT EXISTS (SELECT FROM concept c WHERE c.id = given.concept) ORDER BY given.concept
""")


async def _skills_are_known(session: AsyncSession, _: str, rows: Sequence[Mapping[str, Any]]) -> None:
    unknown = (await session.execute(_UNKNOWN, {"rows": orjson.dumps(rows).decode()})).scalars().all()
    if unknown:
        raise HubDiffers(
            f"{len(unknown)} skills the hub wants are not in this cell's vocabulary, the first is {unknown[0]}. "
            "Import the same vocabulary as there with `foci import skills` first."
        )


KEPT = (
    Kept(
        "targets", "target", "Skills the hub wants more of, and how many people with them.",
        ("hub", "concept", "wanted", "set_by"), {"concept": "text"}, fits=_skills_are_known,
    ),
)  # fmt: skip
