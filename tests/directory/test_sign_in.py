"""Signing in by mail: what is asked for, what is stated of it, and what a link does, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest_asyncio

from services.directory.duties import duties
from shared.contracts.directory.facts import SignInRequestedV1
from shared.contracts.directory.requests import EnsurePerson, GetMe, OpenAccount, RegisterGuest
from shared.contracts.directory.sessions import GetSignIn, RedeemSignIn, RequestSignIn
from shared.contracts.directory.words import Role
from shared.kit.principal import Principal
from shared.kit.timers import Timers
from tests.directory.world import HUB, LIMITS, Refused, World

EMAIL = "nora@people.example"


@pytest_asyncio.fixture
async def world(world: World) -> World:
    """The hub's directory, with a key to sign tokens with."""
    await world.with_a_key()
    return world


async def asked(
    world: World, email: str = EMAIL, *, client: str = "192.0.2.7", hub: str | None = None
) -> None:
    """Somebody asks for a link, and the wish is looked at."""
    await world.ask(RequestSignIn(email=email, client=client, hub=hub))
    timers = Timers(world.database, duties(world.mint, timedelta(days=30)), world.clock)
    while await timers.handle_one():
        pass


async def nora(world: World, hub: str = HUB) -> UUID:
    wanted = EnsurePerson(hub=hub, name="Nora Nyvik", role=Role.MEMBER, email=EMAIL)
    return (await world.ask(wanted)).id


async def link(world: World, **more: str) -> tuple[RedeemSignIn, Principal]:
    """What a link that was asked for does, and as whom."""
    await asked(world, **more)
    fact = (await world.facts(SignInRequestedV1))[-1]
    assert isinstance(fact, SignInRequestedV1)
    return RedeemSignIn(hub=fact.hub, sign_in=fact.sign_in), Principal(fact.person, fact.hub)


async def test_who_asks_is_stated_with_an_id_and_nothing_that_opens_anything(world: World) -> None:
    person = await nora(world)
    await asked(world, " NORA@people.example ".strip())
    (fact,) = await world.facts(SignInRequestedV1)
    assert isinstance(fact, SignInRequestedV1)
    assert (fact.person, fact.hub, fact.until) == (person, HUB, world.now + timedelta(minutes=15))
    assert EMAIL not in fact.model_dump_json()
    assert [tuple(row) for row in await world.rows("SELECT email FROM sign_in_wish")] == []


async def test_an_unknown_address_hears_the_same_and_nothing_is_stated(world: World) -> None:
    await nora(world)
    known = await world.answer(RequestSignIn(email=EMAIL, client="192.0.2.7"))
    unknown = await world.answer(RequestSignIn(email="nobody@people.example", client="192.0.2.7"))
    assert known == unknown
    # Both have been noted alike; what comes of it is decided after the answer.
    assert len(await world.rows("SELECT id FROM sign_in_wish")) == 2
    assert await world.facts(SignInRequestedV1) == []
    await asked(world, "nobody.else@people.example")
    assert len(await world.facts(SignInRequestedV1)) == 1


async def test_the_mail_comes_in_the_name_of_the_hub_one_is_at_or_else_of_ones_own(world: World) -> None:
    await world.hub("aaa-another")
    await nora(world)
    for hub, expected in ((None, HUB), ("aaa-another", "aaa-another"), ("nowhere", HUB)):
        await asked(world, hub=hub)
        assert (await world.facts(SignInRequestedV1))[-1].hub == expected


async def test_links_are_limited_for_each_address_and_for_each_place(world: World) -> None:
    for _ in range(LIMITS.per_address):
        await asked(world)
    for email in (EMAIL, EMAIL.upper()):
        refused = await world.refusal(RequestSignIn(email=email, client="198.51.100.1"))
        assert (refused.status, refused.code) == (429, "too-many-requests")
        assert 0 < refused.problem["retry_after"] <= 901
    for number in range(LIMITS.per_client - LIMITS.per_address):
        await asked(world, f"one{number}@people.example")
    assert (await world.refusal(RequestSignIn(email="b@people.example", client="192.0.2.7"))).status == 429
    await asked(world, "b@people.example", client="192.0.2.8")
    world.now += timedelta(minutes=15)
    await asked(world)


