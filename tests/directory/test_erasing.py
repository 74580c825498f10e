"""Being erased: asked twice, done at once, answered by every service, said aloud when one does not answer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from shared.contracts.base import EVERYWHERE
from shared.contracts.directory.erasure import (
    EraseAgain,
    EraseMe,
    ErasePerson,
    GetReceipt,
    ListErased,
    ListOpenErasures,
    Receipt,
)
from shared.contracts.directory.facts import MemberJoinedV1, MemberLeftV1, PersonErasedV1
from shared.contracts.directory.requests import AddMember, GetMe, NamePeople, RegisterGuest
from shared.contracts.directory.words import Role
from shared.contracts.forgetting import Deed, PersonForgotten, Told
from shared.contracts.streams import FORGETS
from shared.kit.principal import Principal
from tests.directory.world import HUB, Refused, World

BOOKINGS = Told(what="bookings", deed=Deed.ANONYMISED, count=2)
NOTICES = Told(what="notices", deed=Deed.ERASED, count=1)


async def erased(world: World, ann: Principal) -> str:
    """Ann asks, and confirms; the number."""
    step = await world.ask(EraseMe(), ann)
    assert not step.confirmed
    await world.ask(EraseMe(confirmation=step.number), ann)
    return step.number


def answer(world: World, service: str, person: UUID, *told: Told, version: int = 1) -> PersonForgotten:
    """A service says that it has forgotten somebody."""
    return FORGETS[service](
        id=world.ids(),
        hub=EVERYWHERE,
        occurred_at=world.now,
        subject=str(person),
        subject_version=version,
        person=person,
        **{deed: {one.what: one.count for one in told if one.deed is deed} for deed in Deed},
    )


async def receipt(world: World, number: str) -> Receipt:
    """What whoever has the number is told."""
    return await world.ask(GetReceipt(number=number), None)


async def test_asked_once_nothing_is_erased_and_the_number_is_good_for_a_quarter(world: World) -> None:
    ann = await world.person("Ann")
    number = (await world.ask(EraseMe(), ann)).number
    assert (await world.ask(GetMe(), ann)).name == "Ann"
    assert (await world.refusal(GetReceipt(number=number))).code == "no-such-receipt"
    world.now += timedelta(minutes=16)
    assert (await world.refusal(EraseMe(confirmation=number), ann)).code == "confirmation-lapsed"
    assert (await world.ask(GetMe(), ann)).memberships
    assert len(await world.facts(MemberJoinedV1)) == 1, "nor did they leave"
    assert not await world.facts(MemberLeftV1, PersonErasedV1)


async def test_they_leave_every_hub_and_then_are_nobody(world: World) -> None:
    await world.hub("sydviken")
    ann = await world.person("Ann", Role.HOST)
    await world.ask(AddMember(hub="sydviken"), Principal(ann.person, "sydviken"))
    number = await erased(world, ann)
    assert (await world.ask(EraseMe(confirmation=number), ann)).confirmed, "again it is the same"
    left = await world.facts(MemberLeftV1)
    assert {one.hub for one in left} == {HUB, "sydviken"}
    [stated] = await world.facts(PersonErasedV1)
    assert (await world.facts())[-1] == stated
    assert (stated.hub, stated.subject) == (EVERYWHERE, str(ann.person))
    assert set(stated.model_dump()) == {"id", "hub", "occurred_at", "subject", "subject_version", "person"}
    assert (await world.refusal(GetMe(), ann)).status == 404
    assert (await world.refusal(EraseMe(), ann)).status == 404
    assert (await world.refusal(AddMember(hub=HUB), ann)).status == 404
    named = await world.ask(NamePeople(hub=HUB, people=(ann.person,)), ann)
    assert named.items == ()
    assert await world.rows("SELECT 1 FROM membership WHERE person = :ann", ann=ann.person) == []


async def test_what_staff_were_answered_about_them_under_a_key_goes_too(world: World) -> None:
    asked = RegisterGuest(hub=HUB, name="Gus Guest", email="gus@guests.example")
    guest = await world.ask(asked, await world.person("Hal", Role.HOST), key="once")
    assert len(await world.rows("SELECT 1 FROM idempotency_key WHERE answer LIKE '%gus@%'")) == 1
    step = await world.ask(ErasePerson(person=guest.id))
    assert step.confirmed
    assert await world.rows("SELECT 1 FROM idempotency_key") == []
    assert (await world.refusal(ErasePerson(person=guest.id))).status == 404
    again = await world.ask(asked, await world.person("Hal", Role.HOST), key="once")
    assert again.id != guest.id, "whoever comes again is somebody new"


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
async def test_the_receipt_is_complete_when_all_have_answered_in_any_order_and_twice(
    world: World, order: Sequence[int]
) -> None:
    ann = await world.person("Ann")
    number = await erased(world, ann)
    services = list(FORGETS)
    answers = [answer(world, service, ann.person, BOOKINGS) for service in services]
    for nth, place in enumerate(order):
        before = await receipt(world, number)
        assert not before.complete
        assert sum(one.answered_at is None for one in before.services) == len(services) - nth
        await world.hear(answers[place], answers[place])
    assert (await receipt(world, number)).complete
    swept = answer(world, services[0], ann.person, BOOKINGS, NOTICES, version=2)
    await world.hear(swept, answers[0], swept)
    told = {one.service: one.told for one in (await receipt(world, number)).services}
    assert told[services[0]] == (BOOKINGS.model_copy(update={"count": 4}), NOTICES)
    assert told[services[1]] == (BOOKINGS,)
    assert [line.what for line in told["directory"]] == ["memberships", "person", "id", "facts"]


async def test_a_service_that_does_not_answer_is_asked_again_and_said_aloud(world: World) -> None:
    ann = await world.person("Ann")
    await erased(world, ann)
    for service in ("booking", "events", "matching"):
        await world.hear(answer(world, service, ann.person))
    [waiting] = (await world.ask(ListOpenErasures())).items
    assert (waiting.person, waiting.waiting_for) == (ann.person, ("notify",))
    before = overdue("notify")
    await world.let_time_pass(minutes=25)
    assert overdue("notify") == before + 2
    stated = await world.facts(PersonErasedV1)
    assert [one.subject_version for one in stated] == [1, 2, 3]
    assert len({one.id for one in stated}) == 3
    await world.hear(answer(world, "notify", ann.person))
    await world.let_time_pass(minutes=25)
    assert overdue("notify") == before + 2
    assert (await world.ask(ListOpenErasures())).items == ()


async def test_a_receipt_is_kept_longer_than_backups_and_then_goes(world: World) -> None:
    number = await erased(world, ann := await world.person("Ann"))
    await world.hear(*(answer(world, service, ann.person) for service in FORGETS))
    await world.stands()
    await world.sleep(days=399)
    assert (await receipt(world, number)).complete
    await world.let_time_pass(days=3)
    assert (await world.refusal(GetReceipt(number=number))).code == "no-such-receipt"
    await world.hear(answer(world, "booking", ann.person, version=2))
    assert await world.rows("SELECT 1 FROM erasure_answer") == []


def overdue(service: str) -> float:
    """How often a service was found not to have answered."""
    return REGISTRY.get_sample_value("foci_erasures_overdue_total", {"asked": service}) or 0.0


async def test_no_hub_is_called_what_stands_for_all_of_them(world: World) -> None:
    with pytest.raises(Refused, match="stands for all hubs"):
        await world.hub(EVERYWHERE)


async def test_whom_a_backup_brings_back_is_erased_again_and_the_receipt_is_good(world: World) -> None:
    ann = await world.person("Ann", Role.HOST)
    number = await erased(world, ann)
    before = await world.ask(ListErased())
    [noted] = before.items
    assert (noted.person, noted.erased_at) == (ann.person, world.now)
    assert (await world.ask(ListErased(since=noted.erased_at))).items == (noted,)
    assert (await world.ask(ListErased(since=noted.erased_at, after=noted.person))).items == ()
    # The backup is from before she was erased, and nothing in the stream tells of it.
    await world.goes_back("DELETE FROM erasure", "DELETE FROM timer")
    back = await world.person("Ann", Role.HOST)
    world.now += timedelta(hours=2)
    unknown = noted.model_copy(update={"person": world.ids(), "receipt": "0" * 64})
    again = noted.model_copy(update={"person": back.person})
    assert (await world.ask(EraseAgain(people=(again, unknown)))).here == 1
    assert (await world.refusal(GetMe(), back)).status == 404
    stated = [fact.subject for fact in await world.facts(PersonErasedV1)]
    assert sorted(stated) == sorted([str(back.person), str(unknown.person)]), "others may know them"
    assert (await receipt(world, number)).erased_at == noted.erased_at
    assert (await world.ask(EraseAgain(people=(again, unknown)))).here == 0
    assert len(await world.facts(PersonErasedV1)) == 2, "once is enough"
