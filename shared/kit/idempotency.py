"""Same key, same answer: the answer to an order is stored in the transaction that carried it out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.kit.database import changed_rows
from shared.kit.errors import IdempotencyKeyReused, Invalid

LIFETIME = timedelta(hours=24)
LONGEST_KEY = 255


@dataclass(frozen=True)
class Answer:
    """What a request was, or will be, answered with: HTTP status, the object's version, JSON text."""

    status: int
    version: int | None
    body: str


@dataclass(frozen=True)
class Key:
    """An idempotency key in its scope, one person and one operation, with a fingerprint of the request."""

    person: UUID
    operation: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, person: UUID, operation: str, key: str, body: bytes) -> Key:
        """The key for a request whose JSON is `body`."""
        if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
            raise Invalid(
                f"An idempotency key is 1 to {LONGEST_KEY} printable characters; a UUID does well.",
                field="Idempotency-Key",
            )
        return cls(person, operation, key, hashlib.blake2b(body, digest_size=16).hexdigest())


INSERT = """
    INSERT INTO idempotency_key (person, operation, key, fingerprint, status, version, answer)
"""
"""To be completed with VALUES or SELECT, for statements that store the key with the change itself."""

_INSERT = text(
    INSERT + " VALUES (:person, :operation, :key, :fingerprint, :status, :version, :answer)"  # noqa: S608  # constants
)
_COLUMNS = ("person", "operation", "key", "fingerprint", "status", "version", "answer")
_INSERT_ALL = text(
    INSERT  # noqa: S608  # constants
    + """
    SELECT * FROM unnest(CAST(:person AS uuid[]), CAST(:operation AS text[]), CAST(:key AS text[]),
        CAST(:fingerprint AS text[]), CAST(:status AS int[]), CAST(:version AS int[]), CAST(:answer AS text[]))
    """
)
_FIND = text("""
    SELECT fingerprint, status, version, answer, answered_at FROM idempotency_key
    WHERE person = :person AND operation = :operation AND key = :key
""")
_PURGE = text("""
    DELETE FROM idempotency_key WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM idempotency_key WHERE answered_at < :before LIMIT 5000))
""")
_FORGET = text("DELETE FROM idempotency_key WHERE person = :person AND operation = :operation AND key = :key")


def _scope(key: Key) -> dict[str, object]:
    return {"person": key.person, "operation": key.operation, "key": key.key}


async def answered(session: AsyncSession, key: Key, *, now: datetime) -> Answer | None:
    """The stored answer, or None; IdempotencyKeyReused when the key came with another request before."""
    row = (await session.execute(_FIND, _scope(key))).first()
    if row is None:
        return None
    if row.answered_at < now - LIFETIME:
        await session.execute(_FORGET, _scope(key))
        return None
    if row.fingerprint != key.fingerprint:
        raise IdempotencyKeyReused("This key was used for another request. Take a new key for a new request.")
    return Answer(row.status, row.version, row.answer)


async def store(session: AsyncSession, key: Key, answer: Answer) -> None:
    """Store the answer in the caller's transaction; a twin that got there first makes the insert fail."""
    values = {
        "fingerprint": key.fingerprint,
        "status": answer.status,
        "version": answer.version,
        "answer": answer.body,
    }
    await session.execute(_INSERT, _scope(key) | values)


async def store_all(session: AsyncSession, answers: Sequence[tuple[Key, Answer]]) -> None:
    """Store many answers at once, like `store`; one twin makes the insert of all of them fail."""
    if not answers:
        return
    columns: dict[str, list[object]] = {name: [] for name in _COLUMNS}
    # Everybody in the same order: two replicas may be storing the same keys.
    for key, answer in sorted(answers, key=lambda one: (one[0].person, one[0].operation, one[0].key)):
        values = (key.person, key.operation, key.key, key.fingerprint)
        for name, value in zip(_COLUMNS, (*values, answer.status, answer.version, answer.body), strict=True):
            columns[name].append(value)
    await session.execute(_INSERT_ALL, columns)


async def purge(session: AsyncSession, now: datetime) -> int:
    """Forget a chunk of keys past their day; how many."""
    return changed_rows(await session.execute(_PURGE, {"before": now - LIFETIME}))
