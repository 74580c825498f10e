"""What matching mirrors, the vocabulary, profiles with consents, suggestions, introductions and what came of them."""

from alembic import op

from shared.kit import schema

revision = "0001"
down_revision = None

MIRRORS = (
    """
    CREATE TABLE hub (
        id text PRIMARY KEY,
        name text NOT NULL,
        municipality text,
        region text,
        country text,
        zone text NOT NULL,
        languages text[] NOT NULL DEFAULT '{}',
        version int NOT NULL
    )
    """,
    # Who belongs to a hub. Somebody who has left keeps the row, so that an older fact heard late changes nothing.
    """
    CREATE TABLE membership (
        person uuid NOT NULL,
        hub text NOT NULL,
        role text NOT NULL,
        joined_at timestamptz NOT NULL,
        left_at timestamptz,
        version int NOT NULL,
        PRIMARY KEY (person, hub)
    )
    """,
    "CREATE INDEX membership_hub ON membership (hub) WHERE left_at IS NULL",
)

VOCABULARY = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    """
    CREATE TABLE concept (
        id text PRIMARY KEY,
        origin text NOT NULL,
        kind text NOT NULL,
        field text NOT NULL DEFAULT '',
        reviewed boolean NOT NULL DEFAULT false,
        exact_match text,
        active boolean NOT NULL DEFAULT true
    )
    """,
    """
    CREATE TABLE label (
        concept text NOT NULL REFERENCES concept ON DELETE CASCADE,
        language text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('preferred', 'alternative', 'hidden')),
        label text NOT NULL,
        folded text NOT NULL,
        PRIMARY KEY (concept, language, kind, folded)
    )
    """,
    "CREATE UNIQUE INDEX label_preferred ON label (concept, language) WHERE kind = 'preferred'",
    "CREATE INDEX label_folded ON label USING gin (folded gin_trgm_ops)",
    "CREATE INDEX label_exact ON label (folded)",
    """
    CREATE TABLE relation (
        concept text NOT NULL REFERENCES concept ON DELETE CASCADE,
        kind text NOT NULL CHECK (kind IN ('broader', 'related')),
        other text NOT NULL REFERENCES concept ON DELETE CASCADE,
        PRIMARY KEY (concept, kind, other),
        CHECK (concept <> other)
    )
    """,
    "CREATE INDEX relation_other ON relation (other)",
    # One row: counts what has become of the vocabulary, for the facts about it. `changed`: it is other than the latest said,
    # because an import is under way.
    """
    CREATE TABLE vocabulary (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        version int NOT NULL DEFAULT 0,
        changed boolean NOT NULL DEFAULT false
    )
    """,
    "INSERT INTO vocabulary DEFAULT VALUES",
)

PROFILES = (
    # `person` is the owner: a person, or an organisation with an id of its own that somebody keeps. No name of a person.
    # `hub` is where it was made, which is where its facts are stated.
    """
    CREATE TABLE profile (
        person uuid PRIMARY KEY,
        owner_kind text NOT NULL DEFAULT 'person' CHECK (owner_kind IN ('person', 'organisation')),
        kept_by uuid,
        name text,
        hub text NOT NULL,
        about text NOT NULL DEFAULT '',
        talk_about text[] NOT NULL DEFAULT '{}',
        fields text[] NOT NULL DEFAULT '{}',
        languages text[] NOT NULL DEFAULT '{}',
        visibility text NOT NULL DEFAULT 'nobody' CHECK (visibility IN ('nobody', 'hub', 'federation')),
        paused boolean NOT NULL DEFAULT false,
        changed_at timestamptz NOT NULL,
        version int NOT NULL DEFAULT 1,
        CHECK ((owner_kind = 'organisation') = (kept_by IS NOT NULL)),
        CHECK ((owner_kind = 'organisation') = (name IS NOT NULL))
    )
    """,
    "CREATE INDEX profile_kept_by ON profile (kept_by) WHERE kept_by IS NOT NULL",
    # `membership` is the version of the membership it was given in: leaving or joining at a later one ends it, in whatever
    # order that is heard.
    """
    CREATE TABLE consent (
        person uuid NOT NULL REFERENCES profile ON DELETE CASCADE,
        hub text NOT NULL,
        given_at timestamptz NOT NULL,
        withdrawn_at timestamptz,
        membership int NOT NULL,
        PRIMARY KEY (person, hub)
    )
    """,
    "CREATE INDEX consent_hub ON consent (hub) WHERE withdrawn_at IS NULL",
    """
    CREATE TABLE statement (
        id uuid PRIMARY KEY,
        person uuid NOT NULL REFERENCES profile ON DELETE CASCADE,
        side text NOT NULL CHECK (side IN ('offer', 'need')),
        concept text NOT NULL REFERENCES concept,
        level text NOT NULL CHECK (level IN ('beginner', 'practised', 'expert')),
        words text,
        until date,
        created_at timestamptz NOT NULL,
        UNIQUE (person, side, concept)
    )
    """,
    "CREATE INDEX statement_concept ON statement (concept, side)",
    # Facts stated about a profile or a consent. It outlives them, so that who comes back goes on counting.
    "CREATE TABLE fact_count (subject text PRIMARY KEY, version int NOT NULL)",
)

