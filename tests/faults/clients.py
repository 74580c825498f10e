"""Clients over HTTP that book, change their minds, get in each other's way, and write down what they were told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from shared.contracts.directory.words import Role
from tests.faults.door import Door, Hangs, Lost, Reply, Shut
from tests.faults.history import History, Kind, Operation, Outcome
from tests.faults.waiting import pause
from tests.faults.world import Person, World

OVER = frozenset({"cancelled", "expired", "checked_out"})
LONG_SPACES = ("meeting", "studio", "flex", "flex", "flex", "floor")
RETRIES = 60


@dataclass
class Pool:
    """The bookings the clients know of, newest view of each; only what may still change is kept."""

    views: dict[str, dict[str, Any]] = field(default_factory=dict)

    def learn(self, view: dict[str, Any]) -> None:
        """Remember what was shown."""
        known = self.views.get(view["id"])
        if view["status"] in OVER:
            self.views.pop(view["id"], None)
        elif known is None or known["version"] < view["version"]:
            self.views[view["id"]] = view

    def one(self, chance: random.Random, person: str | None, *statuses: str) -> dict[str, Any] | None:
        """A booking in one of these states; `person`'s own when one is named."""
        ids = list(self.views)
        for _ in range(40 if ids else 0):
            view = self.views[chance.choice(ids)]
            if view["status"] in statuses and person in (None, view["person"]):
                return view
        return None