async def test_who_has_one_ipv6_address_has_them_all(world: World) -> None:
    for number in range(LIMITS.per_client):
        await asked(world, f"n{number}@people.example", client=f"2001:db8:1:2::{number + 1:x}")
    refused = await world.refusal(RequestSignIn(email="z@people.example", client="2001:db8:1:2:ffff::1"))
    assert refused.status == 429
    await asked(world, "z@people.example", client="2001:db8:1:3::1")


async def test_a_link_signs_in_once(world: World) -> None:
    await nora(world)
    redeem, who = await link(world)
    assert not (await world.ask(GetSignIn(hub=HUB, sign_in=redeem.sign_in), who)).used
    grant = await world.ask(redeem, who)
    assert grant.person == who.person
    assert (await world.refusal(redeem, who)).code == "link-used"
    assert (await world.ask(GetSignIn(hub=HUB, sign_in=redeem.sign_in), who)).used


async def test_two_who_follow_the_same_link_at_once_get_one_session(world: World) -> None:
    await nora(world)
    redeem, who = await link(world)
    answers = await asyncio.gather(*(world.answer(redeem, who) for _ in range(4)))
    assert sum(isinstance(one, Refused) for one in answers) == 3
    assert len(await world.rows("SELECT id FROM session")) == 1


async def test_when_one_link_was_used_the_others_do_nothing(world: World) -> None:
    await nora(world)
    first, who = await link(world)
    second, _ = await link(world)
    await world.ask(second, who)
    assert (await world.refusal(first, who)).code == "link-used"


async def test_a_link_is_good_for_a_quarter_of_an_hour_and_for_its_person(world: World) -> None:
    await nora(world)
    redeem, who = await link(world)
    stranger = await world.person("Stranger")
    assert (await world.refusal(redeem, stranger)).code == "link-invalid"
    assert (await world.refusal(redeem)).status == 401
    world.now += timedelta(minutes=15)
    assert (await world.refusal(redeem, who)).code == "link-invalid"


async def test_a_guest_who_opens_the_mail_has_an_account_from_then_on(world: World) -> None:
    guest = RegisterGuest(hub=HUB, name="Gun Guest", email="gun@people.example")
    person = (await world.ask(guest)).id
    redeem, who = await link(world, email="gun@people.example")
    assert who.person == person
    assert (await world.ask(GetMe(), who)).guest, "asking proves nothing"
    await world.ask(redeem, who)
    assert not (await world.ask(GetMe(), who)).guest
    # Whoever only says that name and address is somebody else from now on.
    assert (await world.ask(guest)).id != person


async def test_what_is_over_is_forgotten(world: World) -> None:
    await nora(world)
    redeem, who = await link(world)
    await world.ask(redeem, who)
    world.now += timedelta(days=200)
    timers = Timers(world.database, duties(world.mint, timedelta(days=30)), world.clock)
    async with world.database.transaction() as session:
        await duties(world.mint, timedelta(days=30))["forget"](session, "", world.now)
    for table in ("sign_in", "sign_in_count", "session", "refresh_token"):
        assert await world.rows(f"SELECT 1 FROM {table}") == [], table  # names of ours
    assert not await timers.handle_one()


async def test_an_account_is_opened_for_an_address_and_is_the_same_for_it_ever_after(world: World) -> None:
    wanted = OpenAccount(hub=HUB, name="Anna Ek", email="anna@people.example", role=Role.MEMBER)
    anna = await world.ask(wanted)
    namesake = await world.ask(wanted.model_copy(update={"email": "other.anna@people.example"}))
    again = await world.ask(
        wanted.model_copy(update={"email": "ANNA@people.example", "name": "A. Ek", "role": Role.ADMIN})
    )
    assert namesake.id != anna.id
    assert (again.id, again.name, again.memberships[0].role) == (anna.id, "Anna Ek", Role.ADMIN)
