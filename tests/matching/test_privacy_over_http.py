"""Nobody appears beyond consent through any address of the gateway: every route there is, every role, the own hub and another.

The walk knows every published route of matching by name, so a new one turns it red until it is walked, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.gateway.documents import TAGS
from services.gateway.main import openapi_document
from services.matching.rules.handles import Handles
from tests.gateway.cell import Cell, eventually, running_cell
from tests.gateway.matching_things import heard, vocabulary

OF_MATCHING = frozenset({"profiles", "skills", "matches", "introductions", "members", "skills-missing"})
OTHERS = frozenset(
    {"bookings", "spaces", "events", "sign-ups", "calendars", "notices", "webhooks", "mail", "hubs", "me"}
) | {"documents", "live", "sign-in", "api-tokens"}
HUBS = ("here", "there")
READERS = ("nobody", "stranger", "visitor", "member", "host", "operator")
NEVER, CLOSED, WITHDREW, PAUSED, LEFT, ERASED = "Never", "Closed", "Withdrew", "Paused", "Left", "Erased"
HUB_ONLY, NEIGHBOUR, FEDERATED, FRIEND, GONE_FRIEND = (
    "Hubonly",
    "Neighbour",
    "Federated",
    "Friend",
    "Gonefriend",
)
PEOPLE = {
    **dict.fromkeys((NEVER, CLOSED, WITHDREW, PAUSED, LEFT, ERASED), "here"),
    **dict.fromkeys((HUB_ONLY, FRIEND, GONE_FRIEND), "here"),
    **dict.fromkeys((NEIGHBOUR, FEDERATED), "there"),
}
"""Who there is, and where."""
READABLE = {"member": {HUB_ONLY, FEDERATED, FRIEND}, "host": {HUB_ONLY, FEDERATED, FRIEND}}
READABLE["operator"], READABLE["stranger"] = READABLE["host"], {FEDERATED}
"""Whose words each reader may come to read; nobody and visitors nobody's."""

Walk = list[tuple[str, str, dict[str, Any]]]
ME = "/v1/me"


def words_of(name: str) -> dict[str, str]:
    """What somebody says, unlike anybody else."""
    return {"about": f"{name}about", "talk": f"{name}talk", "own": f"{name}words"}


def named(name: str) -> str:
    """What somebody is called."""
    return f"{name} Zetterqvist"


def says(
    cell: Cell, name: str, *, offers: bool = True, visibility: str = "hub", consents: bool = True
) -> None:
    """Somebody says something of themselves and lets themselves be seen."""
    hub, said = PEOPLE.get(name, "here"), words_of(name)
    auth = heard(cell, hub, "member", named(name))
    side = "offers" if offers else "needs"
    body = {"level": "expert", "words": said["own"]}
    assert cell.http.put(f"{ME}/profile/{side}/bookkeeping", json=body, headers=auth).status_code == 200
    version = cell.http.get(f"{ME}/profile", headers=auth).headers["etag"]
    about = {"about": said["about"], "talk_about": [said["talk"]], "visibility": visibility}
    changed = cell.http.patch(f"{ME}/profile", json=about, headers=auth | {"If-Match": version})
    assert changed.status_code == 200, changed.text
    if consents:
        assert cell.http.put(f"{ME}/consents/{hub}", headers=auth).status_code == 200


def token(cell: Cell, reader: str) -> dict[str, str]:
    """What a reader sends; all but the stranger belong to `here`."""
    if reader == "nobody":
        return {}
    hub, role = ("elsewhere", "member") if reader == "stranger" else ("here", reader)
    return heard(cell, hub, role, f"Reader {reader}")


def id_of(cell: Cell, reader: str) -> UUID:
    """Who the reader is; for nobody an id that is nobody's."""
    if reader == "nobody":
        return UUID(int=1)
    return cell.person("elsewhere" if reader == "stranger" else "here", "member", f"Reader {reader}")


