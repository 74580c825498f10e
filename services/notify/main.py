"""The only place where notify's parts are built and put together."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta

from services.notify import rpc
from services.notify.consumers.following import follows, follows_events
from services.notify.consumers.mirrors import MIRRORS
from services.notify.settings import Settings
from shared.contracts.streams import facts_heard_by
from shared.kit.bus import BatchConsumer, BatchEffect, Consumer
from shared.kit.database import Database
from shared.kit.ids import Clock, Ids, new_id, utc_now
from shared.kit.process import DataService, run
from shared.kit.settings import from_environment

SERVICE = "notify"


def assemble(service: DataService, settings: Settings, *, clock: Clock, ids: Ids) -> None:
    """Tell the service what it answers, hears, sends, and does at a time."""
    service.server.answers(rpc.handlers(settings, ids))
    service.consumes(*hears(service.database, settings, clock=clock, ids=ids))


def hears(database: Database, settings: Settings, *, clock: Clock, ids: Ids) -> tuple[Consumer, ...]:
    """Notify's consumers of facts."""
    gather = timedelta(seconds=settings.gather_s)
    batches: dict[str, BatchEffect] = {**MIRRORS, **follows(clock, ids, gather)}
    return (
        *(
            BatchConsumer(name, database, facts_heard_by(name), effect, ids=ids)
            for name, effect in batches.items()
        ),
        Consumer(
            "notify__follows_events", database, follows_events(clock, ids, gather), ids=ids, in_order=True
        ),
    )


def serve() -> None:
    """Run the service until it is told to stop."""
    settings = from_environment(Settings)

    async def parts(stack: AsyncExitStack, service: DataService) -> None:
        assemble(service, settings, clock=utc_now, ids=new_id)
        await service.start(stack)

    run(SERVICE, settings, parts, clock=utc_now)
