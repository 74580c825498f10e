"""Somebody who has used everything there is, and left a mark in each word of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from shared.contracts.directory.requests import EnsurePerson
from shared.contracts.directory.words import Role
from tests.gateway.cell import Cell, eventually
from tests.gateway.event_things import sign_up_for
from tests.gateway.matching_things import heard_of, match_for, opened, vocabulary
from tests.gateway.sign_in_things import comes_from_a_provider, mailed_link

MARK = "zqvist"
"""Stands in the name, the address and every word that is the person's own."""
NAME, ADDRESS = f"Vanja {MARK.title()}", f"vanja@{MARK}.example"
OTHER = "Other"
"""Somebody who stays."""


@dataclass
class Planted:
    """The person, a member of `here` who runs `there`; `acts` makes requests in their name."""

    cell: Cell
    id: UUID

    @property
    def auth(self) -> dict[str, str]:
        """What they send."""
        return {"Authorization": f"Bearer {self.cell.token_of(self.id)}"}

    def acts(self, method: str, url: str, **how: Any) -> Any:
        """The answer to a request of theirs, which must succeed."""
        headers = self.auth | how.pop("headers", {})
        answer = self.cell.http.request(method, url, headers=headers, **how)
        assert answer.status_code < 400, answer.text
        return answer.json()

    def changes(self, url: str, **body: Any) -> Any:
        """A change decided on what is there."""
        version = self.cell.http.get(url, headers=self.auth).headers["etag"]
        return self.acts("PATCH", url, json=body, headers={"If-Match": version})


def planted(cell: Cell) -> Planted:
    """The person, who has done everything; everybody has heard of it."""
    vocabulary(cell)
    view = cell.as_admin(EnsurePerson(hub="here", name=NAME, role=Role.MEMBER, email=ADDRESS, language="sv"))
    cell.as_admin(EnsurePerson(hub="there", name=NAME, role=Role.OPERATOR))
    who = Planted(cell, view.id)
    for hub in ("here", "there"):
        heard_of(cell, hub, who.id)
    books(who)
    meets(who)
    moderates(who)
    says(who)
    is_introduced(who)
    chooses(who)
    hears(who)
    signs_in(who)
    cell.run(is_given_up_on(who))
    return who


def key_of(who: Planted) -> dict[str, str]:
    """An idempotency key, so that the answer is kept."""
    return {"Idempotency-Key": f"of {who.id}"}


def signs_in(who: Planted) -> None:
    """By the mailed link, in a browser that names them; and what they make for a hub's kiosk."""
    link = mailed_link(who.cell, ADDRESS)
    signed = who.cell.http.post(link, headers={"User-Agent": f"Browser of {MARK}"})
    assert signed.status_code == 200, signed.text
    comes_from_a_provider(who.cell, who.id)
    who.acts("POST", "/v1/hubs/there/api-tokens", json={"name": "Kiosk", "purpose": "kiosk"})


def books(who: Planted) -> None:
    """What is past, ahead, held, given up and for others."""
    cell, url = who.cell, "/v1/hubs/here/bookings"
    title = f"{MARK} and friends"
    who.acts("POST", url, json={"space": "room", "title": title, **cell.slot(day=3)}, headers=key_of(who))
    who.acts("POST", url, json={"space": "room", "title": title, "hold": True, **cell.slot(day=4)})
    soon = {"start": cell.near(1), "end": cell.near(60)}
    past = who.acts("POST", url, json={"space": "flex", "title": title, **soon})
    who.acts("POST", f"{url}/{past['id']}/check-in")
    gone = who.acts("POST", url, json={"space": "room", "title": title, **cell.slot(day=5)})
    who.acts("POST", f"{url}/{gone['id']}/cancel", json={"reason": f"{MARK} is ill"})
    theirs = {"space": "room", "person": str(cell.person("there", "member", OTHER)), **cell.slot(day=6)}
    who.acts("POST", "/v1/hubs/there/bookings", json=theirs)


