"""The relay notes which server, timeline and database it is in."""

from alembic import op

from shared.kit import schema

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for statement in schema.V3:
        op.execute(statement)
