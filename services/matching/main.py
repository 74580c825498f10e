"""The only place where matching's parts are built and put together."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import rpc
from services.matching.commands import belongings, skills
from services.matching.commands.forgetting import forgets
from services.matching.commands.introductions import Terms
from services.matching.commands.recollecting import recollect
from services.matching.commands.snapshots import restate_introductions
from services.matching.consumers.leavers import follows_members
from services.matching.consumers.mirrors import mirrors_hubs
from services.matching.duties import STANDING, duties
from services.matching.index import encoder
from services.matching.index.following import Memory
from services.matching.index.vocabulary import Keeper, Vocabulary
from services.matching.rpc.matches import Matches
from services.matching.rules.vocabulary import ours
from services.matching.settings import Settings
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.forgetting import Forgetting, of_the_living
from shared.kit.ids import Clock, Ids, new_id, utc_now
from shared.kit.process import DataService, Step, run
from shared.kit.settings import from_environment

SERVICE = "matching"


def assemble(service: DataService, settings: Settings, *, clock: Clock, ids: Ids) -> None:
    """Tell the service what it answers, hears, and does at a time."""
    terms = Terms(timedelta(days=settings.introduction_days), settings.most_introductions)
    memory = Memory(service.database, clock)
    service.follows(memory)
    kept = encoder.Kept(settings.vectors)
    vocabulary = Vocabulary(None if settings.vectors is None else encoder.load(), kept)
    service.keeps_going({"vocabulary": Keeper(service.database, vocabulary)})
    service.begins_with(seeds(clock, ids))
    service.server.answers(rpc.handlers(ids, terms, vocabulary))
    service.server.answers_directly(Matches(service.database, memory).direct())
    service.keeps(belongings.KEPT, hub_is_known=belongings.HUB_IS_KNOWN)
    service.recollects(partial(recollect, clock=clock, ids=ids))
    service.consumes(*hears(service.database, clock=clock, ids=ids))
    service.does(forgetting(clock, ids).duties())
    service.restates({"introductions": partial(restate_introductions, clock=clock, ids=ids)})
    service.does(duties(ids, counts_every=timedelta(seconds=settings.figures_every_s)), standing=STANDING)


def seeds(clock: Clock, ids: Ids) -> Step:
    """Make the vocabulary that comes with Foci what this release says."""

    async def seed(session: AsyncSession) -> None:
        await skills.seed(session, ours(), now=clock(), ids=ids)

    return seed


def forgetting(clock: Clock, ids: Ids) -> Forgetting:
    """What matching does when a person is erased."""
    return Forgetting(SERVICE, forgets(ids), clock=clock, ids=ids)


def hears(database: Database, *, clock: Clock, ids: Ids) -> tuple[Consumer, ...]:
    """Matching's consumers of facts; the newest version wins, in whatever order they come."""
    gone = forgetting(clock, ids)
    effects = {
        "matching__mirrors_hubs": mirrors_hubs(clock, ids),
        "matching__mirrors_members": of_the_living(follows_members(clock, ids)),
        gone.durable: gone.effects(),
    }
    return tuple(
        Consumer(name, database, effect, ids=ids, in_order=False) for name, effect in effects.items()
    )


def serve() -> None:
    """Run the service until it is told to stop."""
    settings = from_environment(Settings)

    async def parts(stack: AsyncExitStack, service: DataService) -> None:
        assemble(service, settings, clock=utc_now, ids=new_id)
        await service.start(stack)

    run(SERVICE, settings, parts, clock=utc_now)
