"""Servers that the operator has given the stack, instead of those it starts itself: can they be used?"""

from __future__ import annotations

import asyncpg
import nats

from deploy.local.probes import connect_once


async def unreachable(nats_url: str | None, database_url: str | None) -> str | None:
    """Why a given server cannot be used, as a sentence; None when those given can be reached."""
    if nats_url is not None:
        try:
            client = await connect_once(nats_url)
            await client.close()
        except (OSError, nats.errors.Error, TimeoutError) as error:
            return f"FOCI_NATS_URL: no NATS server answers there ({error or type(error).__name__})."
    if database_url is not None:
        try:
            connection = await asyncpg.connect(database_url, timeout=5)
            await connection.close()
        except (OSError, asyncpg.PostgresError, ValueError, TimeoutError) as error:
            return f"FOCI_DATABASE_URL: PostgreSQL cannot be used there ({error or type(error).__name__})."
    return None
