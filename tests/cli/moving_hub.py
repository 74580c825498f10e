"""A hub in which everything goes on that a hub can own, and what people are shown of it in whichever cell it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from shared.contracts.base import Request
from shared.contracts.directory.requests import EnsurePerson, RegisterOrganisation
from shared.contracts.directory.words import Role
from shared.kit.requester import Requester
from tests.gateway.cell import CELL, Cell, eventually
from tests.gateway.notify_things import Mailed, webhook_for

HUB = "alvhamn"
URL = f"/v1/hubs/{HUB}"
ADDRESS = "asa@alvhamn.example"
GUEST = {"name": "Gunnar Guest", "email": "gunnar@guest.example", "language": "sv"}
PENDING = {"name": "Perhaps", "email": "perhaps@guest.example"}
MANY = 450
"""More of a kind than one part of an export holds."""
SKILL = "net-mending"
"""One that Foci's own vocabulary does not have."""
_SKILL = (
    f"INSERT INTO concept (id, origin, kind, field) VALUES ('{SKILL}', 'esco', 'skill', 'craft')",
    (
        "INSERT INTO label (concept, language, kind, label, folded) "
        f"VALUES ('{SKILL}', 'sv', 'preferred', 'nätbindning', 'natbindning')"
    ),
)
_REFUSED = f"""
    INSERT INTO refusal (id, hub, event, at, because)
    SELECT gen_random_uuid(), '{HUB}', gen_random_uuid(), now(), 'too-full' FROM generate_series(1, {MANY})
"""


@dataclass(frozen=True)
class Furnished:
    """The hub's things that a test asks for by id, and what must not leave the cell."""

    series: str
    walk: str
    webhook: str
    secrets: tuple[str, ...]
    left_out: str
    """The wall time of the series' date that was left out."""
    detached: str
    """The id of the date that goes its own way."""


async def ask(cell: Cell, service: str, request: Request[Any]) -> Any:
    """As the platform's operator of that cell."""
    requester = Requester(cell.admin, cell.clock)
    reply = await requester.send(request, cell=CELL, seconds=10, service=service)
    return request.reply.model_validate_json(reply.body)


def quiet(_: str, __: int) -> None:
    """Nobody looks at the progress."""


def furnished(cell: Cell) -> Furnished:
    """The hub, with something of each kind."""
    cell.hub(HUB)
    knows_the_skill(cell)
    asa = EnsurePerson(hub=HUB, name="Åsa Öberg", role=Role.MEMBER, email=ADDRESS, language="sv")
    cell._people[HUB, "Åsa"] = cell.as_admin(asa).id
    cell.as_admin(RegisterOrganisation(hub=HUB, name="Väveriet AB", kind="company"))
    _spaces(cell)
    talk = cell.meet(HUB, title="A talk", place={"space": "floor"}, capacity=4, **cell.slot(20))
    walk = cell.meet(HUB, title="A walk", **cell.slot(5))
    eventually("the talk has its room", partial(_is, cell, talk, "published"))
    _sign_ups(cell, walk)
    series, left_out, detached = _series(cell)
    webhook, secrets = _choices(cell)
    cell.sql("events", _REFUSED)
    return Furnished(series, walk["id"], webhook, secrets, left_out, detached)


def knows_the_skill(cell: Cell) -> None:
    """As after `foci import skills`."""
    cell.sql("matching", *_SKILL)


def acts(
    cell: Cell, method: str, path: str, role: str = "operator", name: str | None = None, **how: Any
) -> Any:
    """The answer to a request in the hub, which must succeed."""
    headers = cell.auth(HUB, role, name) | how.pop("headers", {})
    answer = cell.http.request(method, path, headers=headers, **how)
    assert answer.status_code < 400, answer.text
    return answer.json()


def _changes(cell: Cell, path: str, name: str | None = None, **body: Any) -> Any:
    who = ("operator", None) if name is None else ("member", name)
    version = cell.http.get(path, headers=cell.auth(HUB, *who)).headers["etag"]
    return acts(cell, "PATCH", path, *who, json=body, headers={"If-Match": version})


def _spaces(cell: Cell) -> None:
    """Rooms with bookings: ahead, given up, and one whose person is there."""
    cell.space(HUB, "room")
    cell.space(HUB, "flex", "flex", seats=6)
    cell.space(HUB, "floor", "event", made_of=["room", "flex"])
    for day in range(1, 4):
        cell.book(HUB, "flex", name="Åsa", title=f"=Day {day}", **cell.slot(day))
    now = cell.book(HUB, "flex", name="Åsa", start=cell.near(-0.3), end=cell.near(120))
    came = acts(cell, "POST", f"{URL}/bookings/{now['id']}/check-in")
    assert came["status"] == "checked_in"
    eventually("the operators see it", lambda: _present(cell) == 1)
    gone = cell.book(HUB, "room", **cell.slot(9))
    acts(cell, "POST", f"{URL}/bookings/{gone['id']}/cancel", "member")


