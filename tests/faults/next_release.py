"""For tests.faults.start, with SERVICE: the process of the release after this one; and the migrations that go before it.

It is this release with what a next one may bring: every table has a column more, the outbox says which release stated a
fact, and facts have a field nobody else knows. Functions and statements are replaced before main runs.
"""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

import orjson
from sqlalchemy import text

from shared.contracts.base import Fact
from shared.contracts.users import SERVICES
from shared.kit import life, outbox, process
from shared.kit.migrate import SERVICES as SOURCES
from tests.faults import ledger

RELEASE = "9.9.9"
REVISION = '''"""Expands everything there is: a column on every table, of which the release before knows nothing."""

from alembic import op
from sqlalchemy import text

revision = "next"
down_revision = "{before}"


def upgrade() -> None:
    tables = op.get_bind().execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
    # Each in a transaction of its own: who waits for one table must not hold another.
    with op.get_context().autocommit_block():
        for table in tables:
            if table != "alembic_version":
                op.execute(f'ALTER TABLE "{{table}}" ADD COLUMN by_release text NOT NULL DEFAULT \\'before\\'')
        op.execute("CREATE INDEX CONCURRENTLY outbox_by_release ON outbox (by_release)")
        op.execute("CREATE TABLE of_next_release (id uuid PRIMARY KEY)")
'''


def write_migrations(folder: Path) -> None:
    """The services' migrations with a revision more, for `migrate(…, services=folder)`."""
    for service in SERVICES:
        copied = folder / service / "migrations"
        shutil.copytree(SOURCES / service / "migrations", copied)
        newest = max(path.name for path in (copied / "versions").glob("0*.py")).partition("_")[0]
        (copied / "versions" / "next.py").write_text(REVISION.format(before=newest))


def become_next() -> None:
    """What is different in the next release."""
    life.RELEASE = RELEASE
    vars(process)["RELEASE"] = RELEASE
    row_of = outbox.row_of

    def with_a_field_more(fact: Fact) -> outbox.Row:
        row = row_of(fact)
        body = orjson.loads(row.body) | {"only_the_next_release_knows": True}
        return outbox.Row(row.stream, row.fact_id, row.subject, row.headers, orjson.dumps(body).decode())

    outbox.row_of = with_a_field_more
    outbox._INSERT = text("""
        INSERT INTO outbox (stream, fact_id, subject, headers, body, by_release)
        VALUES (:stream, :fact_id, :subject, :headers, :body, 'next')
    """)


def main() -> None:
    """Be the next release's service."""
    service = sys.argv[1]
    if service != "gateway":
        become_next()
    place = "tests.faults.ledger" if service == ledger.SERVICE else f"services.{service}.main"
    importlib.import_module(place).serve()
