"""Skills and organisations, and what matching has heard, in the state in which a route can act on them."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from tests.gateway.cell import Cell, eventually

SKILLS = {"bookkeeping": "bokföring", "photography": "fotografering"}
MOST = 15
"""Somebody may keep five organisations more; the oldest make room."""
_DONE: set[object] = set()
"""What need not be made or waited for again, with the cell it was done in."""


def vocabulary(cell: Cell) -> None:
    """A few skills with names."""
    if cell.url in _DONE:
        return
    _DONE.add(cell.url)
    for concept, label in SKILLS.items():
        cell.sql(
            "matching",
            f"INSERT INTO concept (id, origin, kind, field) VALUES ('{concept}', 'foci', 'skill', 'finance') "
            "ON CONFLICT DO NOTHING",
            "INSERT INTO label (concept, language, kind, label, folded) "
            f"VALUES ('{concept}', 'sv', 'preferred', '{label}', '{label}') ON CONFLICT DO NOTHING",
        )


def heard_of(cell: Cell, hub: str, person: UUID) -> None:
    """Wait until matching has heard that somebody belongs to a hub."""
    if (cell.url, hub, person) in _DONE:
        return

    async def known() -> bool:
        connection = await asyncpg.connect(cell.plain_url("matching"))
        try:
            statement = "SELECT left_at IS NULL FROM membership WHERE person = $1 AND hub = $2"
            return bool(await connection.fetchval(statement, person, hub))
        finally:
            await connection.close()

    eventually("matching has heard of the member", lambda: cell.run(known()))
    _DONE.add((cell.url, hub, person))


def heard(cell: Cell, hub: str, role: str, name: str | None = None) -> dict[str, str]:
    """The header of somebody of the hub of whom matching has heard."""
    heard_of(cell, hub, cell.person(hub, role, name))
    return cell.auth(hub, role, name)


def organisation_for(cell: Cell, hub: str, whose: dict[str, str]) -> str:
    """The id of an organisation that somebody keeps, at its first version."""
    url = "/v1/me/organisations"
    eventually("they may keep one", lambda: cell.http.get(url, headers=whose).status_code == 200)
    for old in cell.http.get(url, headers=whose).json()["items"][MOST - 1 :]:
        assert cell.http.delete(f"{url}/{old['id']}", headers=whose).status_code == 200
    body = {"hub": hub, "name": "Nordvikens Redovisning"}

    def made() -> str | None:
        answer = cell.http.post(url, json=body, headers=whose)
        # Until matching has heard that they belong to the hub.
        assert answer.status_code in (201, 404), answer.text
        return str(answer.json()["id"]) if answer.status_code == 201 else None

    found = eventually("the organisation is made", made)
    assert found is not None
    return found


def things_of_matching(cell: Cell, hub: str, path: str, whose: dict[str, str]) -> dict[str, str]:
    """What the address of a route of matching names."""
    made: dict[str, str] = {}
    if "{concept}" in path:
        vocabulary(cell)
        made["concept"] = "bookkeeping"
    if "{match}" in path:
        made["match"] = "5b0d3f6e-8f5c-4d2a-9a63-2f0c6f1f7d11"
    if "{organisation}" in path:
        made["organisation"] = organisation_for(cell, hub, whose)
    return made