def go(cell: Cell, name: str) -> None:
    """Somebody closes what they had opened, in their way."""
    auth = cell.auth(PEOPLE[name], "member", named(name))
    if name in (WITHDREW, GONE_FRIEND):
        done = cell.http.delete(f"{ME}/consents/here", headers=auth)
    elif name == ERASED:
        done = cell.http.delete(f"{ME}/profile", headers=auth)
    elif name == LEFT:
        person = cell.person("here", "member", named(name))
        done = cell.http.delete(f"/v1/hubs/here/members/{person}", headers=cell.auth("here", "operator"))
    else:
        version = cell.http.get(f"{ME}/profile", headers=auth).headers["etag"]
        change = {"paused": True} if name == PAUSED else {"visibility": "nobody"}
        done = cell.http.patch(f"{ME}/profile", json=change, headers=auth | {"If-Match": version})
    assert done.status_code == 200, done.text


def befriend(cell: Cell, name: str) -> str:
    """The reader who is a member and somebody are introduced, and have both said yes; the introduction's id."""
    reader, theirs = token(cell, "member"), cell.auth("here", "member", named(name))
    match = str(_handles(cell, "member").of(cell.person("here", "member", named(name))))
    asked = cell.http.post(f"{ME}/introductions", json={"match": match}, headers=reader)
    assert asked.status_code == 201, asked.text
    url = f"{ME}/introductions/{asked.json()['id']}/reply"
    assert cell.http.post(url, json={"answer": "yes"}, headers=theirs).json()["status"] == "agreed"
    return str(asked.json()["id"])


