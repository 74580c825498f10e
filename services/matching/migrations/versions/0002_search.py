"""Searching what people say of themselves, in the languages they say it in; and the secret that hides who they are."""

from alembic import op

revision = "0002"
down_revision = "0001"

LANGUAGES = {"sv": "swedish", "da": "danish", "en": "english"}


def _columns(table: str, text: str) -> str:
    # Everybody writes in the language they like, and it is not said which: each text is read in all of them.
    parts = ", ".join(
        f"ADD COLUMN said_{language} tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('{config}', {text})) STORED"
        for language, config in LANGUAGES.items()
    )
    return f"ALTER TABLE {table} ADD COLUMN said text NOT NULL GENERATED ALWAYS AS (lower({text})) STORED, {parts}"


SEARCH = (
    # array_to_string is only STABLE, because of types whose text depends on settings; of text it does not.
    """
    CREATE FUNCTION in_lines(parts text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_to_string(parts, E'\\n')
    """,
    _columns("profile", "coalesce(name, '') || E'\\n' || about || E'\\n' || in_lines(talk_about)"),
    _columns("statement", "coalesce(words, '')"),
    # In which months an area was counted: a skill without a row then had fewer than five people.
    """
    CREATE TABLE gap_month (
        area text NOT NULL,
        month date NOT NULL,
        counted_at timestamptz NOT NULL,
        PRIMARY KEY (area, month)
    )
    """,
    # Made once, for good: whoever knows it can tell from an id in a list whose it is (rules/handles.py). A function, because
    # it is no row that anything may delete.
    """
    DO $$ BEGIN
        EXECUTE format('CREATE FUNCTION handle_secret() RETURNS bytea LANGUAGE sql IMMUTABLE RETURN %L::bytea',
                       sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
    END $$
    """,
)


def upgrade() -> None:
    """Add what is searched, and make the secret."""
    for statement in SEARCH:
        op.execute(statement)
