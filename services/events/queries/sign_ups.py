"""Reading sign-ups: mine, and those of an event for who runs it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.rules.authority import Viewer
from shared.contracts.events.views import SignUpView


async def view(session: AsyncSession, sign_up: UUID, viewer: Viewer) -> SignUpView:
    """One sign-up as the viewer sees it; the code only for its person."""
    raise NotImplementedError
