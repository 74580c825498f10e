"""After the database went back in time: webhooks' facts are counted on from what others have heard."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.contracts.notify.facts import WebhookPausedV1, WebhookResumedV1

# That a webhook is paused is seen by asking for it; only the order of what is said of it must hold.
_AT_LEAST = text("UPDATE webhook SET stated = greatest(stated, :version) WHERE id = :id")


async def recollect(session: AsyncSession, facts: Sequence[Fact]) -> None:
    """Count on; who has been told what is notify's own affair, and stands as it was when it was saved."""
    for fact in facts:
        if isinstance(fact, (WebhookPausedV1, WebhookResumedV1)):
            await session.execute(_AT_LEAST, {"id": UUID(fact.subject), "version": fact.subject_version})
