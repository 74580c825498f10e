"""Erasing people: what was asked, what was done, what each service answered."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = (
    """
    CREATE TABLE erasure_wish (
        person uuid PRIMARY KEY REFERENCES person ON DELETE CASCADE,
        number_hash bytea NOT NULL,
        confirm_by timestamptz NOT NULL
    )
    """,
    # The id is nobody's any more; it stays so that a service restored from an old backup can be told again.
    """
    CREATE TABLE erasure (
        person uuid PRIMARY KEY,
        number_hash bytea NOT NULL UNIQUE,
        erased_at timestamptz NOT NULL,
        told jsonb NOT NULL,
        stated int NOT NULL DEFAULT 0,
        completed_at timestamptz
    )
    """,
    "CREATE INDEX erasure_open ON erasure (erased_at) WHERE completed_at IS NULL",
    """
    CREATE TABLE erasure_answer (
        person uuid NOT NULL REFERENCES erasure ON DELETE CASCADE,
        service text NOT NULL,
        answered_at timestamptz NOT NULL,
        told jsonb NOT NULL,
        PRIMARY KEY (person, service)
    )
    """,
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
