"""Who is shown to whom: consents given, taken back, contradicting each other; and hubs that are joined and left."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest

from shared.contracts.base import Fact
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1
from shared.contracts.directory.words import Role
from shared.contracts.matching.facts import ConsentGivenV1, ConsentWithdrawnV1, ProfileChangedV1
from shared.contracts.matching.profiles import GiveConsent, MakeOrganisation, WithdrawConsent
from shared.contracts.matching.words import ProfileChange, Visibility
from tests.matching.world import HUB, World
from tests.world import MONDAY

OTHER = "sjobo"
FAR = "kiruna"


async def test_nobody_is_seen_who_has_not_both_opened_the_profile_and_consented(world: World) -> None:
    await world.member("ann")
    await world.member("bo")
    assert await world.sees("bo") == []
    await world.change("ann", visibility=Visibility.HUB)
    assert await world.sees("bo") == [], "open to a hub's people, but none is named"
    await world.ask(GiveConsent(hub=HUB), "ann")
    assert await world.sees("bo") == ["ann"]
    await world.change("ann", visibility=Visibility.NOBODY)
    assert await world.sees("bo") == [], "a consent, but open to nobody"


async def test_consents_that_contradict_each_other_show_to_those_alone_for_whom_all_say_yes(
    world: World,
) -> None:
    """Every combination of visibility, consents and the viewer's hubs, against the rule in plain words."""
    for hub in (OTHER, FAR):
        await world.hub(hub)
    await world.member("ann", HUB, OTHER)
    viewers = {"here": (HUB,), "other": (OTHER,), "both": (HUB, OTHER), "far": (FAR,), "nowhere": ()}
    for viewer, hubs in viewers.items():
        if hubs:
            await world.member(viewer, *hubs)
    for visibility, *given in itertools.product(Visibility, (True, False), (True, False)):
        await world.change("ann", visibility=visibility)
        consents = {hub for hub, yes in zip((HUB, OTHER), given, strict=True) if yes}
        for hub in (HUB, OTHER):
            await world.ask((GiveConsent if hub in consents else WithdrawConsent)(hub=hub), "ann")
        for viewer, hubs in viewers.items():
            meets = bool(consents & {*hubs}) or (visibility == Visibility.FEDERATION and consents and hubs)
            expected = ["ann"] if visibility != Visibility.NOBODY and meets else []
            assert await world.sees(viewer, "ann") == expected, (visibility, consents, viewer)


async def test_a_consent_taken_back_acts_on_the_next_question(world: World) -> None:
    await world.somebody("ann")
    await world.member("bo")
    assert await world.sees("bo") == ["ann"]
    await world.close_to("ann")
    assert await world.sees("bo") == []
    given, taken = ConsentGivenV1, ConsentWithdrawnV1
    facts = await world.facts_about(f"{HUB}/{world.person('ann')}")
    assert [type(fact) for fact in facts] == [given, taken]
    await world.ask(GiveConsent(hub=HUB), "ann")
    assert await world.sees("bo") == ["ann"]


async def test_giving_or_taking_back_twice_changes_nothing(world: World) -> None:
    await world.member("ann")
    first = await world.ask(GiveConsent(hub=HUB), "ann")
    assert await world.ask(GiveConsent(hub=HUB), "ann") == first
    taken = await world.ask(WithdrawConsent(hub=HUB), "ann")
    assert await world.ask(WithdrawConsent(hub=HUB), "ann") == taken
    assert len(await world.facts(ConsentGivenV1, ConsentWithdrawnV1)) == 2


async def test_yes_and_no_at_the_same_moment_end_in_one_of_the_two_as_the_facts_say(world: World) -> None:
    await world.somebody("ann")
    await world.member("bo")
    for _ in range(3):
        await asyncio.gather(
            *(world.ask(kind(hub=HUB), "ann") for kind in (GiveConsent, WithdrawConsent) * 3)
        )
        last = (await world.facts_about(f"{HUB}/{world.person('ann')}"))[-1]
        assert await world.sees("bo") == (["ann"] if isinstance(last, ConsentGivenV1) else [])


async def test_a_consent_for_a_hub_one_does_not_belong_to_is_refused(world: World) -> None:
    await world.hub(OTHER)
    await world.member("ann")
    for hub in (OTHER, "no-such-hub"):
        assert (await world.refusal(GiveConsent(hub=hub), "ann")).status == 404
    # Taking back what was never given is fine: the person wants it closed, and closed it is.
    assert (await world.ask(WithdrawConsent(hub="no-such-hub"), "ann")).consents == ()


