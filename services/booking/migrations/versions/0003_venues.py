"""Rooms that events ask for: a booking may be an event's, and each wish has a row of its own."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "ALTER TABLE booking ADD COLUMN event uuid",
    # The promise: one live booking per event.
    """
    CREATE UNIQUE INDEX booking_event ON booking (event)
        WHERE event IS NOT NULL AND status IN ('held', 'confirmed', 'checked_in')
    """,
    # The wish as events last stated it, and how far it is met. `stated` counts our facts about it, `heard` is the last
    # of theirs that was acted on.
    """
    CREATE TABLE venue (
        event uuid PRIMARY KEY,
        hub text NOT NULL,
        edition int NOT NULL,
        wants boolean NOT NULL,
        space text,
        starts_at timestamptz,
        ends_at timestamptz,
        seats int,
        person uuid,
        booking uuid UNIQUE,
        state text NOT NULL CHECK (state IN ('held', 'confirmed', 'refused', 'lost', 'freed')),
        stated int NOT NULL DEFAULT 0,
        heard int NOT NULL DEFAULT 0,
        changed_at timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
