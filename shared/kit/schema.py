"""The kit's tables, in versions that never change; each service's first migration creates them."""

from __future__ import annotations

from alembic import op

V1 = (
    # The outbox is the log of what a service has stated. `xid` orders rows by transaction so that a reader
    # who stays below the oldest running transaction can never overtake one that has not committed yet; `id`
    # alone can (sequences are taken before commit).
    """
    CREATE TABLE outbox (
        stream text NOT NULL,
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        id bigint GENERATED ALWAYS AS IDENTITY,
        fact_id uuid NOT NULL,
        subject text NOT NULL,
        headers text NOT NULL,
        body text NOT NULL,
        stated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (stream, xid, id)
    )
    """,
    """
    CREATE TABLE relay_cursor (
        stream text PRIMARY KEY,
        epoch bigint NOT NULL DEFAULT 0,
        xid xid8 NOT NULL DEFAULT '0',
        id bigint NOT NULL DEFAULT 0,
        last_sequence bigint NOT NULL DEFAULT 0,
        moved_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE inbox (
        consumer text NOT NULL,
        fact_id uuid NOT NULL,
        seen_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer, fact_id)
    )
    """,
    "CREATE INDEX inbox_seen_at ON inbox USING brin (seen_at)",
    """
    CREATE TABLE heard_version (
        consumer text NOT NULL,
        subject text NOT NULL,
        version bigint NOT NULL,
        PRIMARY KEY (consumer, subject)
    )
    """,
    """
    CREATE TABLE parked_fact (
        consumer text NOT NULL,
        subject text NOT NULL,
        version bigint NOT NULL,
        nats_subject text NOT NULL,
        body text NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer, subject, version)
    )
    """,
    """
    CREATE TABLE dead_letter (
        id uuid PRIMARY KEY,
        consumer text NOT NULL,
        fact_id uuid,
        subject text NOT NULL,
        headers text NOT NULL,
        body text NOT NULL,
        reason text NOT NULL,
        attempts int NOT NULL,
        failed_at timestamptz NOT NULL DEFAULT now(),
        replayed_at timestamptz
    )
    """,
    """
    CREATE TABLE fact_failure (
        consumer text NOT NULL,
        key text NOT NULL,
        attempts int NOT NULL DEFAULT 1,
        failed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer, key)
    )
    """,
    """
    CREATE TABLE timer (
        kind text NOT NULL,
        key text NOT NULL,
        due_at timestamptz NOT NULL,
        version bigint NOT NULL DEFAULT 1,
        attempts int NOT NULL DEFAULT 0,
        PRIMARY KEY (kind, key)
    )
    """,
    "CREATE INDEX timer_due_at ON timer (due_at)",
    """
    CREATE TABLE idempotency_key (
        person uuid NOT NULL,
        operation text NOT NULL,
        key text NOT NULL,
        fingerprint text NOT NULL,
        status int NOT NULL,
        version int,
        answer text NOT NULL,
        answered_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (person, operation, key)
    )
    """,
    "CREATE INDEX idempotency_key_answered_at ON idempotency_key USING brin (answered_at)",
)

V2 = (
    # Ids that belonged to people who are erased, so that nothing said of them later brings anything back. `stated`
    # counts the service's answers.
    """
    CREATE TABLE forgotten_person (
        person uuid PRIMARY KEY,
        forgotten_at timestamptz NOT NULL,
        stated int NOT NULL DEFAULT 0
    )
    """,
)


V3 = (
    # Which server, timeline and database this is, as the relay last saw it: in another one what had been taken in and
    # acknowledged last may be missing.
    "ALTER TABLE relay_cursor ADD COLUMN place text",
)


def latest_only(stream: str) -> str:
    """The index by which the relay of a stream with one message per subject sees what has been overtaken."""
    return f"CREATE INDEX outbox_latest_{stream.lower()} ON outbox (subject, id) WHERE stream = '{stream}'"


def index_beside_work(name: str, on: str, *, unique: bool = False) -> None:
    """Build an index while the table is read and written; what a try that was cut short left is not valid, and goes first.

    `on` is the table, its columns and the condition, as SQL writes them. For an `autocommit_block` of a revision.
    """
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON {on}")
