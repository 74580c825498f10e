"""The relay notes which server, timeline and database it is in."""

from alembic import op

from shared.kit import schema

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    for statement in schema.V3:
        op.execute(statement)
