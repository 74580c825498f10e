"""API tokens: made and revoked by a hub's operators; of the token itself only a hash is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.hubs import hub_called
from services.directory.commands.past import forget_some, past
from services.directory.commands.turns import in_turn
from services.directory.rules.api_tokens import KEPT, MOST, TooManyApiTokens
from services.directory.rules.tokens import Chance, hash_of, new_token
from services.directory.tables import ApiToken
from shared.contracts.directory.api_tokens import MakeApiToken
from shared.contracts.directory.facts import ApiTokenMadeV1, ApiTokenRevokedV1
from shared.kit.errors import NotFound
from shared.kit.ids import Ids
from shared.kit.outbox import emit
from shared.kit.tokens import API_TOKEN

_COUNT = text("SELECT count(*) FROM api_token WHERE hub = :hub AND revoked_at IS NULL AND expires_at > :now")
_FORGET = past("api_token", "least(revoked_at, expires_at) < :before")


async def make(
    session: AsyncSession, request: MakeApiToken, *, by: UUID, now: datetime, ids: Ids, chance: Chance
) -> tuple[ApiToken, str]:
    """A new token, and how it reads: nobody can read it again."""
    await hub_called(session, request.hub)
    await in_turn(session, f"api tokens {request.hub}")
    if (await session.execute(_COUNT, {"hub": request.hub, "now": now})).scalar_one() >= MOST:
        raise TooManyApiTokens(f"A hub can have {MOST} tokens. Revoke one that is not used any more.")
    written = new_token(API_TOKEN, chance)
    made = ApiToken(
        id=ids(),
        hub=request.hub,
        name=request.name,
        purpose=request.purpose,
        hash=hash_of(written),
        created_by=by,
        created_at=now,
        expires_at=now + timedelta(days=request.days),
        revoked_at=None,
    )
    session.add(made)
    await session.flush()
    await emit(session, ApiTokenMadeV1(**_about(made, 1, by, now, ids), expires_at=made.expires_at))
    return made, written


async def revoke(
    session: AsyncSession, hub: str, token: UUID, *, by: UUID, now: datetime, ids: Ids
) -> ApiToken:
    """End a token."""
    made = await session.get(ApiToken, token, with_for_update=True)
    if made is None or made.hub != hub:
        raise NotFound("This hub has no such token.")
    if made.revoked_at is None:
        made.revoked_at = now
        await session.flush()
        await emit(session, ApiTokenRevokedV1(**_about(made, 2, by, now, ids)))
    return made


async def forget(session: AsyncSession, *, now: datetime) -> bool:
    """Forget some of those that have been over for a while; whether there may be more."""
    return await forget_some(session, _FORGET, now - KEPT)


def _about(made: ApiToken, version: int, by: UUID, now: datetime, ids: Ids) -> dict[str, Any]:
    return {
        "id": ids(),
        "hub": made.hub,
        "occurred_at": now,
        "subject": str(made.id),
        "subject_version": version,
        "holder": made.id,
        "purpose": made.purpose,
        "by": by,
    }