def meets(who: Planted) -> None:
    """Events they start, alone and with others, and others' events they go to."""
    cell, url = who.cell, "/v1/hubs/here/events"
    other = {"id": str(cell.person("here", "member", OTHER))}
    room = {"place": {"space": "room"}, "publish": True}
    who.acts("POST", url, json={"title": "Open soup", **room, **cell.slot(day=10)}, headers=key_of(who))
    draft = {"text": f"only {MARK} reads it", "place": {"address": f"{MARK} street 1"}}
    who.acts("POST", url, json={"title": f"Draft of {MARK}", **draft, **cell.slot(day=11)})
    weekly = {"repeat": {"rule": "FREQ=WEEKLY;COUNT=3"}, "organisers": [other, {"id": str(who.id)}]}
    who.acts(
        "POST",
        url,
        json={"title": "Weekly soup", "place": {"address": "Quay 3"}, **weekly, **cell.slot(day=12)},
    )
    is_not_published(who)
    theirs = cell.meet("here", name=OTHER, **cell.slot(day=13))
    full = cell.meet("here", name=OTHER, capacity=1, **cell.slot(day=14))
    soon = cell.meet("here", name=OTHER, start=cell.near(5), end=cell.near(65))
    assert (
        cell.http.post(f"{url}/{full['id']}/sign-ups", headers=cell.auth("here", "member")).status_code == 201
    )
    for event in (theirs, full, soon):
        sign_up_for(cell, event, "sign-ups", who.auth)
    who.acts("POST", "/v1/hubs/here/feeds", json={"everywhere": True})
    seen = cell.http.get(f"{url}/{theirs['id']}/sign-ups", headers=cell.auth("here", "operator"))
    assert NAME in seen.text


def is_not_published(who: Planted) -> None:
    """What they wrote and nobody read: a series of drafts, a draft they called off, an answer to the hub."""
    cell, url = who.cell, "/v1/hubs/here/events"
    own = {
        "text": f"only {MARK} reads it",
        "place": {"address": f"{MARK} street 1", "online_url": f"https://{MARK}.example/room"},
        "link": f"https://{MARK}.example",
        "tags": [MARK],
    }
    weekly = {"title": f"Weeks of {MARK}", "repeat": {"rule": "FREQ=WEEKLY;COUNT=2"}}
    who.acts("POST", url, json=weekly | own | cell.slot(day=18))
    off = who.acts("POST", url, json={"title": f"Doubts of {MARK}"} | own | cell.slot(day=19))
    who.acts("POST", f"{url}/{off['id']}/cancel", json={"reason": f"{MARK} has thought better of it"})
    open_ = {"title": "Open stew", "place": {"address": "Quay 3"}, "publish": True}
    shown = who.acts("POST", url, json=open_ | cell.slot(day=20))
    hide: Any = {"json": {"reason": "Whose is it?"}, "headers": cell.auth("here", "operator")}
    assert cell.http.post(f"{url}/{shown['id']}/hide", **hide).status_code == 200
    who.acts("POST", f"{url}/{shown['id']}/answer", json={"answer": f"It is {MARK}'s"})


def moderates(who: Planted) -> None:
    """What an operator decides: rules of events, what is hidden, who has come, what is wanted, whom to tell."""
    cell, hub = who.cell, "/v1/hubs/there"
    who.changes(f"{hub}/event-settings", approval=True)
    asked = cell.meet("there", name=OTHER, **cell.slot(day=15))
    who.acts("POST", f"{hub}/events/{asked['id']}/return", json={"reason": "Say when it ends"})
    who.changes(f"{hub}/event-settings", approval=False)
    soon = cell.meet("there", name=OTHER, start=cell.near(5), end=cell.near(65))
    came = sign_up_for(cell, soon, "sign-ups", cell.auth("there", "member", "Early"))
    who.acts("POST", f"{hub}/events/{soon['id']}/check-in", json={"sign_up": came["id"]})
    who.acts("GET", f"{hub}/events/{soon['id']}/sign-ups")
    hidden = cell.meet("there", name=OTHER, **cell.slot(day=16))
    who.acts("POST", f"{hub}/events/{hidden['id']}/hide", json={"reason": "Twice the same"})
    who.acts("PUT", f"{hub}/targets/bookkeeping", json={"wanted": 2})
    receiver = {"url": cell.outside.target.url, "types": []}
    who.acts("POST", f"{hub}/webhooks", json=receiver)
    guest = {"person": {"name": "A Guest"}, "role": "visitor"}
    who.acts("POST", f"{hub}/members", json=guest, headers=key_of(who))
    moves_a_room(who)


def moves_a_room(who: Planted) -> None:
    """Somebody's event gets the room at another hour."""
    cell, url = who.cell, "/v1/hubs/there"
    event = cell.meet("there", name=OTHER, place={"space": "room"}, **cell.slot(day=17))

    def room() -> Any:
        venue = cell.http.get(f"{url}/events/{event['id']}", headers=who.auth).json()["venue"]
        return venue["booking"] if venue["state"] == "confirmed" else None

    who.changes(f"{url}/bookings/{eventually('it has the room', room)}", **cell.slot(day=17, hour=14))


