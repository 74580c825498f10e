"""Those who do not book: they look, sign up, read notices, open their profile; and an operator registers organisations."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson
from nats.aio.client import Client

from deploy.local.tokens import development_token
from shared.contracts.directory.requests import EnsurePerson, PersonView, RegisterOrganisation
from shared.contracts.directory.words import Role
from shared.kit.errors import FociError
from shared.kit.ids import utc_now
from shared.kit.requester import Requester
from tests.faults.arena import Arena
from tests.faults.door import Door, Hangs, Lost, Shut
from tests.faults.waiting import comes_true, pause
from tests.faults.world import World

EVENTS = 8
BREATH_S = 0.1
SIGN_UP_EVERY = 12
"""Turns; so people sign up all the while."""


@dataclass
class Seen:
    """What became of their requests."""

    asked: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    signed_up: set[tuple[str, str]] = field(default_factory=set)
    """Address, and title of the event, of everybody who was told that they have a place."""


@dataclass
class Visitor:
    """Somebody with a mail address and a connection of their own."""

    hub: str
    id: str
    email: str
    token: str
    door: Door
    seen: Seen

    async def ask(
        self, what: str, method: str, path: str, body: object = None, *, version: int | None = None
    ) -> object:
        """The answer, or None; what is not an answer is noted as failed."""
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        self.seen.asked[what] += 1
        sent = b"" if body is None else orjson.dumps(body)
        try:
            reply = await self.door.ask(method, f"/v1{path}", headers, sent)
        except (Lost, Shut, Hangs) as error:
            self.seen.failed.append(f"{method} {path}: {error!r}")
            return None
        if reply.status >= 400:
            self.seen.failed.append(f"{method} {path}: {reply.status} {reply.body[:200]!r}")
            return None
        return orjson.loads(reply.body) if reply.body else None

    async def is_never_quiet(self) -> None:
        """They want to hear at any hour: at whatever time this runs, mail is not held back."""
        now = await self.ask("choices", "GET", "/me/choices")
        assert isinstance(now, dict), self.seen.failed[-1:]
        wanted = {"quiet": {"start": "00:00", "end": "00:00"}}
        done = await self.ask("choices", "PATCH", "/me/choices", wanted, version=now["version"])
        assert done is not None, self.seen.failed[-1:]

    async def run(self, events: Sequence[tuple[str, str]], enough: Callable[[], bool]) -> None:
        """Sign up for one event after another, and look round in between."""
        for turn in itertools.count():
            if enough():
                self.door.close()
                return
            if turn % SIGN_UP_EVERY == 0 and turn // SIGN_UP_EVERY < len(events):
                event, title = events[turn // SIGN_UP_EVERY]
                if await self.ask("sign up", "POST", f"/hubs/{self.hub}/events/{event}/sign-ups", {}):
                    self.seen.signed_up.add((self.email, title))
            await self.ask("hub", "GET", f"/hubs/{self.hub}")
            await self.ask("events", "GET", f"/hubs/{self.hub}/events?limit=5")
            await self.ask("notices", "GET", "/me/notices")
            method = "PUT" if turn % 2 == 0 else "DELETE"
            await self.ask("consent", method, f"/me/consents/{self.hub}")
            await self.ask("matches", "GET", "/me/matches")
            await pause(BREATH_S)


async def register(client: Client, seen: Seen, hub: str, enough: Callable[[], bool]) -> None:
    """One organisation after another, as the platform's operator does over the bus."""
    for number in itertools.count():
        if enough():
            return
        seen.asked["organisation"] += 1
        try:
            request = RegisterOrganisation(hub=hub, name=f"Firma {number}")
            await Requester(client, utc_now).send(request, cell="local", seconds=5)
        except FociError as error:
            seen.failed.append(f"organisation {number}: {error!r}")
        await pause(BREATH_S)


async def gather_visitors(arena: Arena, client: Client, world: World, doors: list[Door]) -> list[Visitor]:
    """As many as there are doors; members of the hub whom mail reaches."""
    seen, visitors = Seen(), []
    for number, door in enumerate(doors):
        # Who has the same name is the same person, in whichever hub, and keeps the address they had first.
        name, email = f"Visitor {number} of {world.hub}", f"visitor{number}@{world.hub}.example"
        wanted = EnsurePerson(hub=world.hub, name=name, role=Role.MEMBER, email=email)
        reply = await Requester(client, utc_now).send(wanted, cell="local", seconds=5)
        person = PersonView.model_validate_json(reply.body).id
        token = development_token(arena.home.token_key(), person, now=utc_now())
        visitors.append(Visitor(world.hub, str(person), email, token, door, seen))
    for visitor in visitors:

        async def known(visitor: Visitor = visitor) -> bool:
            # A consent is refused until matching has heard of the membership.
            path = f"/hubs/{visitor.hub}"
            return bool(
                await visitor.ask("consent", "PUT", f"/me/consents/{visitor.hub}")
                and await visitor.ask("hub", "GET", path)
            )

        assert await comes_true(known, within=30), seen.failed[-1:]
        await visitor.is_never_quiet()
    seen.failed.clear()
    return visitors


async def publish_events(host: Visitor) -> list[tuple[str, str]]:
    """Ids and titles of events somewhere else than in the hub's rooms, with room for all."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=5)
    published: list[tuple[str, str]] = []
    for number in range(EVENTS):
        at = start + timedelta(days=number)
        body = {
            "title": f"A walk {number}", "start": at.isoformat(), "end": (at + timedelta(hours=1)).isoformat(),
            "place": {"address": "Kajgatan 4, Alvhamn"}, "publish": True,
        }  # fmt: skip

        async def done(body: object = body) -> bool:
            made = await host.ask("event", "POST", f"/hubs/{host.hub}/events", body)
            if isinstance(made, dict):
                published.append((str(made["id"]), str(made["title"])))
            return made is not None

        assert await comes_true(done, within=30), host.seen.failed[-1:]
    host.seen.failed.clear()
    return published
