"""Hubs, persons, memberships, organisations."""

from alembic import op

from shared.kit import schema

revision = "0001"
down_revision = None

TABLES = (
    """
    CREATE TABLE hub (
        slug text PRIMARY KEY,
        name text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('library', 'association', 'company', 'municipal', 'online')),
        address text,
        municipality text,
        region text,
        country text,
        time_zone text NOT NULL,
        languages text[] NOT NULL DEFAULT '{}',
        modules text[] NOT NULL DEFAULT '{}',
        offers text[] NOT NULL DEFAULT '{}',
        about text,
        cell text NOT NULL,
        version int NOT NULL DEFAULT 1,
        words text NOT NULL
    )
    """,
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    # Names are compared under a named collation: under a server's plain C, lower('Ö') stays as it is.
    "CREATE INDEX hub_words ON hub USING gin (words gin_trgm_ops)",
    """CREATE INDEX hub_municipality ON hub (lower(municipality COLLATE "pg_c_utf8"), slug)""",
    """CREATE INDEX hub_region ON hub (lower(region COLLATE "pg_c_utf8"), slug)""",
    """
    CREATE TABLE person (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        email text,
        language text NOT NULL,
        time_zone text NOT NULL,
        guest boolean NOT NULL,
        registered_at timestamptz NOT NULL
    )
    """,
    # One account per address; guests are registered by staff and may share one, or have none.
    "CREATE UNIQUE INDEX person_email ON person (lower(email)) WHERE NOT guest",
    """CREATE INDEX person_name ON person (lower(name COLLATE "pg_c_utf8"))""",
    # The row stays when somebody leaves: `version` counts the membership's facts and must never start again.
    """
    CREATE TABLE membership (
        hub text NOT NULL REFERENCES hub,
        person uuid NOT NULL REFERENCES person,
        role text NOT NULL CHECK (role IN ('visitor', 'member', 'host', 'operator', 'coordinator', 'admin')),
        since timestamptz NOT NULL,
        left_at timestamptz,
        version int NOT NULL DEFAULT 1,
        PRIMARY KEY (hub, person)
    )
    """,
    "CREATE INDEX membership_person ON membership (person)",
    """
    CREATE TABLE organisation (
        id uuid PRIMARY KEY,
        hub text NOT NULL REFERENCES hub,
        name text NOT NULL,
        kind text NOT NULL,
        website text
    )
    """,
    """CREATE UNIQUE INDEX organisation_name ON organisation (hub, lower(name COLLATE "pg_c_utf8"))""",
)


def upgrade() -> None:
    for statement in (*schema.V1, *TABLES):
        op.execute(statement)
