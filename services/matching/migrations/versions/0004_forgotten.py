"""Ids of people who are erased."""

from alembic import op

from shared.kit import schema

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for statement in schema.V2:
        op.execute(statement)
