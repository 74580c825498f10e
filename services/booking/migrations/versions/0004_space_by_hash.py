"""A space is found by touching one page: buckets are split before they outgrow theirs."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    # Buckets are split one by one: one whose turn has not come holds twice as much as those that are split. At the usual
    # 75 % that is more than a page, and a fifth of ten thousand hubs' spaces took two; twice half a page is one page.
    # The lock is short: a hundred thousand spaces are indexed anew in a tenth of a second.
    "ALTER INDEX space_place SET (fillfactor = 50)",
    "REINDEX INDEX space_place",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
