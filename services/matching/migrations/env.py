"""Alembic's entry; the kit runs it."""

from shared.kit.migrate import run

run()
