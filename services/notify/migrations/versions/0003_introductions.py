"""Introductions, of which their two are told."""

from alembic import op

revision = "0003"
down_revision = "0002"

INTRODUCTIONS = (
    # How it stands for the two: why it came to nothing is not kept here, so nothing can tell it. No name.
    """
    CREATE TABLE introduction (
        id uuid PRIMARY KEY,
        hub text NOT NULL,
        one uuid NOT NULL,
        other uuid NOT NULL,
        standing text NOT NULL,
        -- these two while it waits for answers
        by_host boolean NOT NULL DEFAULT false,
        lapses_at timestamptz,
        said_at timestamptz NOT NULL,
        version int NOT NULL
    )
    """,
    # to forget what nothing has been said of for long
    "CREATE INDEX introduction_said ON introduction (said_at)",
)


def upgrade() -> None:
    """Create what is new; nothing of the release before is touched."""
    for statement in INTRODUCTIONS:
        op.execute(statement)
