"""The only place where notify's parts are built and put together."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from datetime import timedelta

from services.notify import rpc
from services.notify.channels.http import Outside
from services.notify.channels.smtp import MailServer, Server
from services.notify.commands import belongings
from services.notify.commands.forgetting_people import forget_person
from services.notify.commands.recollecting import recollect
from services.notify.consumers.following import follows, follows_events
from services.notify.consumers.hooks import hands_on
from services.notify.consumers.mirrors import MIRRORS
from services.notify.duties import duties
from services.notify.duties.housekeeping import FORGET
from services.notify.senders.backlog import Backlog
from services.notify.senders.people import People, asks_directory
from services.notify.senders.webhooks import WebhookSender
from services.notify.settings import Settings
from shared.contracts.streams import facts_heard_by
from shared.kit.bus import BatchConsumer, BatchEffect, Consumer
from shared.kit.database import Database
from shared.kit.forgetting import Forgetting, all_of_the_living, of_the_living
from shared.kit.ids import Clock, Ids, new_id, utc_now
from shared.kit.process import DataService, run
from shared.kit.settings import from_environment

SERVICE = "notify"


def assemble(
    service: DataService, settings: Settings, *, clock: Clock, ids: Ids, chance: random.Random
) -> None:
    """Tell the service what it answers, hears, sends, and does at a time."""
    outside = Outside(trusted=frozenset(settings.webhook_trusted))
    mail = MailServer(Server.of(settings), connections=settings.mail_connections)
    ask = asks_directory(service.requester, settings.cell)
    key = settings.secret_key.get_secret_value()
    people = People(service.database, ask, mail, settings, clock=clock, ids=ids)
    hooks = WebhookSender(service.database, outside, key=key, clock=clock, ids=ids, chance=chance)
    service.server.answers(rpc.handlers(settings, outside, ids))
    service.server.answers_directly(rpc.webhooks.secret_handlers(service.database, outside, key, ids))
    service.keeps(belongings.KEPT, hub_is_known=belongings.HUB_IS_KNOWN)
    service.recollects(recollect)
    service.consumes(*hears(service.database, settings, clock=clock, ids=ids))
    service.does(forgetting(clock, ids).duties())
    service.does(duties(), standing=(FORGET,))
    backlog = Backlog(service.database, clock=clock)
    service.keeps_going(
        {"people": people, "webhooks": hooks, "backlog": backlog},
        stops={"people": people.stop, "webhooks": hooks.stop},
    )


def forgetting(clock: Clock, ids: Ids) -> Forgetting:
    """What notify does when a person is erased."""
    return Forgetting(SERVICE, forget_person, clock=clock, ids=ids)


def hears(database: Database, settings: Settings, *, clock: Clock, ids: Ids) -> tuple[Consumer, ...]:
    """Notify's consumers of facts."""
    gather = timedelta(seconds=settings.gather_s)
    batches: dict[str, BatchEffect] = {**MIRRORS, **follows(clock, ids, gather)}
    gone = forgetting(clock, ids)
    return (
        *(
            BatchConsumer(name, database, facts_heard_by(name), all_of_the_living(effect), ids=ids)
            for name, effect in batches.items()
        ),
        Consumer(
            "notify__follows_events",
            database,
            of_the_living(follows_events(clock, ids, gather)),
            ids=ids,
            in_order=True,
        ),
        Consumer(gone.durable, database, gone.effects(), ids=ids, in_order=False),
        *hands_on(database, clock=clock, ids=ids),
    )


def serve() -> None:
    """Run the service until it is told to stop."""
    settings = from_environment(Settings)
    chance = random.SystemRandom()

    async def parts(stack: AsyncExitStack, service: DataService) -> None:
        assemble(service, settings, clock=utc_now, ids=new_id, chance=chance)
        await service.start(stack)

    run(SERVICE, settings, parts, clock=utc_now)
