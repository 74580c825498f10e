"""What the code has promised about sessions and tokens, kept by the database: the release before keeps it too."""

from alembic import op

from shared.kit import schema

revision = "0009"
down_revision = "0008"

CHECKS = (
    ("session", "session_ended_because", "(ended_at IS NULL) = (ended_because IS NULL)"),
    ("api_token", "api_token_purpose", "purpose IN ('kiosk', 'occupancy', 'webhooks')"),
)


def upgrade() -> None:
    """Each statement for itself, so that nobody waits while rows are looked through; begun again where it was broken off."""
    with op.get_context().autocommit_block():
        for table, name, condition in CHECKS:
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        # Of a session's refresh tokens one gets the next.
        schema.index_beside_work(
            "refresh_token_current", "refresh_token (session) WHERE replaced_at IS NULL", unique=True
        )