MATCHES = (
    # What a hub's operators want more of in town.
    """
    CREATE TABLE target (
        hub text NOT NULL,
        concept text NOT NULL REFERENCES concept,
        wanted int NOT NULL CHECK (wanted BETWEEN 1 AND 1000),
        set_by uuid NOT NULL,
        PRIMARY KEY (hub, concept)
    )
    """,
    # Who was suggested to whom, once a day (`earlier_at`: the day before the last), and how often somebody is suggested to
    # others of late.
    """
    CREATE TABLE shown (
        person uuid NOT NULL,
        other uuid NOT NULL,
        last_at timestamptz NOT NULL,
        earlier_at timestamptz,
        times int NOT NULL DEFAULT 1,
        PRIMARY KEY (person, other)
    )
    """,
    "CREATE INDEX shown_other ON shown (other)",
    """
    CREATE TABLE exposure (
        person uuid PRIMARY KEY,
        times_decayed double precision NOT NULL DEFAULT 0,
        at timestamptz NOT NULL
    )
    """,
    # "Not this one."
    """
    CREATE TABLE blocked (
        person uuid NOT NULL,
        other uuid NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (person, other)
    )
    """,
    "CREATE INDEX blocked_other ON blocked (other)",
)

INTRODUCTIONS = (
    """
    CREATE TABLE introduction (
        id uuid PRIMARY KEY,
        hub text NOT NULL,
        one uuid NOT NULL,
        other uuid NOT NULL,
        suggested_by uuid,
        by_host boolean NOT NULL DEFAULT false,
        reasons jsonb NOT NULL DEFAULT '[]',
        status text NOT NULL CHECK (status IN
            ('suggested', 'agreed', 'met', 'closed', 'declined', 'lapsed', 'withdrawn')),
        one_said text CHECK (one_said IN ('yes', 'no')),
        other_said text CHECK (other_said IN ('yes', 'no')),
        met_at timestamptz,
        lapse_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        version int NOT NULL DEFAULT 1,
        CHECK (one < other),
        CHECK (status NOT IN ('agreed', 'met', 'closed') OR (one_said = 'yes' AND other_said = 'yes'))
    )
    """,
    "CREATE UNIQUE INDEX introduction_open ON introduction (one, other) WHERE status IN ('suggested', 'agreed', 'met')",
    "CREATE INDEX introduction_one ON introduction (one, id DESC)",
    "CREATE INDEX introduction_other ON introduction (other, id DESC)",
    """
    CREATE TABLE outcome (
        introduction uuid NOT NULL REFERENCES introduction ON DELETE CASCADE,
        person uuid NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('nothing', 'help', 'collaboration', 'company')),
        said_at timestamptz NOT NULL,
        PRIMARY KEY (introduction, person)
    )
    """,
    # What may be told of an area in a month (rules/smallness.py); null is "fewer than five", and so is what has no row.
    """
    CREATE TABLE gap_figure (
        area text NOT NULL,
        month date NOT NULL CHECK (extract(day FROM month) = 1),
        concept text NOT NULL REFERENCES concept,
        demand int CHECK (demand >= 5),
        supply int CHECK (supply >= 5),
        PRIMARY KEY (area, month, concept),
        CHECK (demand IS NOT NULL OR supply IS NOT NULL)
    )
    """,
)


def upgrade() -> None:
    """Create everything."""
    for statement in (*schema.V1, *MIRRORS, *VOCABULARY, *PROFILES, *MATCHES, *INTRODUCTIONS):
        op.execute(statement)
