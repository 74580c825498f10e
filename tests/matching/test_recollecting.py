"""Matching's database has gone back in time: introductions are stated again as they are, nothing is counted twice."""

from __future__ import annotations

from collections.abc import Sequence

from services.matching.commands.recollecting import recollect
from shared.contracts.base import Fact
from shared.contracts.matching.facts import (
    ConsentGivenV1,
    IntroductionAgreedV1,
    IntroductionSnapshotV1,
    IntroductionWithdrawnV1,
)
from shared.contracts.matching.introductions import AskIntroduction, ReplyToIntroduction, Standing
from shared.contracts.matching.words import Reply
from tests.matching.test_introductions import handle
from tests.matching.world import World


async def recollected(world: World, *told: Fact) -> Sequence[Fact]:
    """What is stated when these are found in the stream and not in the database."""
    before = len(await world.facts())
    async with world.database.transaction() as session:
        await recollect(session, told, clock=world.clock, ids=world.ids)
    return await world.facts(after=before)


async def agreed(world: World) -> None:
    await world.somebody("ann", needs=["photography"], offers=["bookkeeping"])
    await world.somebody("ben", offers=["photography"])
    asked = await world.ask(AskIntroduction(match=await handle(world, "ann", "ben")), "ann")
    await world.ask(ReplyToIntroduction(introduction=asked.id, answer=Reply.YES), "ben")


async def test_an_introduction_that_waits_again_is_said_to(world: World) -> None:
    await agreed(world)
    told = await world.goes_back(
        "UPDATE introduction SET status = 'suggested', other_said = NULL, one_said = NULL, version = 1",
        "UPDATE fact_count SET version = 1",
    )
    yes = next(fact for fact in told if isinstance(fact, IntroductionAgreedV1))
    (suggested,) = await recollected(world, yes)
    assert isinstance(suggested, IntroductionSnapshotV1)
    assert (suggested.subject_version, suggested.standing) == (yes.subject_version + 1, Standing.SUGGESTED)
    assert suggested.asked_by == world.person("ann")


async def test_an_introduction_nobody_remembers_is_withdrawn(world: World) -> None:
    await agreed(world)
    told = await world.goes_back("DELETE FROM introduction", "DELETE FROM fact_count")
    yes = next(fact for fact in told if isinstance(fact, IntroductionAgreedV1))
    (withdrawn,) = await recollected(world, yes)
    assert isinstance(withdrawn, IntroductionWithdrawnV1)
    assert (withdrawn.one, withdrawn.other, withdrawn.subject_version) == (
        yes.one,
        yes.other,
        yes.subject_version + 1,
    )


async def test_consents_are_counted_on(world: World) -> None:
    await world.somebody("ann", offers=["bookkeeping"])
    told = await world.goes_back("DELETE FROM fact_count")
    consent = next(fact for fact in told if isinstance(fact, ConsentGivenV1))
    assert await recollected(world, consent) == []
    rows = await world.rows("SELECT version FROM fact_count WHERE subject = :it", it=consent.subject)
    assert [row.version for row in rows] == [consent.subject_version]
