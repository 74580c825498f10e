"""Which series an event belongs to, so that its dates are told of in one line."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; events heard of before have none, and are told of one by one."""
    op.execute("ALTER TABLE event ADD COLUMN series uuid")
