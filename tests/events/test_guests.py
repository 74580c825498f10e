"""Guests: no place before they have followed the link, the same answer whoever asks, and then like everybody."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from shared.contracts.events.facts import OfferLapsedV1, PlaceTakenV1, SignUpPendingV1
from shared.contracts.events.sign_ups import ConfirmSignUp, GetLink, GiveBackPlace, SignUp, SignUpGuest
from shared.contracts.events.views import GuestAnswer
from shared.contracts.events.words import SignUpStatus, Visibility, Way
from shared.contracts.links import LinkPurpose
from shared.kit.principal import Principal
from tests.events.lines import (
    cancelled,
    changed,
    give_back,
    hidden,
    nothing_wrong,
    opened,
    sign_up,
    stated,
    states,
)
from tests.events.world import HUB, World


async def invited(world: World, event: UUID, name: str = "gus", way: Way | None = None) -> GuestAnswer:
    """The gateway, which knows the guest by now, asks for nobody in particular."""
    return await world.ask(SignUpGuest(hub=HUB, event=event, guest=world.person(name), way=way), None)


def guest(world: World, name: str = "gus") -> Principal:
    """Whoever follows the link: the person, without a role."""
    return Principal(world.person(name), HUB, None)


def confirm(fact: SignUpPendingV1) -> ConfirmSignUp:
    """What the link does that was made of a fact."""
    return ConfirmSignUp(hub=HUB, event=fact.event, sign_up=UUID(fact.subject), version=fact.subject_version)


async def test_a_guest_has_no_place_before_the_link_is_followed(world: World) -> None:
    event = await opened(world, 1)
    answer = await invited(world, event)
    assert (answer.status, answer.until) == ("pending", world.now + timedelta(hours=48))
    [fact] = await stated(world, SignUpPendingV1)
    assert (fact.person, fact.guest, fact.number, fact.until) == (
        world.person("gus"),
        True,
        None,
        answer.until,
    )
    [row] = await world.rows("SELECT taken, waiting, last_number FROM places")
    assert tuple(row) == (0, 0, 0)
    # Meanwhile somebody else is quicker.
    await sign_up(world, event, "ann")
    taken = await world.ask(confirm(fact), guest(world))
    assert (taken.status, taken.place, taken.guest, taken.version) == (SignUpStatus.WAITING, 2, True, 2)
    again = await world.refusal(confirm(fact), guest(world))
    assert (again.status, again.code) == (409, "link-used")
    await world.let_time_pass(hours=49)
    assert await states(world, event) == {"ann": "attending", "gus": "waiting"}
    await nothing_wrong(world)


async def test_whoever_asks_hears_the_same(world: World) -> None:
    event = await opened(world, 5)
    first = await invited(world, event)
    assert await invited(world, event) == first
    assert len(await stated(world, SignUpPendingV1)) == 1
    world.now += timedelta(minutes=6)
    later = await invited(world, event)
    old, new = await stated(world, SignUpPendingV1)
    assert (new.subject, new.subject_version, new.until) == (old.subject, 2, later.until)
    assert (await world.refusal(confirm(old), guest(world))).code == "link-used"
    assert (await world.ask(confirm(new), guest(world))).status == SignUpStatus.ATTENDING
    world.now += timedelta(hours=1)
    attending = await invited(world, event)
    assert attending == GuestAnswer(event=event, until=world.now + timedelta(hours=48))
    assert await states(world, event) == {"gus": "attending"}
    assert len(await world.facts()) == 3


async def test_a_sign_up_nobody_confirms_lapses(world: World) -> None:
    event = await opened(world, 5)
    await invited(world, event)
    [fact] = await stated(world, SignUpPendingV1)
    world.now += timedelta(hours=48)  # its timer has not come round yet
    assert (await world.refusal(confirm(fact), guest(world))).code == "offer-lapsed"
    await world.let_time_pass(seconds=1)
    [lapsed] = await stated(world, OfferLapsedV1)
    assert (lapsed.subject, lapsed.subject_version) == (fact.subject, 2)
    assert (await world.refusal(confirm(fact), guest(world))).code == "link-used"
    await invited(world, event)
    again = (await stated(world, SignUpPendingV1))[-1]
    assert again.subject_version == 3
    await world.ask(confirm(again), guest(world))
    await world.facts_about(fact.subject)
    await nothing_wrong(world)


async def test_a_link_is_for_its_person(world: World) -> None:
    event = await opened(world, 5)
    await invited(world, event)
    [fact] = await stated(world, SignUpPendingV1)
    for other in (guest(world, "eve"), world.principal("olga")):
        assert (await world.refusal(confirm(fact), other)).status == 404
    looked = GetLink(hub=HUB, event=event, sign_up=UUID(fact.subject), purpose=LinkPurpose.CONFIRM)
    for _ in range(2):  # programs that check mail follow links, too
        shown = await world.ask(looked, guest(world))
        assert (shown.title, shown.sign_up.status) == ("Hamnens historia", SignUpStatus.PENDING)
    assert (await world.refusal(looked, guest(world, "eve"))).status == 404
    assert (await world.refusal(looked, "olga")).status == 404


async def test_a_guest_leaves_by_link(world: World) -> None:
    event = await opened(world, 1)
    await invited(world, event)
    [fact] = await stated(world, SignUpPendingV1)
    await world.ask(confirm(fact), guest(world))
    [ann] = await sign_up(world, event, "ann")
    leave = GiveBackPlace(hub=HUB, event=event, sign_up=UUID(fact.subject))
    for _ in range(2):
        assert (await world.ask(leave, guest(world))).status == SignUpStatus.CANCELLED
    assert (await states(world, event))["ann"] == "offered"
    # Ended sign-ups begin anew like the first.
    world.now += timedelta(hours=1)
    await invited(world, event)
    again = (await stated(world, SignUpPendingV1))[-1]
    assert (await world.ask(confirm(again), guest(world))).place == 3
    assert (await world.refusal(leave.model_copy(update={"sign_up": ann.id}), guest(world))).status == 404
    await nothing_wrong(world)


async def test_guests_come_to_public_events_that_are_open(world: World) -> None:
    hub_only = await opened(world, 5, visibility=Visibility.HUB)
    wish = SignUpGuest(hub=HUB, event=hub_only, guest=world.person("gus"))
    assert (await world.refusal(wish, None)).status == 404
    assert (await world.refusal(wish, "olga")).code == "not-open"
    event = await opened(world, 1, waits=False)
    await sign_up(world, event, "ann")
    wish = SignUpGuest(hub=HUB, event=event, guest=world.person("gus"))
    assert (await world.refusal(wish, None)).code == "event-full"
    assert (await world.refusal(wish.model_copy(update={"way": Way.ONLINE}), None)).status == 404
    await cancelled(world, event)
    assert (await world.refusal(wish, None)).code == "not-open"
    draft = await opened(world, 5, status="draft")
    assert (
        await world.refusal(SignUpGuest(hub=HUB, event=draft, guest=world.person("gus")), None)
    ).status == 404
    assert await world.facts(SignUpPendingV1) == []


async def test_the_event_changes_before_the_link_is_followed(world: World) -> None:
    event = await opened(world, 5)
    await invited(world, event)
    [fact] = await stated(world, SignUpPendingV1)
    await hidden(world, event)
    assert (await world.refusal(confirm(fact), guest(world))).code == "not-open"
    await hidden(world, event, again=True)
    await changed(world, event, visibility=Visibility.HUB)
    assert (await world.refusal(confirm(fact), guest(world))).code == "not-a-member"
    await changed(world, event, visibility=Visibility.PUBLIC)
    assert (await world.ask(confirm(fact), guest(world))).status == SignUpStatus.ATTENDING


async def test_an_organiser_invites_a_guest_once(world: World) -> None:
    event = await opened(world, 5)
    wish = SignUpGuest(hub=HUB, event=event, guest=world.person("gus"))
    first = await world.ask(wish, "olga", key="k")
    assert await world.ask(wish, "olga", key="k") == first
    [fact] = await stated(world, SignUpPendingV1)
    # The person has an account by now and signs up as a member: the link has had its use.
    [mine] = await sign_up(world, event, "gus")
    assert (mine.id, mine.guest, mine.status) == (UUID(fact.subject), False, SignUpStatus.ATTENDING)
    assert (await world.refusal(confirm(fact), guest(world))).code == "link-used"
    assert len(await world.facts(PlaceTakenV1)) == 1
    assert (await world.refusal(SignUp(hub=HUB, event=event), "gus")).code == "already-signed-up"
    await world.ask(give_back(mine), "olga")  # who runs the event may, too
    assert await states(world, event) == {"gus": "cancelled"}
    await nothing_wrong(world)
