"""Links to sign in with that people have asked for."""

from alembic import op

revision = "0006"
down_revision = "0005"

SIGN_INS = (
    "CREATE TABLE sign_in (id uuid PRIMARY KEY, hub text NOT NULL, person uuid NOT NULL, until timestamptz NOT NULL)",
    # to forget those that are over
    "CREATE INDEX sign_in_until ON sign_in (until)",
)


def upgrade() -> None:
    """Create what is new; nothing of the release before is touched."""
    for statement in SIGN_INS:
        op.execute(statement)
