"""The only place where matching's parts are built and put together."""

from __future__ import annotations

from contextlib import AsyncExitStack

from services.matching import rpc
from services.matching.consumers.leavers import follows_members
from services.matching.consumers.mirrors import mirrors_hubs
from services.matching.duties import duties
from services.matching.settings import Settings
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.ids import Clock, Ids, new_id, utc_now
from shared.kit.process import DataService, run
from shared.kit.settings import from_environment

SERVICE = "matching"


def assemble(service: DataService, *, clock: Clock, ids: Ids) -> None:
    """Tell the service what it answers, hears, and does at a time."""
    service.server.answers(rpc.handlers(ids))
    service.consumes(*hears(service.database, clock=clock, ids=ids))
    service.does(duties(ids))


def hears(database: Database, *, clock: Clock, ids: Ids) -> tuple[Consumer, ...]:
    """Matching's consumers of facts; the newest version wins, in whatever order they come."""
    effects = {
        "matching__mirrors_hubs": mirrors_hubs(),
        "matching__mirrors_members": follows_members(clock, ids),
    }
    return tuple(
        Consumer(name, database, effect, ids=ids, in_order=False) for name, effect in effects.items()
    )


def serve() -> None:
    """Run the service until it is told to stop."""
    settings = from_environment(Settings)

    async def parts(stack: AsyncExitStack, service: DataService) -> None:
        assemble(service, clock=utc_now, ids=new_id)
        await service.start(stack)

    run(SERVICE, settings, parts, clock=utc_now)