def says(who: Planted) -> None:
    """A profile, an organisation, and who may see them."""
    me = "/v1/me"
    body = {"level": "expert", "words": f"{MARK} keeps books"}
    who.acts("PUT", f"{me}/profile/offers/bookkeeping", json=body)
    who.acts("PUT", f"{me}/profile/needs/bookkeeping", json=body)
    said = {"about": f"{MARK} about", "talk_about": [f"{MARK} talks"], "visibility": "federation"}
    who.changes(f"{me}/profile", **said)
    who.acts("PUT", f"{me}/consents/here")
    kept = who.acts("POST", f"{me}/organisations", json={"hub": "here", "name": f"{MARK} & Co"})
    who.acts("PUT", f"{me}/organisations/{kept['id']}/offers/photography", json=body)


def is_introduced(who: Planted) -> None:
    """They meet somebody, put somebody aside, are shown others and suggest others to each other."""
    cell, url = who.cell, "/v1/me/introductions"
    friend = match_for(cell, "here", who.auth, "Friend")
    met = who.acts("POST", url, json={"match": friend}, headers=key_of(who))
    yes: dict[str, Any] = {"json": {"answer": "yes"}, "headers": cell.auth("here", "member", "Friend")}
    assert cell.http.post(f"{url}/{met['id']}/reply", **yes).status_code == 200
    who.acts("POST", f"{url}/{met['id']}/met")
    who.acts("POST", f"{url}/{met['id']}/outcome", json={"outcome": "help"})
    waiting = match_for(cell, "here", who.auth, "Waiting")
    who.acts("POST", url, json={"match": waiting})
    aside = match_for(cell, "here", who.auth, "Put aside")
    who.acts("POST", f"/v1/me/matches/{aside}/stop")
    eventually("somebody is suggested", lambda: who.acts("GET", "/v1/me/matches")["items"])
    is_shown(who)
    pair = [str(cell.person("there", "member", name)) for name in ("One", "Two")]
    for name in ("One", "Two"):
        opened(cell, "there", "member", name)
    who.acts("POST", "/v1/hubs/there/introductions", json=dict(zip(("one", "other"), pair, strict=True)))


def is_shown(who: Planted) -> None:
    """Somebody is shown them, and puts them aside."""
    cell, other = who.cell, opened(who.cell, "here", "member", "Shown")
    assert cell.http.put("/v1/me/profile/needs/bookkeeping", headers=other).status_code == 200
    eventually(
        "somebody is suggested", lambda: cell.http.get("/v1/me/matches", headers=other).json()["items"]
    )
    found = cell.http.get("/v1/hubs/here/members", params={"text": f"{MARK} about"}, headers=other).json()
    match = next(one["match"] for one in found["items"])
    assert cell.http.post(f"/v1/me/matches/{match}/stop", headers=other).status_code == 200


def chooses(who: Planted) -> None:
    """How they want to be told."""
    choice = {"kind": "programme", "channel": "email", "when": "daily"}
    who.changes("/v1/me/choices", quiet={"start": "00:00", "end": "00:00"}, choices=[choice])


def hears(who: Planted) -> None:
    """They are told of it all; their notices wait in the inbox."""
    eventually("their inbox has something", lambda: who.acts("GET", "/v1/me/notices")["items"])
    who.acts("POST", "/v1/me/notices/read", json={}, headers=key_of(who))


async def is_given_up_on(who: Planted) -> None:
    """A fact about them that notify cannot take in, and one that waits there for an earlier one."""
    stating = await asyncpg.connect(who.cell.plain_url("booking"))
    hearing = await asyncpg.connect(who.cell.plain_url("notify"))
    try:
        asked = "SELECT id, subject, body FROM outbox WHERE strpos(body, $1) > 0 ORDER BY id LIMIT 1"
        fact = await stating.fetchrow(asked, str(who.id))
        assert fact is not None
        letter = (
            "INSERT INTO dead_letter (id, consumer, subject, headers, body, reason, attempts)"
            " VALUES ($1, 'notify__walk', $2, '{}', $3, 'KeyError', 8)"
        )
        await hearing.execute(letter, uuid4(), fact["subject"], fact["body"])
        parked = (
            "INSERT INTO parked_fact (consumer, subject, version, nats_subject, body)"
            " VALUES ('notify__walk', 'here/walk', 9, $1, $2)"
        )
        await hearing.execute(parked, fact["subject"], fact["body"])
    finally:
        await stating.close()
        await hearing.close()
