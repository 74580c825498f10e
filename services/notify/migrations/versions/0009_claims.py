"""What is due is claimed in the order it is due, and whether something about the same is on its way is looked up."""

from alembic import op

from shared.kit import schema

revision = "0009"
down_revision = "0008"

INDEXES = {
    "notice_next": "notice (due_at, id) WHERE message IS NULL AND digest IS NULL",
    "notice_under_way": "notice (person, about, thing, channel) WHERE message IS NOT NULL",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, on in INDEXES.items():
            schema.index_beside_work(name, on)
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS notice_due")  # the first of them does what it did