class Client:
    """One client with one person's token, and a connection to each gateway."""

    def __init__(
        self,
        name: str,
        person: Person,
        world: World,
        doors: Sequence[Door],
        history: History,
        pool: Pool,
        chance: random.Random,
    ) -> None:
        self.name = name
        self.person = person
        self.hub = world.hub
        self.history = history
        self._pool = pool
        self._chance = chance
        self._doors = doors
        self._gateway = chance.randrange(len(doors))
        self._intents = 0
        self._told_to_wait = 0.0

    async def run(self, enough: Callable[[], bool]) -> None:
        """Go on until there is enough."""
        while not enough():
            operation = await self._step()
            if operation is None or operation.outcome is Outcome.UNKNOWN:
                await self._breathe()
        for door in self._doors:
            door.close()

    # --- one exchange ---

    async def exchange(
        self,
        kind: Kind,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        booking: str | None = None,
        mark: str | None = None,
        key: str | None = None,
        if_match: int | None = None,
        gateway: int | None = None,
    ) -> Operation:
        """Ask once, whatever comes of it."""
        sent = b"" if body is None else orjson.dumps(body)
        at = self._gateway if gateway is None else gateway
        headers = {"authorization": f"Bearer {self.person.token}"}
        if body is not None:
            headers["content-type"] = "application/json"
        if key is not None:
            headers["idempotency-key"] = key
        if if_match is not None:
            headers["if-match"] = f'"{if_match}"'
        operation = self.history.begin(
            client=self.name, person=self.person.id, kind=kind, gateway=at, booking=booking, mark=mark, key=key,
            sent=sent, if_match=if_match,
        )  # fmt: skip
        try:
            reply = await self._ask(at, method, path, headers, sent)
        except (Shut, Lost, Hangs) as error:
            operation.lose(f"{type(error).__name__}: {error}")
        else:
            operation.finish(reply.status, reply.body, reply.headers.get("etag"))
            self._told_to_wait = float(reply.headers.get("retry-after", "0"))
        if operation.outcome is Outcome.UNKNOWN or self._chance.random() < 0.3:
            self._gateway = (self._gateway + 1) % len(self._doors)
        for view in operation.views():
            self._pool.learn(view)
        return operation

    async def _ask(self, at: int, method: str, path: str, headers: dict[str, str], sent: bytes) -> Reply:
        """Ask at that door; at the other one if it is shut, as any load balancer does."""
        try:
            return await self._doors[at].ask(method, f"/v1{path}", headers, sent)
        except Shut:
            return await self._doors[at - 1].ask(method, f"/v1{path}", headers, sent)

    async def _breathe(self) -> None:
        """As long as the answer said, within reason, after something went wrong."""
        await pause(self._chance.uniform(0.5, 1.0) * min(max(self._told_to_wait, 0.3), 2.0))
        self._told_to_wait = 0.0

    async def order(self, kind: Kind, path: str, body: dict[str, Any] | None, **more: Any) -> Operation:
        """An order, with a key more often than not; with one it is repeated until the answer is certain."""
        key = self._new_key() if self._chance.random() < 0.65 else None

        async def ask(**other: Any) -> Operation:
            return await self.exchange(kind, "POST", path, body, key=key, **{**more, **other})

        if key is None:
            return await ask()
        if self._chance.random() < 0.06:
            # Twins: somebody clicked twice, and each click went to another gateway.
            first, second = await asyncio.gather(ask(gateway=0), ask(gateway=1))
            operation = second if first.outcome is Outcome.UNKNOWN else first
        else:
            operation = await ask()
        operation = await self.until_certain(operation, ask)
        if operation.outcome is not Outcome.UNKNOWN and self._chance.random() < 0.1:
            await self.until_certain(await ask(), ask)
        if body is not None and kind is Kind.RESERVE and self._chance.random() < 0.02:
            other = f"{more['mark']}x"
            await self.exchange(kind, "POST", path, {**body, "title": other}, key=key, mark=other)
        return operation

    async def until_certain(self, operation: Operation, ask: Callable[..., Any]) -> Operation:
        """The operation, or that of a later try if its outcome is unknown."""
        for _ in range(RETRIES):
            if operation.outcome is not Outcome.UNKNOWN:
                break
            await self._breathe()
            operation = await ask()
        return operation

    def _new_key(self) -> str:
        return f"{self.name}-{self._chance.getrandbits(64):016x}"

    def _mark(self) -> str:
        self._intents += 1
        return f"{self.name}.{self._intents}"

    # --- what a client does ---

    async def _step(self) -> Operation | None:
        steps: tuple[tuple[Callable[[], Any], int], ...] = (
            (self._reserve_ahead, 30),
            (self._reserve_now, 8),
            (self._confirm, 8),
            (self._move, 12),
            (self._cancel, 13),
            (self._check_in, 7),
            (self._check_out, 5),
            (self._read, 10),
            (self._list, 4),
            (self._availability, 3),
        )
        [step] = self._chance.choices([it for it, _ in steps], [weight for _, weight in steps])
        operation: Operation | None = await step()
        return operation

    def _time_ahead(self) -> dict[str, str]:
        chance = self._chance
        base = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
        # A third want one of the few good times, so that races happen.
        slot = chance.randrange(24) if chance.random() < 0.33 else chance.randrange(60 * 48)
        start = base + timedelta(minutes=30 * slot)
        return _span(start, timedelta(minutes=chance.choice((30, 60, 90, 180))))

    async def reserve(self, wish: dict[str, Any], *, key: str | None = None) -> Operation:
        """Book exactly this once, as scenarios do."""
        mark = self._mark()
        body = {"title": mark, **wish}
        return await self.exchange(
            Kind.RESERVE, "POST", f"/hubs/{self.hub}/bookings", body, key=key, mark=body["title"]
        )

    async def _reserve(self, wish: dict[str, Any]) -> Operation:
        mark = self._mark()
        return await self.order(
            Kind.RESERVE, f"/hubs/{self.hub}/bookings", {**wish, "title": mark}, mark=mark
        )

    async def _reserve_ahead(self) -> Operation:
        wish: dict[str, Any] = {"space": self._chance.choice(LONG_SPACES), **self._time_ahead()}
        if wish["space"] == "flex":
            wish["seats"] = self._chance.choice((1, 1, 1, 2, 3))
        if self._chance.random() < 0.25:
            wish["hold"] = True
        return await self._reserve(wish)

    async def _reserve_now(self) -> Operation:
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=self._chance.randint(-30, 30))
        length = timedelta(seconds=self._chance.choice((60, 90, 120, 300)))
        return await self._reserve({"space": "lounge", **_span(start, length)})

    async def _on(
        self, kind: Kind, view: dict[str, Any] | None, body: Any = None, **more: Any
    ) -> Operation | None:
        if view is None:
            return None
        path = f"/hubs/{self.hub}/bookings/{view['id']}/{kind}"
        return await self.order(kind, path, body, booking=view["id"], **more)

    def _whose(self) -> str | None:
        return None if self.person.role is Role.HOST else self.person.id

    async def _confirm(self) -> Operation | None:
        return await self._on(Kind.CONFIRM, self._pool.one(self._chance, self._whose(), "held"))

    async def _cancel(self) -> Operation | None:
        mark = self._mark()
        view = self._pool.one(self._chance, self._whose(), "held", "confirmed")
        return await self._on(Kind.CANCEL, view, {"reason": mark}, mark=mark)

    async def cancel(self, booking: str, *, key: str | None = None) -> Operation:
        """Cancel exactly this once, as scenarios do."""
        mark = self._mark()
        path = f"/hubs/{self.hub}/bookings/{booking}/cancel"
        return await self.exchange(
            Kind.CANCEL, "POST", path, {"reason": mark}, booking=booking, mark=mark, key=key
        )

    async def _check_in(self) -> Operation | None:
        return await self._on(Kind.CHECK_IN, self._of_now("confirmed"))

    async def _check_out(self) -> Operation | None:
        return await self._on(Kind.CHECK_OUT, self._of_now("checked_in"))

    def _of_now(self, status: str) -> dict[str, Any] | None:
        for _ in range(10):
            view = self._pool.one(self._chance, self._whose(), status)
            if view is not None and view["space"] == "lounge":
                return view
        return None

    async def _move(self) -> Operation | None:
        view = self._pool.one(self._chance, self._whose(), "held", "confirmed")
        if view is None or view["space"] == "lounge":
            return None
        mark = self._mark()
        # The first word of a title stays the reservation's mark.
        wish = {**self._time_ahead(), "title": f"{view['title'].split()[0]} {mark}"}
        path = f"/hubs/{self.hub}/bookings/{view['id']}"
        return await self.exchange(
            Kind.MOVE, "PATCH", path, wish, booking=view["id"], mark=mark, if_match=view["version"]
        )

    async def _read(self) -> Operation | None:
        view = self._pool.one(self._chance, self._whose(), "held", "confirmed", "checked_in")
        if view is None:
            return None
        return await self.exchange(
            Kind.READ, "GET", f"/hubs/{self.hub}/bookings/{view['id']}", booking=view["id"]
        )

    async def _list(self) -> Operation:
        path = "/me/bookings?limit=20"
        if self.person.role is Role.HOST:
            path = f"/hubs/{self.hub}/bookings?limit=20&status=held&status=confirmed"
        return await self.exchange(Kind.LIST, "GET", path)

    async def _availability(self) -> Operation:
        span = {name: value.replace("+", "%2B") for name, value in self._time_ahead().items()}
        path = f"/hubs/{self.hub}/availability?from={span['start']}&to={span['end']}"
        return await self.exchange(Kind.AVAILABILITY, "GET", path)


def _span(start: datetime, length: timedelta) -> dict[str, str]:
    return {"start": start.isoformat(), "end": (start + length).isoformat()}


def ahead(days: float, hours: float = 1) -> dict[str, str]:
    """A span some days from now, for scenarios."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=days)
    return _span(start, timedelta(hours=hours))


def gather_clients(
    world: World,
    ports: Sequence[int],
    history: History,
    *,
    seed: int,
    count: int = 16,
    door: Callable[[int], Door] = Door,
) -> list[Client]:
    """As many clients as asked for, four members to each host; they share what they know.

    Each has a door to each port, as `door` makes them.
    """
    pool = Pool()
    people = [*world.hosts, *world.members]
    return [
        Client(
            f"c{number}",
            people[number % len(people)],
            world,
            [door(port) for port in ports],
            history,
            pool,
            random.Random(f"{seed}/{number}"),
        )
        for number in range(count)
    ]
