"""Reading erasures: the receipt for whoever has its number, and what is not complete for the operator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.rules.erasure import NoSuchReceipt, hash_of
from shared.contracts.directory.erasure import (
    Erased,
    ErasedPage,
    ListErased,
    OpenErasure,
    OpenErasures,
    Receipt,
    ServiceReceipt,
)
from shared.contracts.forgetting import Told
from shared.contracts.streams import FORGETS

_RECEIPT = text("""
    SELECT e.erased_at, e.completed_at, e.told, a.service, a.answered_at, a.told AS answer
    FROM erasure e LEFT JOIN erasure_answer a ON a.person = e.person
    WHERE e.number_hash = :hash ORDER BY a.service
""").columns(told=JSONB, answer=JSONB)
_OPEN = text("""
    SELECT e.person, e.erased_at,
           ARRAY(SELECT s FROM unnest(CAST(:services AS text[])) s
                 WHERE NOT EXISTS (SELECT 1 FROM erasure_answer a WHERE a.person = e.person AND a.service = s)
                 ORDER BY s) AS waiting_for
    FROM erasure e WHERE e.completed_at IS NULL ORDER BY e.erased_at, e.person LIMIT :limit
""")


_ERASED = text("""
    SELECT person, erased_at, encode(number_hash, 'hex') AS receipt FROM erasure
    WHERE (erased_at, person) > (:since, :after) ORDER BY erased_at, person LIMIT :limit
""")
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


async def get_receipt(session: AsyncSession, number: str) -> Receipt:
    """What became of everything; directory's own part is told with the services'."""
    rows = (await session.execute(_RECEIPT, {"hash": hash_of(number)})).all()
    if not rows:
        raise NoSuchReceipt("There is no receipt of this number, or it is no longer kept.")
    first = rows[0]
    return Receipt(
        erased_at=first.erased_at,
        complete=first.completed_at is not None,
        completed_at=first.completed_at,
        services=(
            ServiceReceipt(service="directory", answered_at=first.erased_at, told=_told(first.told)),
            *_services(rows),
        ),
    )


def _services(rows: Any) -> Iterator[ServiceReceipt]:
    answered = {row.service: row for row in rows}
    for service in FORGETS:
        row = answered.get(service)
        if row is None:
            yield ServiceReceipt(service=service)
        else:
            yield ServiceReceipt(service=service, answered_at=row.answered_at, told=_told(row.answer))


def _told(told: list[dict[str, Any]]) -> tuple[Told, ...]:
    return tuple(Told.model_validate(one) for one in told)


async def list_open(session: AsyncSession, limit: int) -> OpenErasures:
    """Erasures that wait for answers, and whose."""
    rows = await session.execute(_OPEN, {"services": list(FORGETS), "limit": limit})
    return OpenErasures(items=tuple(OpenErasure(**row) for row in rows.mappings()))


async def list_erased(session: AsyncSession, asked: ListErased) -> ErasedPage:
    """Who was erased after a place in the order of erasing."""
    # Nobody is the nil UUID: at the moment itself all of them come.
    after = {"since": asked.since or _EVER, "after": asked.after or UUID(int=0), "limit": asked.limit}
    rows = await session.execute(_ERASED, after)
    return ErasedPage(items=tuple(Erased(**row) for row in rows.mappings()))
