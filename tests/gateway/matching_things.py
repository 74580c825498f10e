"""Skills and organisations, and what matching has heard, in the state in which a route can act on them."""

from __future__ import annotations

from itertools import combinations
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


def opened(cell: Cell, hub: str, role: str, name: str | None = None) -> dict[str, str]:
    """The header of somebody whose profile the hub's people may see, who offers bookkeeping."""
    vocabulary(cell)
    auth = heard(cell, hub, role, name)
    if (cell.url, hub, role, name) not in _DONE:
        _DONE.add((cell.url, hub, role, name))
        version = cell.http.get("/v1/me/profile", headers=auth).headers["etag"]
        decided = auth | {"If-Match": version}
        said = cell.http.patch("/v1/me/profile", json={"visibility": "hub"}, headers=decided)
        assert said.status_code == 200, said.text
        for path in ("profile/offers/bookkeeping", f"consents/{hub}"):
            assert cell.http.put(f"/v1/me/{path}", headers=auth).status_code == 200
    return auth


def match_for(cell: Cell, hub: str, asker: dict[str, str], name: str) -> str:
    """The id by which somebody finds the open member of that name, who alone says this of themselves."""
    auth = opened(cell, hub, "member", name)
    version = cell.http.get("/v1/me/profile", headers=auth).headers["etag"]
    decided = auth | {"If-Match": version}
    said = cell.http.patch("/v1/me/profile", json={"about": f"Called {name}"}, headers=decided)
    assert said.status_code == 200, said.text
    found = cell.http.get(f"/v1/hubs/{hub}/members", params={"text": f"Called {name}"}, headers=asker)
    assert found.status_code == 200, found.text
    return str(next(one for one in found.json()["items"] if one["about"] == f"Called {name}")["match"])


def mine_of(cell: Cell, hub: str, person: str) -> tuple[str, str | None]:
    """The role and name of one of those whose things are made here."""
    return next(
        (role, name)
        for role, name in (("operator", None), ("member", "Attendee"))
        if cell.http.get("/v1/me", headers=cell.auth(hub, role, name)).json()["id"] == person
    )


MEETINGS: dict[object, str] = {}


def introduction_for(cell: Cell, hub: str, whose: dict[str, str]) -> str:
    """An introduction both have agreed to, which takes every answer but a no; one for all who look at it."""
    place = (cell.url, hub, cell.http.get("/v1/me", headers=whose).json()["id"])
    if place not in MEETINGS:
        opened(cell, hub, *mine_of(cell, hub, place[2]))
        wanted = {"match": match_for(cell, hub, whose, "Meeting")}
        made = cell.http.post("/v1/me/introductions", json=wanted, headers=whose)
        assert made.status_code == 201, made.text
        MEETINGS[place] = str(made.json()["id"])
        url = f"/v1/me/introductions/{MEETINGS[place]}/reply"
        said = cell.http.post(url, json={"answer": "yes"}, headers=cell.auth(hub, "member", "Meeting"))
        assert said.json()["status"] == "agreed", said.text
    return MEETINGS[place]


STOPPABLE: dict[object, str] = {}


def stoppable_for(cell: Cell, hub: str, whose: dict[str, str]) -> str:
    """Somebody they may put aside, and again."""
    place = (cell.url, hub, cell.http.get("/v1/me", headers=whose).json()["id"])
    if place not in STOPPABLE:
        opened(cell, hub, *mine_of(cell, hub, place[2]))
        STOPPABLE[place] = match_for(cell, hub, whose, f"Not this one {len(STOPPABLE)}")
    return STOPPABLE[place]


def pair_for(cell: Cell, hub: str) -> dict[str, str]:
    """Two open members who have not been suggested to each other."""
    names = [f"Open {number}" for number in range(5)]
    for name in names:
        opened(cell, hub, "member", name)
    one, other = next(pair for pair in combinations(names, 2) if (cell.url, hub, pair) not in _DONE)
    _DONE.add((cell.url, hub, (one, other)))
    return {"one": str(cell.person(hub, "member", one)), "other": str(cell.person(hub, "member", other))}


def target_for(cell: Cell, hub: str) -> None:
    """The hub's operator wants people who know bookkeeping."""
    url, auth = f"/v1/hubs/{hub}/targets/bookkeeping", cell.auth(hub, "operator")
    assert cell.http.put(url, json={"wanted": 2}, headers=auth).status_code == 200


def things_of_matching(cell: Cell, hub: str, path: str, whose: dict[str, str]) -> dict[str, str]:
    """What the address of a route of matching names."""
    made: dict[str, str] = {}
    if "{concept}" in path:
        vocabulary(cell)
        made["concept"] = "bookkeeping"
    if path.endswith("/targets/{concept}"):
        target_for(cell, hub)
    if "{introduction}" in path:
        made["introduction"] = introduction_for(cell, hub, whose)
    if "{match}" in path:
        made["match"] = stoppable_for(cell, hub, whose)
    if "{organisation}" in path:
        made["organisation"] = organisation_for(cell, hub, whose)
    return made
