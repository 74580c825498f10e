"""The only place where booking's parts are built and put together."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from functools import partial

from services.booking import consumers, rpc
from services.booking.commands import belongings, occupancy, venue_comparing
from services.booking.commands.attempts import Attempts
from services.booking.commands.forgetting import forgets
from services.booking.commands.recollecting import recollect
from services.booking.commands.reserving import Reservations
from services.booking.commands.snapshots import restate_bookings, restate_spaces
from services.booking.duties import duties
from services.booking.queries.load import measure_load
from services.booking.settings import Settings
from shared.contracts.booking.requests import Reserve
from shared.contracts.streams import facts_heard_by
from shared.kit.bus import BatchConsumer, Consumer
from shared.kit.database import Database, make_autocommit_pool
from shared.kit.forgetting import Forgetting, of_the_living
from shared.kit.ids import Clock, Ids, new_id, utc_now
from shared.kit.process import DataService, run
from shared.kit.settings import from_environment

SERVICE = "booking"
MEASURES = "booking__measures_occupancy"


def assemble(
    service: DataService, settings: Settings, *, clock: Clock, ids: Ids, chance: random.Random
) -> None:
    """Tell the service what it answers, hears, does at a time, and can state again."""
    url = settings.database_url.get_secret_value()
    hot = service.pool(make_autocommit_pool(url, size=settings.reserve_pool_size))
    attempts = Attempts(hot, at_once=settings.reserve_pool_size)
    reservations = Reservations(attempts, service.database, ids, chance)
    service.server.answers(rpc.reads())
    service.server.answers(rpc.changes(ids, chance))
    service.server.answers_directly({Reserve: reservations.reserve})
    service.consumes(*hears(service.database, clock=clock, ids=ids, chance=chance))
    service.does(forgetting(clock, ids).duties())
    service.does(duties(ids), standing=(venue_comparing.COMPARED,))
    service.recollects(partial(recollect, clock=clock, ids=ids))
    service.measures(measure_load)
    service.keeps(belongings.KEPT, hub_is_known=belongings.HUB_IS_KNOWN)
    service.restates(
        {
            "spaces": partial(restate_spaces, clock=clock, ids=ids),
            "bookings": partial(restate_bookings, clock=clock, ids=ids),
            "occupancy": partial(occupancy.restate, clock=clock, ids=ids),
            "venues": partial(venue_comparing.restate_venues, clock=clock, ids=ids),
        }
    )


def forgetting(clock: Clock, ids: Ids) -> Forgetting:
    """What booking does when a person is erased."""
    return Forgetting(SERVICE, forgets(ids), clock=clock, ids=ids)


def hears(database: Database, *, clock: Clock, ids: Ids, chance: random.Random) -> tuple[Consumer, ...]:
    """Booking's consumers of facts."""
    gone = forgetting(clock, ids)
    in_order = {
        "booking__mirrors_hubs": consumers.mirrors_hubs(clock),
        "booking__frees_what_leavers_booked": consumers.frees_what_leavers_booked(clock, ids),
        "booking__keeps_venues": of_the_living(
            # An event goes on, and needs its room, without who started it.
            consumers.keeps_venues(clock, ids, chance),
            drops=False,
        ),
    }
    return (
        *(Consumer(name, database, effects, ids=ids, in_order=True) for name, effects in in_order.items()),
        # What it hears the order would drop: it looks at the rows and decides by them.
        Consumer(
            "booking__compares_venues",
            database,
            of_the_living(consumers.compares_venues(clock, ids, chance), drops=False),
            ids=ids,
            in_order=False,
        ),
        # A second fact about the same erasure asks once more.
        Consumer(gone.durable, database, gone.effects(), ids=ids, in_order=False),
        BatchConsumer(
            MEASURES,
            database,
            facts_heard_by(MEASURES),
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
