"""The only place where booking's parts are built and put together."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from functools import partial

from services.booking import consumers, rpc
from services.booking.commands import occupancy
from services.booking.commands.reserving import Reservations
from services.booking.commands.snapshots import restate_bookings, restate_spaces
from services.booking.duties import duties
from services.booking.settings import Settings
from shared.contracts.booking.requests import Reserve
from shared.contracts.catalogue import FACTS
from shared.kit.bus import BatchConsumer, Consumer
from shared.kit.database import Database, make_autocommit_pool
from shared.kit.ids import Clock, Ids, new_id, utc_now
from shared.kit.process import DataService, run
from shared.kit.settings import from_environment

SERVICE = "booking"


def assemble(
    service: DataService, settings: Settings, *, clock: Clock, ids: Ids, chance: random.Random
) -> None:
    """Tell the service what it answers, hears, does at a time, and can state again."""
    url = settings.database_url.get_secret_value()
    hot = service.pool(make_autocommit_pool(url, size=settings.reserve_pool_size))
    reservations = Reservations(hot, service.database, ids, chance)
    service.server.answers(rpc.reads())
    service.server.answers(rpc.changes(ids, chance))
    service.server.answers_directly({Reserve: reservations.reserve})
    service.consumes(*hears(service.database, clock=clock, ids=ids))
    service.does(duties(ids))
    service.restates(
        {
            "spaces": partial(restate_spaces, clock=clock, ids=ids),
            "bookings": partial(restate_bookings, clock=clock, ids=ids),
            "occupancy": partial(occupancy.restate, clock=clock, ids=ids),
        }
    )


def hears(database: Database, *, clock: Clock, ids: Ids) -> tuple[Consumer, ...]:
    """Booking's consumers of facts."""
    return (
        Consumer("booking__mirrors_hubs", database, consumers.mirrors_hubs(clock), ids=ids, in_order=True),
        Consumer(
            "booking__frees_what_leavers_booked",
            database,
            consumers.frees_what_leavers_booked(clock, ids),
            ids=ids,
            in_order=True,
        ),
        BatchConsumer(
            "booking__measures_occupancy",
            database,
            FACTS[SERVICE],
            partial(consumers.measures_occupancy, clock=clock, ids=ids),
            ids=ids,
        ),
    )


def serve() -> None:
    """Run the service until it is told to stop."""
    settings = from_environment(Settings)
    chance = random.SystemRandom()

    async def parts(stack: AsyncExitStack, service: DataService) -> None:
        assemble(service, settings, clock=utc_now, ids=new_id, chance=chance)
        await service.start(stack)

    run(SERVICE, settings, parts, clock=utc_now)
