"""The format of a hub's export is published: the page says what the services declare, and nothing secret is in it."""

from __future__ import annotations

from collections.abc import Callable

import asyncpg
import pytest

from tests.contracts.hub_export import KEPT, PAGE, page_with, tables

SECRET = ("secret", "hash", "token", "password", "idempotency")
NOT_CARRIED = {
    "hub": {"cell", "version", "words"},
    "person": {"erased_at"},
    "membership": {"left_at", "version"},
    "places": {"taken", "waiting", "came"},
    "space": {"hub_number"},
    "booking": {"hub_number"},
    "timer": {"version", "attempts"},
    "webhook": {
        "state", "because", "generation", "previous_until", "failing_since", "stated", "version",
    },
}  # fmt: skip
"""Columns that are numbered, counted or begun anew where a row is taken in, by table."""


def test_the_page_tells_every_file_and_field() -> None:
    assert PAGE.read_text() == page_with(tables()), "run: python -m tests.contracts.hub_export"


def test_no_secret_is_carried() -> None:
    fields = {
        f"{service}.{one.entity}.{name}"
        for service, kept in KEPT.items()
        for one in kept
        for name in one.fields
    }
    assert not [name for name in fields if any(word in name for word in SECRET)]


@pytest.mark.parametrize("service", KEPT)
async def test_every_column_is_carried_or_known_not_to_be(
    service: str, database: Callable[[str], str]
) -> None:
    """A column that joins a table must be decided about, or it would be lost in silence."""
    connection = await asyncpg.connect(database(service).replace("+asyncpg", ""))
    columns = (
        "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND is_generated = 'NEVER'"
    )
    try:
        for one in KEPT[service]:
            there = {row["column_name"] for row in await connection.fetch(columns, one.table)}
            undecided = there - {*one.fields, *one.given, *NOT_CARRIED.get(one.table, ())}
            assert not undecided, f"{service}: {one.table}: {sorted(undecided)}"
            assert set(one.fields) <= there, f"{service}: {one.table} has no {set(one.fields) - there}"
    finally:
        await connection.close()
