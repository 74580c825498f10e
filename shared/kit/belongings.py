"""What a service keeps for a hub: written out row by row, and taken in again in another cell, the same or not at all."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from zlib import crc32

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Request
from shared.contracts.operations import (
    ExportHub,
    HubEntity,
    HubImported,
    HubInventory,
    HubRows,
    ImportHub,
    TakeInventory,
)
from shared.kit.errors import Conflict, Invalid, NotFound, Unavailable
from shared.kit.rpc import Call, Handler

AT_ONCE = 200
"""Rows in one message."""
MOST_BYTES = 256 * 1024

OfRows = Callable[[AsyncSession, str, Sequence[Mapping[str, Any]]], Awaitable[None]]
"""Called with the session, the hub and rows."""


class HubDiffers(Conflict):
    """Something of the hub is here and says something else than what shall be taken in."""

    code = "hub-differs"
    title = "The hub is here with other data"


@dataclass(frozen=True)
class Kept:
    """The rows of one table that belong to a hub; a published format: fields may join, none may change its meaning.

    `key` names columns with their types and gives the order. Columns in `given` are not carried but computed where
    the row is taken in, by SQL that may use `:hub`. What is not `lasting` may be gone or moved since it was taken in.
    """

    entity: str
    table: str
    says: str
    fields: tuple[str, ...]
    key: Mapping[str, str]
    where: str = "t.hub = :hub"
    holds: str | None = None
    """What is so of each row when it has been taken in, if it is not `where`: above all that it is part of the hub's own."""
    hub_in: str = "hub"
    """The field that names the hub, where there is one: a row of another hub is refused."""
    given: Mapping[str, str] = field(default_factory=dict)
    lasting: bool = True
    passing: bool = False
    """Rows that go by themselves when their time has come."""
    of_people: bool = False
    """Only those are written out that are asked for by `:people`; how many there are nobody knows."""
    taken_in: OfRows | None = None
    """Called with the rows that were new, in the transaction that has written them."""
    shown: OfRows | None = None
    """Called with rows that are written out, in the transaction that has read them."""
    fits: OfRows | None = None
    """Raises when rows cannot be taken in here for another reason than being there and different."""

    @property
    def _columns(self) -> str:
        return ", ".join(f't."{name}"' for name in self.fields)

    async def state(self, session: AsyncSession, hub: str) -> tuple[int, int]:
        """How many the hub has, and a digest of what they say; 0 for what is passing."""
        found = await session.execute(
            text(f"""
                SELECT count(*), bit_xor(hash_record_extended(one, {crc32(self.entity.encode())}))
                FROM (SELECT {self._columns} FROM {self.table} t WHERE {self.where}) one
            """),  # noqa: S608  # declared above
            {"hub": hub},
        )
        count, digest = found.one()
        return int(count), 0 if self.passing else int(digest or 0)

    async def page(
        self, session: AsyncSession, hub: str, after: Sequence[str] | None, people: Sequence[UUID] = ()
    ) -> HubRows:
        """The next rows after a key, as many as fit into a message."""
        names = [f't."{name}"' for name in self.key]
        going_on, known = "", dict[str, Any]()
        if after is not None:
            if len(after) != len(self.key):
                raise Invalid("This cursor is not one of this list.", field="cursor")
            places = [
                f"CAST(CAST(:after{at} AS text) AS {kind})" for at, kind in enumerate(self.key.values())
            ]
            going_on = f"AND ({', '.join(names)}) > ({', '.join(places)})"
            known = {f"after{at}": value for at, value in enumerate(after)}
        statement = text(f"""
            SELECT to_jsonb(one) FROM (
                SELECT {self._columns} FROM {self.table} t WHERE {self.where} {going_on}
                ORDER BY {", ".join(names)} LIMIT {AT_ONCE}
            ) one
        """)  # noqa: S608  # declared above
        known |= {"people": [str(one) for one in people]} if self.of_people else {"hub": hub}
        found = (await session.execute(statement, known)).scalars().all()
        rows = _fitting(found)
        if self.shown is not None and rows:
            await self.shown(session, hub, rows)
        more = len(found) == AT_ONCE or len(rows) < len(found)
        cursor = tuple(str(rows[-1][name]) for name in self.key) if more else None
        return HubRows(entity=self.entity, rows=rows, cursor=cursor)

    async def take_in(
        self, session: AsyncSession, hub: str, rows: Sequence[Mapping[str, Any]], *, only_look: bool
    ) -> HubImported:
        """Write those that are not there; HubDiffers when one is and says something else."""
        carried = [self._checked(hub, row) for row in rows]
        known = {self._key_of(row): row for row in await self._there(session, carried)}
        new = [row for row in carried if self._key_of(row) not in known]
        if self.fits is not None:
            await self.fits(session, hub, new)
        there = [row for row in carried if self.lasting and self._key_of(row) in known]
        for row, read in zip(there, await self._as_read(session, there), strict=True):
            found = known[self._key_of(row)]
            if found != read:
                names = [name for name in self.fields if found[name] != row[name]]
                raise HubDiffers(
                    f"{self.entity} {', '.join(self._key_of(row))} is here already and differs in {', '.join(names)}."
                )
        if not only_look and new:
            await self._write(session, hub, new)
            await self._refuse_what_is_not_the_hubs(session, hub, new)
            if self.taken_in is not None:
                await self.taken_in(session, hub, new)
        return HubImported(entity=self.entity, written=len(new), same=len(carried) - len(new))

    def _checked(self, hub: str, row: Mapping[str, Any]) -> dict[str, Any]:
        unknown = row.keys() - set(self.fields)
        if unknown:
            raise Invalid(f"{self.entity} has no field {', '.join(sorted(unknown))} in this release.")
        missing = [name for name in self.key if row.get(name) is None]
        if missing:
            raise Invalid(f"{self.entity} is nothing without {', '.join(missing)}.")
        if self.hub_in in self.fields and row.get(self.hub_in) != hub:
            raise Invalid(f"{self.entity} {', '.join(self._key_of(row))} belongs to another hub.")
        # A field that joined the format later is empty in an older export.
        return {name: row.get(name) for name in self.fields}

    def _key_of(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(str(row[name]) for name in self.key)

    async def _there(
        self, session: AsyncSession, rows: Sequence[Mapping[str, Any]]
    ) -> Sequence[dict[str, Any]]:
        same = " AND ".join(f't."{name}" = given."{name}"' for name in self.key)
        statement = text(f"""
            SELECT to_jsonb(one) FROM (
                SELECT {self._columns} FROM {self.table} t
                JOIN jsonb_populate_recordset(NULL::{self.table}, CAST(:rows AS jsonb)) given ON {same}
            ) one
        """)  # noqa: S608  # declared above
        return (await session.execute(statement, {"rows": _json(rows)})).scalars().all()

    async def _as_read(
        self, session: AsyncSession, rows: Sequence[Mapping[str, Any]]
    ) -> Sequence[dict[str, Any]]:
        """As the table would give them back, in their order: a moment may be written in more than one way."""
        if not rows:
            return ()
        statement = text(f"""
            SELECT (SELECT to_jsonb(one) FROM (SELECT {self._columns}) one)
            FROM jsonb_populate_recordset(NULL::{self.table}, CAST(:rows AS jsonb)) WITH ORDINALITY t
            ORDER BY t.ordinality
        """)  # noqa: S608  # declared above
        return (await session.execute(statement, {"rows": _json(rows)})).scalars().all()

    async def _write(self, session: AsyncSession, hub: str, rows: Sequence[Mapping[str, Any]]) -> None:
        columns = [f'"{name}"' for name in (*self.fields, *self.given)]
        values = [*(f't."{name}"' for name in self.fields), *self.given.values()]
        statement = text(f"""
            INSERT INTO {self.table} ({", ".join(columns)})
            SELECT {", ".join(values)} FROM jsonb_populate_recordset(NULL::{self.table}, CAST(:rows AS jsonb)) t
            ON CONFLICT DO NOTHING RETURNING true
        """)  # noqa: S608  # declared above
        parameters = {"rows": _json(rows)} | ({"hub": hub} if ":hub" in str(statement) else {})
        written = len((await session.execute(statement, parameters)).all())
        if written != len(rows) and self.lasting:
            raise HubDiffers(
                f"{len(rows) - written} {self.entity} cannot stand beside what is here under another id."
            )

    async def _refuse_what_is_not_the_hubs(
        self, session: AsyncSession, hub: str, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """A row may name the hub and yet belong to something of another: an organiser of another hub's event runs it."""
        same = " AND ".join(f't."{name}" = given."{name}"' for name in self.key)
        statement = text(f"""
            SELECT count(*) FROM {self.table} t
            JOIN jsonb_populate_recordset(NULL::{self.table}, CAST(:rows AS jsonb)) given ON {same}
            WHERE {self.holds or self.where}
        """)  # noqa: S608  # declared above
        parameters = {"rows": _json(rows)} | ({"hub": hub} if ":hub" in str(statement) else {})
        theirs = len(rows) - int((await session.execute(statement, parameters)).scalar_one())
        if theirs:
            raise Invalid(f"{theirs} {self.entity} are part of something that is not this hub's.")


def _fitting(rows: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """As many as go into one message, at least one."""
    size, fitting = 0, list[dict[str, Any]]()
    for row in rows:
        size += len(_json(row))
        if fitting and size > MOST_BYTES:
            break
        fitting.append(row)
    return tuple(fitting)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _called(entity: str, kept: Mapping[str, Kept]) -> Kept:
    if entity not in kept:
        raise NotFound(f"Nothing called {entity!r} is kept for a hub here; there is: {', '.join(kept)}.")
    return kept[entity]


_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FORGOTTEN = text(
    "SELECT person FROM forgotten_person WHERE person = ANY(CAST(:ids AS uuid[])) ORDER BY person"
)


async def _refuse_forgotten(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Nobody comes back by way of an old file, wherever in a row they are named: of who has left there are bookings, too."""
    ids = sorted(set(_ID.findall(_json(rows))))
    forgotten = (await session.execute(_FORGOTTEN, {"ids": ids})).scalars().all()
    if forgotten:
        raise HubDiffers(
            f"These rows name {len(forgotten)} people who have been erased here since, the first is {forgotten[0]}. "
            "Erase them in the other cell as well, with `foci people erase`, and export the hub again."
        )


def handlers(kept: Sequence[Kept], *, hub_is_known: str | None) -> dict[type[Request[Any]], Handler]:
    """The handlers of a service that keeps these, in an order in which each finds what it refers to.

    `hub_is_known` says by SQL whether the service has heard of `:hub`; None for the one that hubs are first known to, which
    also knows itself who has been erased.
    """
    by_name = {one.entity: one for one in kept}

    async def inventory(session: AsyncSession, request: TakeInventory, _: Call) -> HubInventory:
        items, mark = [], 0
        for one in kept:
            if not one.of_people:
                count, digest = await one.state(session, request.hub)
                mark ^= digest
                items.append(
                    HubEntity(
                        entity=one.entity, count=count, fields=one.fields, key=tuple(one.key), says=one.says,
                        passing=one.passing,
                    )
                )  # fmt: skip
        return HubInventory(items=tuple(items), mark=mark)

    async def export(session: AsyncSession, request: ExportHub, _: Call) -> HubRows:
        return await _called(request.entity, by_name).page(
            session, request.hub, request.cursor, request.people
        )

    async def take_in(session: AsyncSession, request: ImportHub, _: Call) -> HubImported:
        one = _called(request.entity, by_name)
        if hub_is_known is not None:
            await _refuse_forgotten(session, request.rows)
        if hub_is_known is not None and not request.only_look:
            known = (await session.execute(text(hub_is_known), {"hub": request.hub})).first()
            if known is None:
                raise Unavailable("The hub is not known here yet. Try again shortly.")
        return await one.take_in(session, request.hub, request.rows, only_look=request.only_look)

    return {TakeInventory: inventory, ExportHub: export, ImportHub: take_in}
