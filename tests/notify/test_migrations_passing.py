"""A migration comes by while mail is being made of what is due: nobody is told later for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from sqlalchemy import text

from services.notify.queries.listeners import Place
from shared.contracts.directory.requests import Contact
from tests.notify.mailing import make_mailing
from tests.notify.world import make_world

_WIDER = text("""
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
            EXECUTE format('ALTER TABLE %I ADD COLUMN by_release text NOT NULL DEFAULT ''before''', name);
        END LOOP;
    END $$
""")


async def test_what_was_claimed_just_before_is_told_at_once(database: Callable[[str], str]) -> None:
    async with make_world(database("notify")) as world, make_mailing(world) as mailing:
        await world.hub()
        await world.space()
        mailing.knows("ann")
        await world.hear(world.booked(who="ann"))
        assert len(await mailing.gathered()) == 1, "from here on the statements are known to the server"
        await world.hear(world.booked(who="ann"))

        async def ask(places: Collection[Place]) -> Mapping[Place, Contact]:
            async with world.database.transaction() as session:
                await session.execute(_WIDER)
            return await mailing.ask(places)

        world.later(minutes=1)
        (mail,) = await mailing.send(mailing.sender(ask=ask))
        assert mail.to == "ann@example.org"
