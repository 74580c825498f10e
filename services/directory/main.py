"""The only place where directory's parts are built and put together."""

from __future__ import annotations

import secrets
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from services.directory import commands, rpc
from services.directory.commands import belongings, erasing
from services.directory.commands.recollecting import recollect
from services.directory.commands.sessions import Mint
from services.directory.commands.token_keys import ensure_key
from services.directory.consumers import hears_forgotten
from services.directory.duties import STANDING, duties
from services.directory.rules.sign_in import Limits
from services.directory.settings import Settings
from shared.contracts.streams import FORGETS
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.ids import Clock, Ids, new_id, utc_now
from shared.kit.process import DataService, run
from shared.kit.settings import from_environment

SERVICE = "directory"


def assemble(service: DataService, settings: Settings, *, clock: Clock, ids: Ids) -> None:
    """Tell the service what it answers, does at a time and can state again, and what it hears."""
    mint = Mint(settings.cell, settings.secret_key.get_secret_value(), secrets.token_bytes, ids)
    limits = Limits(settings.sign_ins_per_address, settings.sign_ins_per_client)

    async def have_a_key(session: AsyncSession) -> None:
        await ensure_key(session, secret=mint.secret, now=clock(), chance=mint.chance)

    service.begins_with(have_a_key)
    service.server.answers(rpc.reads())
    service.server.answers(rpc.changes(mint, limits))
    service.server.answers_directly(rpc.sessions.direct(service.database, mint))
    service.keeps(belongings.kept(settings.cell, clock, ids))
    service.recollects(partial(recollect, clock=clock, ids=ids))
    service.consumes(*hears(service.database, clock=clock, ids=ids))
    service.does(duties(mint, timedelta(days=settings.token_key_days)), standing=STANDING)
    service.restates(
        {
            "hubs": partial(commands.restate_hubs, clock=clock, ids=ids),
            "erasures": partial(erasing.restate_erasures, clock=clock, ids=ids),
        }
    )


def hears(database: Database, *, clock: Clock, ids: Ids) -> tuple[Consumer, ...]:
    """Directory's consumers of facts."""
    return tuple(
        Consumer(
            f"{SERVICE}__hears_{service}_forgot",
            database,
            hears_forgotten(service, clock),
            ids=ids,
            in_order=False,
        )
        for service in FORGETS
    )


def serve() -> None:
    """Run the service until it is told to stop."""
    settings = from_environment(Settings)

    async def parts(stack: AsyncExitStack, service: DataService) -> None:
        assemble(service, settings, clock=utc_now, ids=new_id)
        await service.start(stack)

    run(SERVICE, settings, parts, clock=utc_now)
