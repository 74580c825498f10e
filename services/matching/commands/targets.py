"""What a hub's operators want for the town."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.queries.labels import label_of
from shared.contracts.matching.gaps import DropTarget, SetTarget, TargetView
from shared.kit.errors import NotFound

_ACTIVE = text("SELECT active FROM concept WHERE id = :concept")
_SET = text("""
    INSERT INTO target (hub, concept, wanted, set_by) VALUES (:hub, :concept, :wanted, :by)
    ON CONFLICT (hub, concept) DO UPDATE SET wanted = excluded.wanted, set_by = excluded.set_by
""")
_CALLED = text(f"SELECT {label_of(':concept')}")
_DROP = text("DELETE FROM target WHERE hub = :hub AND concept = :concept")


async def set_target(session: AsyncSession, wanted: SetTarget, by: UUID) -> None:
    """Put a skill on the list; NotFound for what is no skill."""
    if not (await session.execute(_ACTIVE, {"concept": wanted.concept})).scalar():
        raise NotFound(
            f"The vocabulary has no skill {wanted.concept}; look for it at /v1/skills.", field="concept"
        )
    line = {"hub": wanted.hub, "concept": wanted.concept, "wanted": wanted.wanted, "by": by}
    await session.execute(_SET, line)


async def drop_target(session: AsyncSession, wanted: DropTarget) -> TargetView:
    """Take a skill off the list; what is not there is off it already. It reads as a line that wants nobody."""
    line = {"hub": wanted.hub, "concept": wanted.concept, "language": wanted.language}
    label: str = (await session.execute(_CALLED, line)).scalar_one()
    await session.execute(_DROP, line)
    return TargetView(hub=wanted.hub, concept=wanted.concept, label=label, wanted=0)
