"""The only place where events' parts are built and put together."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from functools import partial

from services.events import consumers, rpc
from services.events.commands import belongings, comparing, snapshots
from services.events.commands.forgetting import forgets
from services.events.commands.recollecting import recollect
from services.events.commands.signing_up import SignUps
from services.events.duties import duties
from services.events.settings import Settings
from shared.contracts.events.sign_ups import SignUp
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.forgetting import Forgetting, of_the_living
from shared.kit.ids import Clock, Ids, new_id, utc_now
from shared.kit.process import DataService, run
from shared.kit.settings import from_environment

SERVICE = "events"


def assemble(
    service: DataService, settings: Settings, *, clock: Clock, ids: Ids, chance: random.Random
) -> None:
    """Tell the service what it answers, hears, does at a time, and can state again."""
    sign_ups = SignUps(service.database, ids, chance)
    service.server.answers(rpc.reads())
    service.server.answers(rpc.changes(ids, chance))
    service.server.answers_directly({SignUp: sign_ups.sign_up}, slots=settings.line_slots)
    service.consumes(*hears(service.database, clock=clock, ids=ids))
    service.does(forgetting(clock, ids).duties())
    service.does(duties(ids, chance), standing=(comparing.COMPARED,))
    service.keeps(belongings.KEPT, hub_is_known=belongings.HUB_IS_KNOWN)
    service.recollects(partial(recollect, clock=clock, ids=ids))
    service.restates(
        {
            "events": partial(snapshots.restate_events, clock=clock, ids=ids),
            "sign-ups": partial(snapshots.restate_sign_ups, clock=clock, ids=ids),
            "venues": partial(snapshots.restate_venues, clock=clock, ids=ids),
        }
    )


def forgetting(clock: Clock, ids: Ids) -> Forgetting:
    """What events does when a person is erased."""
    return Forgetting(SERVICE, forgets(ids), clock=clock, ids=ids)


def hears(database: Database, *, clock: Clock, ids: Ids) -> tuple[Consumer, ...]:
    """Events' consumers of facts."""
    gone = forgetting(clock, ids)
    in_order = {
        "events__mirrors_hubs": consumers.mirrors_hubs(clock),
        "events__mirrors_spaces": consumers.mirrors_spaces(clock),
        "events__frees_leavers_places": consumers.frees_leavers_places(clock, ids),
        "events__follows_venues": of_the_living(consumers.follows_venues(clock, ids), drops=False),
    }
    return (
        *(Consumer(name, database, effects, ids=ids, in_order=True) for name, effects in in_order.items()),
        # What it hears the order would drop: it looks at the row and decides by that.
        Consumer(
            "events__compares_venues",
            database,
            of_the_living(consumers.compares_venues(clock, ids), drops=False),
            ids=ids,
            in_order=False,
        ),
        # A second fact about the same erasure asks once more.
        Consumer(gone.durable, database, gone.effects(), ids=ids, in_order=False),
    )


def serve() -> None:
    """Run the service until it is told to stop."""
    settings = from_environment(Settings)
    chance = random.SystemRandom()

    async def parts(stack: AsyncExitStack, service: DataService) -> None:
        assemble(service, settings, clock=utc_now, ids=new_id, chance=chance)
        await service.start(stack)

    run(SERVICE, settings, parts, clock=utc_now)
