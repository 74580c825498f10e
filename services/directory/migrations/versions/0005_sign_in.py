"""Signing in: wishes and links, sessions with their refresh tokens, keys that sign access tokens."""

from alembic import op

revision = "0005"
down_revision = "0004"

SIGN_IN = (
    # What somebody has asked for, for the moment until it is looked at whether the address is anybody's.
    """
    CREATE TABLE sign_in_wish (
        id uuid PRIMARY KEY,
        email text NOT NULL,
        hub text,
        asked_at timestamptz NOT NULL
    )
    """,
    # How often in a while, by a keyed hash of who or where from.
    """
    CREATE TABLE sign_in_count (
        what bytea NOT NULL,
        window_at timestamptz NOT NULL,
        number int NOT NULL,
        PRIMARY KEY (what, window_at)
    )
    """,
    "CREATE INDEX sign_in_count_window ON sign_in_count (window_at)",
    """
    CREATE TABLE sign_in (
        id uuid PRIMARY KEY,
        person uuid NOT NULL REFERENCES person,
        hub text NOT NULL,
        asked_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX sign_in_person ON sign_in (person) WHERE used_at IS NULL",
    "CREATE INDEX sign_in_asked ON sign_in (asked_at)",
    """
    CREATE TABLE session (
        id uuid PRIMARY KEY,
        person uuid NOT NULL REFERENCES person,
        via text NOT NULL,
        agent text NOT NULL,
        started_at timestamptz NOT NULL,
        seen_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        ended_at timestamptz,
        ended_because text
    )
    """,
    "CREATE INDEX session_person ON session (person, seen_at)",
    "CREATE INDEX session_ends ON session (ends_at)",
    # Only hashes: who reads the table cannot act for anybody. One that was replaced is kept, to be known when it comes again.
    """
    CREATE TABLE refresh_token (
        hash bytea PRIMARY KEY,
        session uuid NOT NULL REFERENCES session ON DELETE CASCADE,
        issued_at timestamptz NOT NULL,
        replaced_at timestamptz
    )
    """,
    "CREATE INDEX refresh_token_session ON refresh_token (session)",
    # `sealed` is the private key, encrypted under the service's own.
    """
    CREATE TABLE token_key (
        kid text PRIMARY KEY,
        x text NOT NULL,
        sealed bytea NOT NULL,
        made_at timestamptz NOT NULL,
        signs_from timestamptz NOT NULL,
        until timestamptz
    )
    """,
)


def upgrade() -> None:
    """Create what is new; nothing of the release before is touched."""
    for statement in SIGN_IN:
        op.execute(statement)
