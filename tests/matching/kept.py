"""Towns that are told once and stand again for every story: what is in the tables, and what their world remembers of it."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any

from shared.kit.database import driver_of
from tests.matching.world import World

Story = Callable[[World], Awaitable[None]]

_TABLES = """
    SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
      AND c.relname <> 'alembic_version'
    ORDER BY (SELECT count(*) FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f'), c.relname
"""
_KEEP = f"""
    DO $$ DECLARE name text; BEGIN
        CREATE SCHEMA {{kept}};
        FOR name IN {_TABLES} LOOP EXECUTE format('CREATE TABLE {{kept}}.%I AS TABLE public.%I', name, name); END LOOP;
    END $$
"""
# Whatever nothing refers to comes last; what is generated comes by itself.
_AGAIN = f"""
    DO $$ DECLARE name text; columns text; BEGIN
        FOR name IN {_TABLES} LOOP
            SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
            WHERE attrelid = format('public.%I', name)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
            EXECUTE format('INSERT INTO public.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM {{kept}}.%I',
                           name, columns, columns, name);
        END LOOP;
    END $$
"""  # constants
NOT_TOLD = ("database", "_answers")
_kept: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}


async def told_once(empty: World, story: Story) -> World:
    """The world after the story: told in requests and facts the first time in a database, put back from there on."""
    url = str(empty.database.engine.url)
    place = (url, f"{story.__module__}.{story.__qualname__}")
    if place not in _kept:
        await story(empty)
        schema = f"kept_{len(_kept)}"
        await _run(empty, _KEEP.format(kept=schema))
        _kept[place] = schema, _remembered(empty)
        return empty
    schema, remembered = _kept[place]
    await _run(empty, _AGAIN.format(kept=schema))
    for name, value in copy.deepcopy(remembered).items():
        setattr(empty, name, value)
    return empty


def _remembered(world: World) -> dict[str, Any]:
    return copy.deepcopy(
        {one.name: getattr(world, one.name) for one in fields(world) if one.name not in NOT_TOLD}
    )


async def _run(world: World, statement: str) -> None:
    async with world.database.engine.connect() as connection:
        await (await driver_of(connection)).execute(statement)
