"""A notify service that sends: its senders, a real mail server, and a directory that says what a story wants."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from services.notify.channels.smtp import MailServer, Server, Waits
from services.notify.queries.listeners import Place
from services.notify.senders.people import Ask, People
from services.notify.settings import Settings
from shared.contracts.directory.requests import Contact
from shared.contracts.notify.notices import ChangeMyChoices, GetMyChoices, NewChoice
from shared.contracts.notify.words import Channel, NoticeKind, Pace
from shared.kit.errors import Unavailable
from tests.notify.post_office import PostOffice, Taken, post_office
from tests.notify.world import GATHER, HUB, SECRET, SETTINGS, ZONE, World

KEY = Ed25519PrivateKey.generate()
QUICK = Waits(turn=5, begin=2, end=1, away=0, idle=30)
LEASE = timedelta(seconds=40)
"""When another takes over what somebody had who died, claimed or sent, at the latest."""
ENOUGH = GATHER + timedelta(seconds=1)


def mail_settings(port: int, **more: Any) -> Settings:
    """Settings of a service that mails to a server on this machine, as fast as it can."""
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    given = {
        "cell": "local",
        "link_private_key": SecretStr(pem),
        "secret_key": SecretStr(SECRET),
        "smtp_port": port,
        "smtp_tls": "none",
        "mail_rate": 1e6,
        "mail_domain_rate": 1e6,
    }
    return SETTINGS.model_copy(update=given | more)


async def at_once(_: float) -> None:
    """Waiting, in a world whose clock stands still."""


@dataclass
class Mailing:
    """Senders on one world; `contacts` is all directory knows."""

    world: World
    office: PostOffice
    settings: Settings
    contacts: dict[Place, Contact] = field(default_factory=dict)
    away: bool = False
    asked: int = 0
    servers: list[MailServer] = field(default_factory=list)

    def knows(self, name: str, hub: str = HUB, **said: Any) -> UUID:
        """Directory knows somebody called that at a hub; their address is their name's unless it is said."""
        person = self.world.person(name)
        given = {
            "hub": hub,
            "person": person,
            "name": name.title(),
            "email": f"{name}@example.org",
            "language": "en",
            "time_zone": ZONE,
            "guest": False,
        }
        self.contacts[hub, person] = Contact.model_validate(given | said)
        return person

    def forget(self, name: str, hub: str = HUB) -> None:
        """Directory knows nobody called that any more."""
        del self.contacts[hub, self.world.person(name)]

    async def ask(self, places: Collection[Place]) -> Mapping[Place, Contact]:
        """What directory answers."""
        self.asked += 1
        if self.away:
            raise Unavailable("The directory service is away for a moment. Try again shortly.")
        return {place: self.contacts[place] for place in places if place in self.contacts}

    def sender(self, *, settings: Settings | None = None, ask: Ask | None = None, **more: Any) -> People:
        """One who sends, with connections of their own."""
        used = settings or self.settings
        server = MailServer(
            Server.of(used), connections=used.mail_connections, waits=more.pop("waits", QUICK)
        )
        self.servers.append(server)
        given = {"clock": self.world.clock, "ids": self.world.ids, "pause": at_once} | more
        return People(self.world.database, ask or self.ask, server, used, **given)

    async def send(self, sender: People | None = None, **by: float) -> Sequence[Taken]:
        """Let time pass, send all that is due, and say what the mail server has taken meanwhile."""
        before = len(self.office.taken)
        if by:
            self.world.later(**by)
        sending = sender or self.sender()
        for _ in range(50):
            if not await sending.round():
                return self.office.taken[before:]
        raise AssertionError("there is no end to what is due")

    async def gathered(self) -> Sequence[Taken]:
        """The same when edits have had time to gather."""
        return await self.send(seconds=ENOUGH.total_seconds())

    async def choose(
        self, name: str, kind: NoticeKind, pace: Pace, channel: Channel = Channel.EMAIL, **more: Any
    ) -> None:
        """Somebody chooses, for all hubs."""
        choice = NewChoice(kind=kind, channel=channel, when=pace)
        await self.change(name, choices=(choice,), **more)

    async def change(self, name: str, **changes: Any) -> None:
        """Somebody changes how they are told."""
        version = (await self.world.ask(GetMyChoices(), name)).version
        await self.world.ask(ChangeMyChoices(version=version, **changes), name)

    async def left(self) -> dict[str, int]:
        """How much is due, or on its way; nothing is in the end but reminders, and what is asked, of what is still to come."""
        rows = await self.world.rows(
            """
            SELECT (SELECT count(*) FROM notice
                    WHERE due_at <= :now OR digest IS NOT NULL OR message IS NOT NULL
                          OR about NOT IN ('reminder', 'outcome')) AS notices,
                   (SELECT count(*) FROM digest) AS digests,
                   (SELECT count(*) FROM message WHERE sent_at IS NULL AND failed_at IS NULL) AS messages
            """,
            now=self.world.now,
        )
        return {name: number for name, number in rows[0]._mapping.items() if number}

    async def messages(self, channel: Channel = Channel.EMAIL) -> Sequence[Any]:
        """Messages, the first made first."""
        return await self.world.rows(
            "SELECT * FROM message WHERE channel = :channel ORDER BY created_at, id", channel=channel
        )


@asynccontextmanager
async def make_mailing(world: World, **settings: Any) -> AsyncIterator[Mailing]:
    """A world whose people are sent mail."""
    async with post_office() as office:
        mailing = Mailing(world, office, mail_settings(office.port, **settings))
        try:
            yield mailing
        finally:
            for server in mailing.servers:
                await server.close()


class Crash(BaseException):
    """The process is gone: nothing after this has happened."""


def subjects(mails: Sequence[Taken]) -> list[tuple[str, str]]:
    """To whom, and what it is called."""
    return sorted((one.to, str(one.message["Subject"])) for one in mails)
