"""Who people are at sign-in providers, and the nonces of those who are about to come from one."""

from alembic import op

revision = "0007"
down_revision = "0006"

IDENTITIES = (
    """
    CREATE TABLE identity (
        issuer text NOT NULL,
        subject text NOT NULL,
        person uuid NOT NULL REFERENCES person,
        linked_at timestamptz NOT NULL,
        PRIMARY KEY (issuer, subject)
    )
    """,
    "CREATE INDEX identity_person ON identity (person)",
    """
    CREATE TABLE identity_nonce (
        hash bytea PRIMARY KEY,
        issuer text NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX identity_nonce_expires ON identity_nonce (expires_at)",
)


def upgrade() -> None:
    """Create what is new; nothing of the release before is touched."""
    for statement in IDENTITIES:
        op.execute(statement)
