"""Matching's database has gone back in time: introductions are stated again as they are, nothing is counted twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from services.matching.commands.recollecting import recollect
from shared.contracts.base import Fact
from shared.contracts.matching.facts import (
    ConsentGivenV1,
    ConsentWithdrawnV1,
    IntroductionAgreedV1,
    IntroductionSnapshotV1,
    IntroductionWithdrawnV1,
    ProfileChangedV1,
)
from shared.contracts.matching.introductions import AskIntroduction, ReplyToIntroduction, Standing
from shared.contracts.matching.profiles import GiveConsent
from shared.contracts.matching.words import ProfileChange, Reply
from tests.matching.test_introductions import handle
from tests.matching.world import HUB, World


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


async def test_a_consent_that_was_taken_back_stays_so(world: World) -> None:
    await agreed(world)
    assert await world.sees("ann", "ben") == ["ben"]
    await world.close_to("ben")
    told = await world.goes_back(
        "UPDATE consent SET withdrawn_at = NULL",
        "UPDATE fact_count SET version = 1",
        "UPDATE introduction SET status = 'agreed', version = 2",
    )
    taken_back = next(fact for fact in told if isinstance(fact, ConsentWithdrawnV1))
    withdrawn = next(fact for fact in told if isinstance(fact, IntroductionWithdrawnV1))
    assert await world.sees("ann", "ben") == ["ben"], "as it was saved"
    stated = await recollected(world, taken_back, withdrawn)
    assert await world.sees("ann", "ben") == []
    assert [type(fact) for fact in stated] == [
        IntroductionSnapshotV1,
        ConsentWithdrawnV1,
        IntroductionWithdrawnV1,
    ]
    assert stated[1].subject_version == taken_back.subject_version + 1
    assert stated[2].subject_version == withdrawn.subject_version + 2
    # Whoever gives it anew has given it, even if it is mended once more.
    world.now += timedelta(minutes=1)
    await world.ask(GiveConsent(hub=HUB), "ben")
    assert await recollected(world, taken_back) == []
    assert await world.sees("ann", "ben") == ["ben"]


async def test_a_profile_that_was_erased_or_closed_does_not_come_back_with_a_backup(world: World) -> None:
    for name in ("ann", "ben", "cora"):
        await world.somebody(name, offers=["photography"])
    await world.member("viewer")
    await world.open_to("viewer")
    assert await world.sees("viewer", "ann", "ben", "cora") == ["ann", "ben", "cora"]
    changes = {
        "ann": ProfileChange.ERASED,
        "ben": ProfileChange.VISIBILITY,
        "cora": ProfileChange.PAUSED,
    }
    said = await world.goes_back()
    offered = {fact.subject: fact for fact in said if getattr(fact, "change", "") is ProfileChange.OFFERS}
    told = [
        offered[str(world.person(name))].model_copy(update={"change": change, "subject_version": 7})
        for name, change in changes.items()
    ]
    stated = await recollected(world, *told)
    assert await world.sees("viewer", "ann", "ben", "cora") == ["cora"]
    assert (await world.profile("cora")).paused
    assert await world.rows("SELECT 1 FROM profile WHERE person = :it", it=world.person("ann")) == []
    closed = [fact for fact in stated if isinstance(fact, ProfileChangedV1)]
    assert [(fact.change, fact.subject_version) for fact in closed] == [
        (change, 8) for change in changes.values()
    ]
