"""The trace a notice and its message belong to."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Two columns that the release before leaves empty: a trace ends there, nothing else."""
    op.execute("ALTER TABLE notice ADD COLUMN trace text")
    op.execute("ALTER TABLE message ADD COLUMN trace text")
