"""The relay asks for every message of occupancy whether a later one of the same space has been stated."""

from alembic import op

from shared.kit import schema

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(schema.latest_only("OCCUPANCY"))
