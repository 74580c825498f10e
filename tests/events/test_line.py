"""The waiting line: who attends and who waits, offers with a deadline, capacity up and down, cancelled and hidden events."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.events.rules.refusals import CapacityBelow
from shared.contracts.events.facts import (
    OfferDeclinedV1,
    OfferLapsedV1,
    PlaceAwaitedV1,
    PlaceGivenBackV1,
    PlaceOfferedV1,
    PlaceTakenV1,
)
from shared.contracts.events.requests import ChangeEvent
from shared.contracts.events.sign_ups import GetSignUp, ListSignUps, SignUp
from shared.contracts.events.words import SignUpStatus, Visibility, Way
from tests.events.lines import (
    accept,
    cancelled,
    changed,
    decline,
    give_back,
    hidden,
    nothing_wrong,
    opened,
    resized,
    sign_up,
    stated,
    states,
)
from tests.events.world import HUB, World


async def test_places_go_in_the_order_of_signing_up(world: World) -> None:
    event = await opened(world, 2)
    ann, ben, cal, dan = await sign_up(world, event, "ann", "ben", "cal", "dan")
    assert [(one.status, one.place, one.waiting_place) for one in (ann, ben, cal, dan)] == [
        (SignUpStatus.ATTENDING, 1, None),
        (SignUpStatus.ATTENDING, 2, None),
        (SignUpStatus.WAITING, 3, 1),
        (SignUpStatus.WAITING, 4, 2),
    ]
    assert ann.code is not None
    assert (ann.code[5], len(ann.code), cal.code) == ("-", 11, None)
    facts = [fact for fact in await world.facts() if isinstance(fact, (PlaceTakenV1, PlaceAwaitedV1))]
    assert [(type(fact), fact.number, fact.subject_version) for fact in facts] == [
        (PlaceTakenV1, 1, 1),
        (PlaceTakenV1, 2, 1),
        (PlaceAwaitedV1, 3, 1),
        (PlaceAwaitedV1, 4, 1),
    ]
    await nothing_wrong(world)


async def test_a_freed_place_is_offered_to_the_first_in_line(world: World) -> None:
    event = await opened(world, 1)
    ann, ben, _ = await sign_up(world, event, "ann", "ben", "cal")
    gone = await world.ask(give_back(ann), "ann")
    assert (gone.status, gone.code) == (SignUpStatus.CANCELLED, None)
    assert await states(world, event) == {"ann": "cancelled", "ben": "offered", "cal": "waiting"}
    [offer] = await stated(world, PlaceOfferedV1)
    # A quarter of eight days is more than the day an offer lasts at most.
    assert (offer.subject, offer.subject_version, offer.until) == (
        str(ben.id),
        2,
        world.now + timedelta(days=1),
    )
    mine = await world.ask(GetSignUp(hub=HUB, event=event, sign_up=ben.id), "ben")
    assert (mine.offer_until, mine.code) == (offer.until, None)
    # Who comes now stands behind cal, though nobody sits on the place yet.
    [dan] = await sign_up(world, event, "dan")
    assert (dan.place, dan.waiting_place) == (4, 2)
    for _ in range(2):  # accepting twice changes nothing
        taken = await world.ask(accept(ben), "ben")
        assert (taken.status, taken.place, taken.version) == (SignUpStatus.ATTENDING, 2, 3)
        assert taken.code is not None
    assert (await world.ask(give_back(ann), "ann")).version == gone.version  # twice changes nothing
    assert len(await world.facts(PlaceGivenBackV1)) == 1
    await nothing_wrong(world)


async def test_an_offer_that_is_declined_goes_to_the_next(world: World) -> None:
    event = await opened(world, 1)
    ann, ben, cal = await sign_up(world, event, "ann", "ben", "cal")
    await world.ask(give_back(ann), "ann")
    for _ in range(2):
        assert (await world.ask(decline(ben), "ben")).status == SignUpStatus.DECLINED
    assert await states(world, event) == {"ann": "cancelled", "ben": "declined", "cal": "offered"}
    assert len(await world.facts(OfferDeclinedV1)) == 1
    refused = await world.refusal(accept(ben), "ben")
    assert (refused.status, refused.code) == (409, "wrong-state")
    assert (await world.refusal(accept(cal), "ann")).status == 404  # it is not hers
    await nothing_wrong(world)


async def test_an_offer_nobody_answers_lapses_and_goes_to_the_next(world: World) -> None:
    event = await opened(world, 1, starts_in=timedelta(hours=4))
    ann, ben, _ = await sign_up(world, event, "ann", "ben", "cal")
    await world.ask(give_back(ann), "ann")
    await world.let_time_pass(minutes=59)
    assert (await states(world, event))["ben"] == "offered"
    await world.let_time_pass(minutes=1)
    assert await states(world, event) == {"ann": "cancelled", "ben": "lapsed", "cal": "offered"}
    [fact] = await stated(world, OfferLapsedV1)
    assert (fact.subject, fact.subject_version, fact.by) == (str(ben.id), 3, None)
    refused = await world.refusal(accept(ben), "ben")
    assert (refused.status, refused.code) == (409, "offer-lapsed")
    # Later offers are shorter, and none reaches past the start.
    assert [offer.until - offer.occurred_at for offer in await stated(world, PlaceOfferedV1)] == [
        timedelta(hours=1),
        timedelta(minutes=45),
    ]
    await world.let_time_pass(hours=4)
    assert (await states(world, event))["cal"] == "lapsed"
    await nothing_wrong(world)


async def test_an_offer_is_accepted_a_moment_too_late(world: World) -> None:
    event = await opened(world, 1)
    ann, ben, _ = await sign_up(world, event, "ann", "ben", "cal")
    await world.ask(give_back(ann), "ann")
    world.now += timedelta(days=1)  # its timer has not come round yet
    assert (await world.refusal(accept(ben), "ben")).code == "offer-lapsed"
    await world.let_time_pass(seconds=1)
    assert await states(world, event) == {"ann": "cancelled", "ben": "lapsed", "cal": "offered"}


async def test_nothing_is_offered_once_the_event_has_begun(world: World) -> None:
    event = await opened(world, 1, starts_in=timedelta(hours=1))
    ann, _ = await sign_up(world, event, "ann", "ben")
    world.now += timedelta(hours=1)
    await world.ask(give_back(ann), "ann")
    assert await states(world, event) == {"ann": "cancelled", "ben": "waiting"}
    assert (await world.refusal(SignUp(hub=HUB, event=event), "cal")).code == "not-open"
    await nothing_wrong(world)


async def test_who_comes_back_stands_behind_everybody(world: World) -> None:
    event = await opened(world, 1)
    ann, ben = await sign_up(world, event, "ann", "ben")
    await world.ask(give_back(ann), "ann")
    [again] = await sign_up(world, event, "ann")
    assert (again.id, again.place, again.status, again.version) == (ann.id, 3, SignUpStatus.WAITING, 3)
    refused = await world.refusal(SignUp(hub=HUB, event=event), "ann")
    assert (refused.status, refused.code) == (409, "already-signed-up")
    assert (await states(world, event))["ben"] == "offered"
    await world.ask(give_back(ben), "ben")
    assert (await states(world, event))["ann"] == "offered"
    versions = [fact.subject_version for fact in await world.facts() if fact.subject == str(ann.id)]
    assert versions == [1, 2, 3, 4]
    await nothing_wrong(world)


async def test_more_places_are_offered_to_those_who_wait(world: World) -> None:
    event = await opened(world, 1)
    await sign_up(world, event, "ann", "ben", "cal", "dan")
    await resized(world, event, 3)
    assert await states(world, event) == {
        "ann": "attending",
        "ben": "offered",
        "cal": "offered",
        "dan": "waiting",
    }
    await resized(world, event, None)
    assert (await states(world, event))["dan"] == "offered"
    [eve] = await sign_up(world, event, "eve")
    assert eve.status == SignUpStatus.ATTENDING
    await nothing_wrong(world)


async def test_fewer_places_than_people_needs_a_decision(world: World) -> None:
    event = await opened(world, 3)
    ann, ben, cal, _ = await sign_up(world, event, "ann", "ben", "cal", "dan")
    await world.ask(give_back(ben), "ben")  # dan is offered it
    with pytest.raises(CapacityBelow) as refused:
        await resized(world, event, 1)
    assert refused.value.extra["must_lose"] == 2
    proposal = refused.value.extra["would_lose"]
    assert [(one["status"], one["place"]) for one in proposal] == [("offered", 4), ("attending", 3)]
    for wrong in ([cal.id], [ann.id, ben.id], [ann.id, cal.id, UUID(proposal[0]["sign_up"])]):
        with pytest.raises(CapacityBelow):
            await resized(world, event, 1, losing=wrong)
    await resized(world, event, 1, losing=[ann.id, UUID(proposal[0]["sign_up"])])
    assert await states(world, event) == {
        "ann": "waiting", "ben": "cancelled", "cal": "attending", "dan": "waiting"
    }  # fmt: skip
    # They have kept their numbers, so they are the first in line, and ann her code.
    await resized(world, event, 2)
    assert (await states(world, event))["ann"] == "offered"
    assert (await world.ask(accept(ann), "ann")).code == ann.code
    await nothing_wrong(world)


async def test_the_organiser_is_told_who_would_lose_a_place_and_decides(world: World) -> None:
    event = await world.event(by="olga", capacity=2)
    _, ben = await sign_up(world, event.id, "ann", "ben")
    smaller = ChangeEvent(hub=HUB, event=event.id, version=event.version, capacity=1)
    refused = await world.refusal(smaller, "olga")
    assert (refused.status, refused.code, refused.problem["must_lose"]) == (409, "capacity-below-sign-ups", 1)
    [loser] = refused.problem["would_lose"]
    assert loser == {
        "sign_up": str(ben.id), "person": str(world.person("ben")), "place": 2, "status": "attending"
    }  # fmt: skip
    assert await states(world, event.id) == {"ann": "attending", "ben": "attending"}
    decided = smaller.model_copy(update={"losing": (UUID(loser["sign_up"]),)})
    [room] = (await world.ask(decided, "olga")).places
    assert (room.capacity, room.taken, room.free, room.waiting) == (1, 1, 0, 1)
    [awaited] = await stated(world, PlaceAwaitedV1)
    assert (awaited.person, awaited.by, awaited.number) == (world.person("ben"), world.person("olga"), 2)
    await nothing_wrong(world)


async def test_an_event_without_a_line_is_full(world: World) -> None:
    event = await opened(world, 1, waits=False)
    await sign_up(world, event, "ann")
    refused = await world.refusal(SignUp(hub=HUB, event=event), "ben")
    assert (refused.status, refused.code) == (409, "event-full")
    nothing = await opened(world, 0)
    assert [one.status for one in await sign_up(world, nothing, "ann")] == [SignUpStatus.WAITING]
    await nothing_wrong(world)


async def test_room_and_online_have_a_line_each(world: World) -> None:
    event = await opened(world, 1, online=1)
    [ann, ben] = await sign_up(world, event, "ann", "ben")  # who does not say comes to the room
    assert (ann.way, ben.way, ben.status) == (Way.ROOM, Way.ROOM, SignUpStatus.WAITING)
    [cal] = await sign_up(world, event, "cal", way=Way.ONLINE)
    assert (cal.status, cal.place) == (SignUpStatus.ATTENDING, 1)
    assert (
        await world.refusal(SignUp(hub=HUB, event=event, way=Way.ONLINE), "ben")
    ).code == "already-signed-up"
    await world.ask(give_back(ben), "ben")
    [ben] = await sign_up(world, event, "ben", way=Way.ONLINE)
    assert (ben.way, ben.place, ben.status) == (Way.ONLINE, 2, SignUpStatus.WAITING)
    await world.ask(give_back(cal), "cal")
    assert (await states(world, event))["ben"] == "offered"
    only_online = await opened(world, 5)
    assert (await world.refusal(SignUp(hub=HUB, event=only_online, way=Way.ONLINE), "ann")).status == 404
    await nothing_wrong(world)


async def test_a_cancelled_event_leaves_sign_ups_as_they_were(world: World) -> None:
    event = await opened(world, 1)
    ann, ben, _ = await sign_up(world, event, "ann", "ben", "cal")
    await world.ask(give_back(ann), "ann")
    before = await states(world, event)
    await cancelled(world, event)
    await world.let_time_pass(days=3)
    assert await states(world, event) == before
    for wrong in (accept(ben), SignUp(hub=HUB, event=event)):
        assert (await world.refusal(wrong, "ben" if wrong is not None else "dan")).status == 409
    await nothing_wrong(world)


async def test_a_hidden_event_is_not_there_for_others_and_its_line_goes_on_afterwards(world: World) -> None:
    event = await opened(world, 1)
    ann, _ = await sign_up(world, event, "ann", "ben")
    await hidden(world, event)
    assert (await world.refusal(SignUp(hub=HUB, event=event), "cal")).status == 404
    assert (await world.refusal(SignUp(hub=HUB, event=event), "olga")).code == "not-open"
    await world.ask(give_back(ann), "ann")
    assert (await states(world, event))["ben"] == "waiting"
    await hidden(world, event, again=True)
    # The duty that offers the place has not come round yet, and nobody overtakes ben meanwhile.
    assert [one.status for one in await sign_up(world, event, "dan")] == [SignUpStatus.WAITING]
    await world.let_time_pass(seconds=1)
    assert await states(world, event) == {"ann": "cancelled", "ben": "offered", "dan": "waiting"}
    await nothing_wrong(world)


async def test_a_later_start_opens_the_line_again(world: World) -> None:
    event = await opened(world, 1, starts_in=timedelta(hours=1))
    ann, _ = await sign_up(world, event, "ann", "ben")
    world.now += timedelta(hours=1)
    await world.ask(give_back(ann), "ann")
    later = world.now + timedelta(days=2)
    await changed(world, event, starts_at=later, ends_at=later + timedelta(hours=1))
    await world.let_time_pass(seconds=1)
    assert (await states(world, event))["ben"] == "offered"
    await nothing_wrong(world)


async def test_events_for_the_hub_are_for_its_people(world: World) -> None:
    event = await opened(world, visibility=Visibility.HUB)
    stranger = world.principal("eve", None)
    assert (await world.refusal(SignUp(hub=HUB, event=event), stranger)).status == 404
    own = await opened(world, visibility=Visibility.HUB, by="eve")
    refused = await world.refusal(SignUp(hub=HUB, event=own), stranger)
    assert (refused.status, refused.code) == (403, "not-a-member"), "who runs it knows of it"
    other_hub = world.principal("eve", hub="lindeby")
    assert (await world.refusal(SignUp(hub="lindeby", event=event), other_hub)).status == 404
    assert (await world.refusal(SignUp(hub=HUB, event=world.ids()), "ann")).status == 404
    draft = await opened(world, status="draft")
    assert (await world.refusal(SignUp(hub=HUB, event=draft), "ann")).status == 404
    assert (await world.refusal(SignUp(hub=HUB, event=draft), "olga")).code == "not-open"


async def test_the_database_itself_refuses_one_person_too_many(world: World) -> None:
    event = await opened(world, 1)
    await sign_up(world, event, "ann", "ben")
    sabotage = "UPDATE sign_up SET status = 'attending', code = 'X' WHERE status = 'waiting'"
    with pytest.raises(IntegrityError, match="places_not_overfull"):
        async with world.database.transaction() as session:
            await session.execute(text(sabotage))
    await nothing_wrong(world)


async def test_the_list_is_for_those_who_run_the_event(world: World) -> None:
    event = await opened(world, 2, online=1)
    await sign_up(world, event, "ann", "ben", "cal")
    await sign_up(world, event, "dan", way=Way.ONLINE)
    page = await world.ask(ListSignUps(hub=HUB, event=event, limit=3), "olga")
    assert [(one.way, one.place, one.waiting_place, one.code) for one in page.items] == [
        (Way.ROOM, 1, None, None),
        (Way.ROOM, 2, None, None),
        (Way.ROOM, 3, 1, None),
    ]
    rest = await world.ask(ListSignUps(hub=HUB, event=event, limit=3, cursor=page.cursor), "olga")
    assert [(one.way, one.place) for one in rest.items] == [(Way.ONLINE, 1)]
    assert rest.cursor is None
    waiting = ListSignUps(hub=HUB, event=event, status=(SignUpStatus.WAITING,))
    assert [one.person for one in (await world.ask(waiting, "olga")).items] == [world.person("cal")]
    assert (await world.refusal(ListSignUps(hub=HUB, event=event), "ann")).status == 403
    for cursor in ("x", "room_1", "room_1_x", f"room_99999999999_{event}"):
        assert (await world.refusal(ListSignUps(hub=HUB, event=event, cursor=cursor), "olga")).status == 422
    draft = await opened(world, status="draft")
    assert (await world.refusal(ListSignUps(hub=HUB, event=draft), "ann")).status == 404
