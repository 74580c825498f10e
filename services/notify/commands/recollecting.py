"""After the database went back in time: webhooks that were paused are, and their facts are counted on from what was heard."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.webhooks import GONE
from shared.contracts.base import Fact
from shared.contracts.notify.facts import WebhookPausedV1, WebhookResumedV1
from shared.contracts.notify.words import WebhookState

# That a webhook is paused is seen by asking for it; only the order of what is said of it must hold.
_AT_LEAST = text("UPDATE webhook SET stated = greatest(stated, :version) WHERE id = :id")
_PAUSE = text("""
    UPDATE webhook SET state = :state, because = :because, version = version + 1 WHERE id = :id AND state = 'active'
""")


async def recollect(session: AsyncSession, facts: Sequence[Fact]) -> None:
    """Count on, and send nothing where that had ended; who has been told what stands as it was when it was saved."""
    for fact in facts:
        if isinstance(fact, (WebhookPausedV1, WebhookResumedV1)):
            await session.execute(_AT_LEAST, {"id": UUID(fact.subject), "version": fact.subject_version})
        if isinstance(fact, WebhookPausedV1):
            state = WebhookState.GONE if fact.because == GONE else WebhookState.PAUSED
            paused = {"id": UUID(fact.subject), "state": state.value, "because": fact.because}
            await session.execute(_PAUSE, paused)
