"""What outcomes teach about skills, the figures of what came of introductions, and indexes for searching many members."""

from alembic import op

revision = "0003"
down_revision = "0002"

OUTCOMES = (
    # How many people have said what came of an offer of the one for a need of the other, and how many that it helped
    # (rules/lessons.py): drawn once a day from what is there, with nobody in it.
    """
    CREATE TABLE lesson (
        one text NOT NULL REFERENCES concept ON DELETE CASCADE,
        other text NOT NULL REFERENCES concept ON DELETE CASCADE,
        people int NOT NULL CHECK (people >= 5),
        helped int NOT NULL CHECK (helped BETWEEN 0 AND people),
        PRIMARY KEY (one, other),
        CHECK (one <= other)
    )
    """,
    "CREATE INDEX outcome_person ON outcome (person)",
    # What may be told of an area in a month (rules/smallness.py); what has no row is "fewer than five".
    """
    CREATE TABLE outcome_figure (
        area text NOT NULL,
        month date NOT NULL CHECK (extract(day FROM month) = 1),
        outcome text NOT NULL CHECK (outcome IN ('nothing', 'help', 'collaboration', 'company')),
        people int NOT NULL CHECK (people >= 5),
        PRIMARY KEY (area, month, outcome)
    )
    """,
)

# In a hub of many a search begins with these: whose words have a word in them, inflected, inside another, or misspelt.
SEARCH = (
    *(
        f"CREATE INDEX {table}_said ON {table} USING gin (said gin_trgm_ops, said_sv, said_da, said_en)"
        for table in ("profile", "statement")
    ),
    "CREATE INDEX consent_place ON consent (hub, md5(person::text)) WHERE withdrawn_at IS NULL",
)


def upgrade() -> None:
    """Add them."""
    for statement in (*OUTCOMES, *SEARCH):
        op.execute(statement)
