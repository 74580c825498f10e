"""A person is erased: nothing waits for them any more, and what is heard late brings nothing of them back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shared.contracts.base import NOBODY, Fact
from shared.contracts.booking.facts import BookingCancelledV1, BookingConfirmedV1
from shared.contracts.directory.facts import MemberLeftV1, RoleChangedV1
from shared.contracts.directory.words import Role
from shared.contracts.events.facts import EventPublishedV1, PlaceTakenV1
from shared.contracts.forgetting import Deed
from shared.contracts.matching.facts import IntroductionWithdrawnV1
from shared.contracts.notify.facts import RecipientForgottenV1
from shared.contracts.notify.notices import GetUnsubscribe, Unsubscribe
from shared.contracts.notify.words import NoticeKind
from tests.notify.world import HUB, World

HELD = """
    SELECT 'member' AS kind, person FROM member UNION ALL SELECT 'booking', person FROM booking
    UNION ALL SELECT 'sign_up', person FROM sign_up UNION ALL SELECT 'notice', person FROM notice
    UNION ALL SELECT 'told', person FROM told
"""


def thing(number: int) -> UUID:
    """The id of a booking, a sign-up, an event or an introduction."""
    return UUID(int=0xABC000 + number)


async def held(world: World) -> set[tuple[str, str]]:
    """Which kinds of rows there are, and whose, by name."""
    names = {id_: name for name, id_ in world.people.items()} | {NOBODY: "nobody"}
    return {(row.kind, names[row.person]) for row in await world.rows(HELD)}


def about(world: World, kind: type[Any], number: int, name: str, **more: Any) -> Fact:
    """Something of somebody's that another service has stated."""
    made: Fact = world.fact(kind, thing(number), person=world.person(name), by=world.person(name), **more)
    return made


async def test_nothing_waits_for_them_and_nothing_heard_late_brings_them_back(world: World) -> None:
    await world.member("ann")
    await world.member("bob")
    late = [
        about(world, BookingConfirmedV1, 1, "ann"),
        about(world, PlaceTakenV1, 2, "ann", guest=False),
        world.fact(RoleChangedV1, f"{HUB}/{world.person('ann')}", person=world.person("ann"), role=Role.HOST),
    ]
    await world.hear(*late[:1], about(world, BookingConfirmedV1, 3, "bob"))
    assert {("booking", "ann"), ("member", "ann"), ("notice", "ann")} < await held(world)
    await world.hear(world.erased("ann"))
    left = await held(world)
    assert {name for _, name in left} == {"bob"}
    late += [
        about(world, BookingCancelledV1, 1, "ann"),
        world.fact(MemberLeftV1, f"{HUB}/{world.person('ann')}", person=world.person("ann")),
    ]
    await world.hear(*late)
    await world.hear(*reversed(late))
    assert await held(world) == left
    [answer] = await world.facts(RecipientForgottenV1)
    assert isinstance(answer, RecipientForgottenV1)
    assert {line.what for line in answer.told if line.deed is not Deed.KEPT} == {
        "bookings",
        "memberships",
        "notices",
    }


async def test_what_goes_on_without_them_is_told_to_the_others_only(world: World) -> None:
    await world.member("ann")
    await world.member("bob")
    ann, bob = world.person("ann"), world.person("bob")
    await world.hear(world.erased("ann"))
    event = world.fact(EventPublishedV1, thing(1), organisers=[ann, bob], by=ann)
    ended = world.fact(IntroductionWithdrawnV1, thing(2), introduction=thing(2), one=ann, other=bob)
    await world.hear(event, ended)
    [row] = await world.rows("SELECT organisers, by FROM event")
    assert (row.organisers, row.by) == ([bob], NOBODY)
    assert {name for _, name in await held(world)} == {"bob"}


async def test_a_link_that_outlived_its_person_brings_nothing_of_them_back(world: World) -> None:
    kinds = (NoticeKind.PROGRAMME,)
    assert (await world.ask(Unsubscribe(hub=HUB, kinds=kinds), "ann")).done
    await world.hear(world.erased("ann"))
    for request in (GetUnsubscribe(hub=HUB, kinds=kinds), Unsubscribe(hub=HUB, kinds=kinds)):
        assert (await world.refusal(request, "ann")).code == "link-invalid"
    chosen = "SELECT person FROM choice UNION SELECT person FROM habit"
    assert await world.rows(chosen) == []
    assert (await world.ask(Unsubscribe(hub=HUB, kinds=kinds), "bob")).done
