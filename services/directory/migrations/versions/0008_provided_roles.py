"""Which version of a membership a sign-in provider has made, so that what the hub decides afterwards stands."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add a column that the release before leaves empty, as if the hub had decided."""
    op.execute("ALTER TABLE membership ADD COLUMN provided int")