def _present(cell: Cell) -> int | None:
    present: int | None = acts(cell, "GET", f"{URL}/occupancy")["total"]["present"]
    return present  # nobody knows before the first figures have been stated


def _is(cell: Cell, event: dict[str, Any], status: str) -> bool:
    return bool(acts(cell, "GET", f"{URL}/events/{event['id']}")["status"] == status)


def _sign_ups(cell: Cell, event: Mapping[str, Any]) -> None:
    """Two members; a guest who has followed the link, and one who has not yet."""
    url, mailed = f"{URL}/events/{event['id']}/sign-ups", Mailed(cell, len(cell.outside.post.taken))
    for name in ("Åsa", None):
        acts(cell, "POST", url, "member", name, json={})
    for guest in (GUEST, PENDING):
        assert cell.http.post(url, json={"guest": guest}).status_code == 202
        if guest is GUEST:
            assert cell.http.post(mailed.link("confirm")).json()["status"] == "attending"


def _series(cell: Cell) -> tuple[str, str, str]:
    """Every fourth week for as long as there are years: one date left out, one at another hour, one cancelled."""
    first = (cell.clock() + timedelta(days=8)).date()
    without = f"{first + timedelta(weeks=8)}T18:00"
    wanted: dict[str, Any] = {
        "title": "Soup", "place": {"address": "Quay 3"}, "start": f"{first}T18:00", "end": f"{first}T20:00",
        "repeat": {"rule": "FREQ=WEEKLY;INTERVAL=4", "without": [without]},
    }  # fmt: skip
    series = str(cell.meet(HUB, **wanted)["series"])
    dates = acts(cell, "GET", f"{URL}/events?series={series}&limit=100")["items"]
    _changes(
        cell, f"{URL}/events/{dates[1]['id']}", title="Cold soup", start=f"{first + timedelta(weeks=4)}T17:00"
    )
    acts(cell, "POST", f"{URL}/events/{dates[3]['id']}/cancel", json={"reason": "The cook is away"})
    return series, without, str(dates[1]["id"])


def _choices(cell: Cell) -> tuple[str, tuple[str, ...]]:
    """What the hub and its people have chosen; with the secrets that go with it."""
    acts(cell, "PUT", f"{URL}/targets/{SKILL}", json={"wanted": 3})
    choice = {"hub": HUB, "kind": "programme", "channel": "email", "when": "weekly"}
    _changes(cell, "/v1/me/choices", "Åsa", choices=[choice])
    webhook = webhook_for(cell, HUB, name="The board at the door")
    feed = acts(cell, "POST", f"{URL}/feeds", "member", "Åsa")
    token = acts(cell, "POST", f"{URL}/api-tokens", json={"name": "Kiosk", "purpose": "kiosk"})
    return str(webhook["id"]), (webhook["secret"], feed["secret"], token["token"])


def seen(cell: Cell, furnished: Furnished) -> dict[str, Any]:
    """What people are shown, without what says which cell it is."""
    noon = cell.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    year = {"from": noon.isoformat(), "to": noon.replace(year=noon.year + 1).isoformat(), "limit": "100"}
    slot = cell.slot(1)
    asked = {
        "hub": (URL, "visitor", None, {}),
        "spaces": (f"{URL}/spaces", "member", None, {}),
        "bookings": (f"{URL}/bookings", "operator", None, year),
        "mine": ("/v1/me/bookings", "member", "Åsa", {}),
        "events": (f"{URL}/events", "operator", None, {"limit": "100"}),
        "series": (f"{URL}/series/{furnished.series}", "member", None, {}),
        "sign-ups": (f"{URL}/events/{furnished.walk}/sign-ups", "operator", None, {}),
        "settings": (f"{URL}/event-settings", "operator", None, {}),
        "free": (f"{URL}/availability", "member", None, {"from": slot["start"], "to": slot["end"]}),
        "occupancy": (f"{URL}/occupancy", "operator", None, {}),
        "targets": (f"{URL}/targets", "operator", None, {}),
        "choices": ("/v1/me/choices", "member", "Åsa", {}),
    }
    found = {
        name: _timeless(acts(cell, "GET", path, role, who, params=params))
        for name, (path, role, who, params) in asked.items()
    }
    # How somebody is told elsewhere, and when they sleep, is theirs and not the hub's.
    found["choices"] = [one for one in found["choices"]["choices"] if one["hub"] == HUB]
    return found


def _timeless(value: Any) -> Any:
    """Without when figures were measured, and how often."""
    passing = {"at", "cell", "cursor"}
    if isinstance(value, dict):
        return {name: _timeless(it) for name, it in value.items() if name not in passing}
    return [_timeless(it) for it in value] if isinstance(value, list) else value


def moved_to(cell: Cell, old: Cell) -> None:
    """From now on the hub's people sign in there: they are who they were."""
    cell._people.update({key: person for key, person in old._people.items() if key[0] == HUB})
