"""API tokens of hubs: for kiosks and for operators' own systems."""

from alembic import op

revision = "0006"
down_revision = "0005"

API_TOKENS = (
    """
    CREATE TABLE api_token (
        id uuid PRIMARY KEY,
        hub text NOT NULL REFERENCES hub,
        name text NOT NULL,
        purpose text NOT NULL,
        hash bytea NOT NULL UNIQUE,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX api_token_hub ON api_token (hub, created_at)",
)


def upgrade() -> None:
    """Create what is new; nothing of the release before is touched."""
    for statement in API_TOKENS:
        op.execute(statement)
