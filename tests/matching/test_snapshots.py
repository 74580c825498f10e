"""Introductions stated again, as they are: in pages, each with the version of its latest fact."""

from __future__ import annotations

import pytest

from services.matching.commands import snapshots
from services.matching.commands.snapshots import restate_introductions
from shared.contracts.matching.facts import IntroductionSnapshotV1
from shared.contracts.matching.introductions import ReplyToIntroduction, Standing
from shared.contracts.matching.profiles import MakeOrganisation
from shared.contracts.matching.words import Reply
from tests.matching.test_introductions import asks, suggested
from tests.matching.world import HUB, World


async def restated(world: World) -> list[IntroductionSnapshotV1]:
    """All of them, page by page."""
    before, after = len(await world.facts()), ""
    while True:
        async with world.database.transaction() as session:
            _, cursor = await restate_introductions(session, after, clock=world.clock, ids=world.ids)
        if cursor is None:
            found = await world.facts(after=before)
            return [fact for fact in found if isinstance(fact, IntroductionSnapshotV1)]
        after = cursor


async def test_introductions_are_stated_again_as_they_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "AT_ONCE", 1)
    for name in ("ann", "ben", "cal"):
        await world.somebody(name, offers=["photography"])
    firm = await world.ask(MakeOrganisation(hub=HUB, name="Nordviken Varv"), "cal")
    await world.open_to("cal", organisation=firm.id)
    world.people["firm"] = firm.id
    agreed = await asks(world, "ann", "ben")
    await world.ask(ReplyToIntroduction(introduction=agreed.id, answer=Reply.YES), "ben")
    over = await asks(world, "ben", "firm")
    await world.ask(ReplyToIntroduction(introduction=over.id, answer=Reply.NO), "cal")
    hosted = await suggested(world, "ann", "cal")
    latest = {one.id: (await world.facts_about(one.id))[-1] for one in (agreed, over, hosted)}
    found = {fact.introduction: fact for fact in await restated(world)}
    ann, ben, cal = (world.person(name) for name in ("ann", "ben", "cal"))
    assert {
        one: (fact.standing, {fact.one, fact.other}, fact.asked_by, fact.by_host)
        for one, fact in found.items()
    } == {
        agreed.id: (Standing.AGREED, {ann, ben}, ann, False),
        over.id: (Standing.OVER, {ben, cal}, ben, False),
        hosted.id: (Standing.SUGGESTED, {ann, cal}, None, True),
    }
    for one, fact in found.items():
        assert (fact.subject, fact.subject_version) == (str(one), latest[one].subject_version)
