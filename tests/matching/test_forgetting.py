"""A person is erased: profile, meetings and counts are gone or nobody's, and nothing brings them back."""

from __future__ import annotations

from shared.contracts.forgetting import Deed
from shared.contracts.matching.facts import ProfileForgottenV1
from tests.matching.world import HUB, World

NAMED = """
    SELECT 'membership' AS kind FROM membership WHERE person = :ann
    UNION ALL SELECT 'profile' FROM profile WHERE person = :ann OR kept_by = :ann
    UNION ALL SELECT 'introduction' FROM introduction WHERE :ann IN (one, other, suggested_by)
    UNION ALL SELECT 'count' FROM fact_count WHERE strpos(subject, CAST(CAST(:ann AS uuid) AS text)) > 0
    UNION ALL SELECT 'timer' FROM timer WHERE kind = 'erase' AND key = CAST(CAST(:ann AS uuid) AS text)
"""


async def named(world: World) -> set[str]:
    """Where Ann still stands."""
    return {row.kind for row in await world.rows(NAMED, ann=world.person("ann"))}


async def test_counts_of_facts_go_with_the_person_and_stay_when_only_the_profile_goes(world: World) -> None:
    await world.member("ann")
    await world.open_to("ann")
    await world.hear(world.left("ann"))
    assert await named(world) == {"membership", "profile", "count", "timer"}
    await world.hear(world.erased("ann"))
    assert await named(world) == set()
    await world.let_time_pass(minutes=20)
    [answer] = await world.facts(ProfileForgottenV1)
    assert isinstance(answer, ProfileForgottenV1)
    assert {line.what for line in answer.told if line.deed is not Deed.KEPT} == {"profiles", "memberships"}


async def test_a_membership_heard_late_and_a_profile_made_meanwhile_do_not_stay(world: World) -> None:
    joined, left = world.joined("ann"), world.left("ann")
    await world.hear(world.erased("ann"))
    await world.hear(left, joined)
    assert await named(world) == set()
    other = world.joined("ann", hub="sydviken")
    await world.hear(other)
    assert await named(world) == set(), f"nor at another hub than {HUB}"
