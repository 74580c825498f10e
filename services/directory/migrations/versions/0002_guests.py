"""Guests are found by their address, so that one who comes again is the same person."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE INDEX person_guest_email ON person (lower(email)) WHERE guest")