async def test_who_left_is_not_seen_and_sees_nobody_and_comes_back_closed(world: World) -> None:
    await world.somebody("ann")
    await world.somebody("bo")
    await world.hear(world.left("ann"))
    assert await world.sees("bo") == await world.sees("ann") == []
    await world.hear(world.joined("ann"))
    assert await world.sees("ann") == ["bo"]
    assert await world.sees("bo") == [], "joining again does not open what leaving closed"
    assert (await world.profile("ann")).consents == ()
    await world.ask(GiveConsent(hub=HUB), "ann")
    assert await world.sees("bo") == ["ann"]


async def test_a_visitor_looks_at_nobody_but_may_be_found(world: World) -> None:
    await world.somebody("ann")
    await world.member("guest", role=Role.VISITOR)
    assert await world.sees("guest") == []
    await world.open_to("guest")
    assert await world.sees("ann") == ["guest"]
    await world.hear(world.role_changed("guest", Role.MEMBER))
    assert await world.sees("guest") == ["ann"]


async def test_who_put_somebody_aside_is_shown_to_them_no_more_than_they_are(world: World) -> None:
    await world.somebody("ann")
    await world.somebody("bo")
    await world.write(
        "INSERT INTO blocked (person, other, at) VALUES (:ann, :bo, now())",
        ann=world.person("ann"),
        bo=world.person("bo"),
    )
    assert await world.sees("ann") == await world.sees("bo") == []


async def test_an_organisation_is_seen_by_its_own_consents_and_not_by_who_keeps_it(world: World) -> None:
    await world.somebody("ann")
    await world.member("bo")
    company = (await world.ask(MakeOrganisation(hub=HUB, name="Nordviken Redovisning"), "ann")).id
    world.people["company"] = company
    assert await world.sees("bo") == ["ann"]
    await world.open_to("ann", organisation=company)
    assert await world.sees("bo") == ["ann", "company"]
    await world.close_to("ann")
    assert await world.sees("bo") == ["company"]
    assert await world.sees("ann") == []
    await world.hear(world.left("ann"))
    assert await world.sees("bo") == [], "nobody of the hub keeps it any more"
    assert (await world.profile("ann", organisation=company)).consents == ()


STAY = ("joined", "left", "joined")


@pytest.mark.parametrize("order", [*itertools.permutations(range(3)), (2, 2, 0, 1, 0, 1)])
async def test_memberships_heard_in_any_order_end_the_same(world: World, order: tuple[int, ...]) -> None:
    facts: list[Fact] = []
    for kind in STAY:
        facts.append(world.joined("ann") if kind == "joined" else world.left("ann"))
        world.now += timedelta(hours=1)
    for number in order:
        await world.hear(facts[number])
    row = (await world.rows("SELECT left_at, version, joined_at FROM membership"))[0]
    assert (row.left_at, row.version, row.joined_at) == (None, 3, MONDAY + timedelta(hours=2))


async def test_a_leaving_heard_late_does_not_close_what_was_opened_after_it(world: World) -> None:
    await world.member("bo")
    joined, left, again = world.joined("ann"), world.left("ann"), world.joined("ann")
    await world.hear(joined)
    await world.open_to("ann")
    await world.hear(again)
    assert await world.sees("bo") == [], (
        "the stay in which it was given is over, although that was not heard yet"
    )
    await world.ask(GiveConsent(hub=HUB), "ann")
    await world.hear(left)
    assert await world.sees("bo") == ["ann"]


async def test_hubs_heard_twice_late_and_reversed_are_as_the_newest_fact_says(empty: World) -> None:
    old = empty.hub_fact(version=1)
    new = empty.hub_fact(version=2, fact=HubProfileChangedV1, languages=("da",))
    assert isinstance(old, HubRegisteredV1)
    for fact in (new, old, new, old):
        await empty.hear(fact)
    assert [(row.version, row.languages) for row in await empty.rows("SELECT * FROM hub")] == [(2, ["da"])]


async def test_who_belongs_nowhere_for_thirty_days_is_forgotten(world: World) -> None:
    await world.somebody("ann", offers=["bookkeeping"])
    await world.somebody("bo", offers=["bookkeeping"])
    for name in ("ann", "bo"):
        await world.hear(world.left(name))
    await world.let_time_pass(days=29)
    assert len((await world.profile("ann")).offers) == 1, "kept for who is moving, shown to nobody"
    await world.hear(world.joined("bo"))
    await world.let_time_pass(days=2)
    assert (await world.profile("ann")).version == 1
    assert [row.person for row in await world.rows("SELECT person FROM profile")] == [world.person("bo")]
    changes = await world.facts(ProfileChangedV1)
    erased = [
        fact.subject
        for fact in changes
        if isinstance(fact, ProfileChangedV1) and fact.change == ProfileChange.ERASED
    ]
    assert erased == [str(world.person("ann"))]
