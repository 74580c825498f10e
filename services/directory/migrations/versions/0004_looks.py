"""Who was shown whose name or address."""

from alembic import op

revision = "0004"
down_revision = "0003"

LOOKS = (
    # One row per viewer, kind and hour however often they looked, so that a list that is read all day costs little.
    """
    CREATE TABLE look (
        person uuid NOT NULL REFERENCES person ON DELETE CASCADE,
        hour timestamptz NOT NULL,
        viewer uuid NOT NULL,
        hub text NOT NULL,
        what text NOT NULL,
        role text NOT NULL,
        PRIMARY KEY (person, hour, viewer, hub, what, role)
    )
    """,
    "CREATE INDEX look_hour ON look USING brin (hour)",
    "CREATE INDEX look_viewer ON look (viewer)",
)


def upgrade() -> None:
    for statement in LOOKS:
        op.execute(statement)