def _asked(cell: Cell, statement: str) -> list[Any]:
    async def work() -> list[Any]:
        connection = await asyncpg.connect(cell.plain_url("matching"))
        try:
            return [row[0] for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return cell.run(work())


def _handles(cell: Cell, reader: str) -> Handles:
    return Handles(bytes(_asked(cell, "SELECT handle_secret()")[0]), id_of(cell, reader))


@pytest.fixture(scope="module")
def town() -> Iterator[Cell]:
    """Two hubs and people who differ in who may know of them; two of them were introduced to the reader who is a member."""
    with running_cell(wired=False) as cell:
        for hub in (*HUBS, "elsewhere"):
            cell.hub(hub, municipality="Nordviken", region="Norra", country="SE")
        vocabulary(cell)
        for reader in READERS:
            token(cell, reader)
        for reader in ("member", "host", "operator", "visitor", "stranger"):
            auth, home = token(cell, reader), "elsewhere" if reader == "stranger" else "here"
            need = cell.http.put(f"{ME}/profile/needs/bookkeeping", headers=auth)
            version = need.headers["etag"]
            opened = {"visibility": "federation"}
            changed = cell.http.patch(f"{ME}/profile", json=opened, headers=auth | {"If-Match": version})
            assert changed.status_code == 200
            assert cell.http.put(f"{ME}/consents/{home}", headers=auth).status_code == 200
        for name in PEOPLE:
            federated = "federation" if name == FEDERATED else "hub"
            says(cell, name, visibility=federated, consents=name != NEVER)
        cell.friends = [befriend(cell, FRIEND), befriend(cell, GONE_FRIEND)]  # type: ignore[attr-defined]
        for name in (CLOSED, WITHDREW, PAUSED, LEFT, ERASED, GONE_FRIEND):
            go(cell, name)
        gone = "SELECT count(*) FROM membership WHERE left_at IS NOT NULL"
        eventually("matching has heard who left", lambda: _asked(cell, gone)[0] == 1)
        yield cell


def walk(cell: Cell, reader: str) -> Walk:
    """Every route of matching, in as many ways as somebody curious would try it; what spoils the reader's own comes last."""
    handles = _handles(cell, reader)
    people = [cell.person(hub, "member", named(name)) for name, hub in PEOPLE.items()]
    steps: Walk = []
    # Others may search and suggest as little or as much as one of these two, whatever they ask for.
    sought = [*PEOPLE] if reader == "member" else []
    suggested = people if reader == "host" else people[:1]
    for hub in HUBS:
        steps += _of_hub(hub, sought, suggested)
    steps += [("GET", f"{ME}/matches", {"params": {"limit": 20}}), ("GET", f"{ME}/introductions", {})]
    for introduction in cell.friends:  # type: ignore[attr-defined]
        steps += [("GET", f"{ME}/introductions/{introduction}", {})]
    steps += _of_strangers(str(uuid4()))
    readable = READABLE.get(reader, set())
    for name, person in zip(PEOPLE, people, strict=True):
        if name not in readable:
            match = {"json": {"match": str(handles.of(person))}}
            steps += [
                ("POST", f"{ME}/introductions", match),
                ("POST", f"{ME}/introductions", {"json": {"match": str(person)}}),
            ]
            steps += [("POST", f"{ME}/matches/{handles.of(person)}/stop", {})]
        steps += [("GET", f"{ME}/organisations/{person}", {})]
    steps += _of_organisation(str(people[-1]))
    steps += [("GET", "/v1/skills", {"params": {"text": words_of(HUB_ONLY)["own"]}})]
    steps += [("GET", "/v1/skills/bookkeeping", {}), ("GET", f"{ME}/organisations", {})]
    steps += [("POST", f"{ME}/organisations", {"json": {"hub": "nowhere", "name": "Firm"}})]
    return steps + _of_own()


def _of_hub(hub: str, sought: list[str], suggested: list[UUID]) -> Walk:
    steps: Walk = []
    base, area = f"/v1/hubs/{hub}", {"hub": "", "municipality": "", "region": ""}
    texts: list[dict[str, str]] = [{}, {"text": "bookkeeping"}, {"text": "bokföring", "language": "sv"}]
    texts += [{"text": words_of(name)["own"]} for name in sought]
    steps += [("GET", f"{base}/members", {"params": text}) for text in texts]
    steps += [("GET", f"{base}/skills-missing", {"params": {"area": one}}) for one in area]
    steps += [("GET", f"{base}/outcomes", {"params": {"area": one}}) for one in area]
    for figures in ("skills-missing", "outcomes"):
        steps += [("GET", f"{base}/{figures}", {"headers": {"Accept": "text/csv"}})]
    steps += [("GET", f"{base}/targets", {}), ("GET", f"{base}/targets/bookkeeping", {})]
    steps += [("PUT", f"{base}/targets/bookkeeping", {"json": {"wanted": 1}})]
    steps += [("DELETE", f"{base}/targets/bookkeeping", {})]
    steps += [
        ("POST", f"{base}/introductions", {"json": {"one": str(one), "other": str(uuid4())}})
        for one in suggested
    ]
    steps += [("GET", f"{ME}/matches", {"params": {"hub": hub}})]
    return steps


def _of_strangers(introduction: str) -> Walk:
    url = f"{ME}/introductions/{introduction}"
    return [
        ("POST", f"{url}/reply", {"json": {"answer": "yes"}}),
        ("POST", f"{url}/met", {}),
        ("POST", f"{url}/outcome", {"json": {"outcome": "help"}}),
    ]


def _of_organisation(person: str) -> Walk:
    url, stated = f"{ME}/organisations/{person}", {"json": {"level": "expert"}}
    version = {"headers": {"If-Match": '"1"'}}
    steps: Walk = [("GET", url, {}), ("PATCH", url, {"json": {"about": "x"}, **version}), ("DELETE", url, {})]
    for part in ("offers/bookkeeping", "needs/bookkeeping", "consents/here"):
        steps += [
            ("PUT", f"{url}/{part}", {} if "consents" in part else stated),
            ("DELETE", f"{url}/{part}", {}),
        ]
    return steps


def _of_own() -> Walk:
    steps: Walk = [("GET", f"{ME}/profile", {})]
    for part in ("offers", "needs"):
        steps += [
            ("PUT", f"{ME}/profile/{part}/photography", {}),
            ("DELETE", f"{ME}/profile/{part}/photography", {}),
        ]
    return [
        *steps,
        ("PUT", f"{ME}/consents/there", {}),
        ("DELETE", f"{ME}/consents/there", {}),
        ("PATCH", f"{ME}/profile", {"json": {"about": "x"}, "headers": {"If-Match": '"1"'}}),
        ("DELETE", f"{ME}/profile", {}),
    ]


@cache
def _published() -> set[tuple[str, str]]:
    return {
        (method.upper(), path)
        for path, item in openapi_document()["paths"].items()
        for method, operation in item.items()
        if OF_MATCHING & set(operation["tags"])
    }


def _route_of(method: str, path: str) -> tuple[str, str]:
    """The published route that answers this."""
    parts = path.split("/")

    def fits(route: str) -> bool:
        wanted = route.split("/")
        pairs = zip(wanted, parts, strict=False)
        return len(wanted) == len(parts) and all(one == two or one.startswith("{") for one, two in pairs)

    found = sorted(
        ((one, route) for one, route in _published() if one == method and fits(route)),
        key=lambda x: x[1].count("{"),
    )
    assert found, f"{method} {path} is no route of matching"
    return found[0]


def test_every_route_of_matching_is_walked(town: Cell) -> None:
    tags = {tag["name"] for tag in TAGS}
    assert tags == OF_MATCHING | OTHERS, "say whether the new part is matching's"
    assert {_route_of(method, path) for method, path, _ in walk(town, "member")} == _published()


def heard_by(cell: Cell, reader: str, steps: Walk | None = None) -> list[str]:
    """Everything the reader is answered on the walk, or on some of its steps."""
    told = []
    for method, path, asked in steps or walk(cell, reader):
        headers = {**token(cell, reader), **asked.get("headers", {})}
        answer = cell.http.request(method, path, **{**asked, "headers": headers})
        assert answer.status_code < 500, f"{method} {path}: {answer.text}"
        text = answer.text
        for sent in path.split("/"):
            # What the reader sent themselves may come back in a refusal's sentence.
            text = text.replace(sent, "…") if len(sent) == len(str(uuid4())) else text
        if answer.status_code >= 400:
            text = text.replace(answer.json().get("instance", "\0"), "")
        told.append(text)
    return told


def leaks(cell: Cell, reader: str, answers: list[str]) -> dict[str, list[str]]:
    """What the reader was shown of whom without being one of those who may see it."""
    everything, handles = "\n".join(answers), _handles(cell, reader)
    found = {}
    for name in PEOPLE.keys() - READABLE.get(reader, set()):
        person = cell.person(PEOPLE[name], "member", named(name))
        found[name] = [
            one for one in (*words_of(name).values(), str(handles.of(person))) if one in everything
        ]
    return {name: shown for name, shown in found.items() if shown}


def test_nobody_appears_to_anybody_beyond_consent(town: Cell) -> None:
    told = {reader: heard_by(town, reader) for reader in reversed(READERS)}
    for reader, answers in told.items():
        assert leaks(town, reader, answers) == {}, reader
        handles, everything = (
            _handles(town, reader),
            "\n".join(answers),
        )
        for name, hub in PEOPLE.items():
            person = town.person(hub, "member", named(name))
            words, who = words_of(name).values(), (named(name), str(person))
            readable = name in READABLE.get(reader, set())
            shows = [*words, str(handles.of(person))]
            if readable:
                # Who is only open to the federation is among the matches: with reasons, without words of their own.
                seen = shows if hub == "here" else shows[-1:]
                assert all(sign in everything for sign in seen), f"the walk does not see {name} as {reader}"
            met = (reader, name) == ("member", FRIEND)
            assert met == all(sign in everything for sign in who), (reader, name)
            assert met or not any(sign in everything for sign in who), (reader, name)


def test_a_planted_leak_is_seen(town: Cell) -> None:
    """A consent that was taken back counts again, behind matching's back: whoever searches is shown what they must not be."""
    person = town.person("here", "member", named(WITHDREW))
    steps = _of_hub("here", [], [])
    assert leaks(town, "host", heard_by(town, "host", steps)) == {}
    counts = f"FROM membership m WHERE m.person = consent.person AND m.hub = consent.hub AND consent.person = '{person}'"
    town.sql("matching", f"UPDATE consent SET withdrawn_at = NULL, membership = m.version {counts}")
    try:
        assert set(leaks(town, "host", heard_by(town, "host", steps))) == {WITHDREW}
    finally:
        town.sql("matching", f"UPDATE consent SET withdrawn_at = now() {counts}")


def test_no_fact_says_what_anybody_says_or_is_called(town: Cell) -> None:
    told = "\n".join(_asked(town, "SELECT body FROM outbox WHERE stream = 'MATCHING'"))
    assert str(town.person("here", "member", named(HUB_ONLY))) in told
    for name in PEOPLE:
        assert not any(sign in told for sign in (*words_of(name).values(), named(name)))
    assert not any(sign in told for sign in ("bookkeeping", "expert"))
