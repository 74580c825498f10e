"""Signing in with a provider: who somebody is by its word, and what that word can and cannot change in a hub."""

from __future__ import annotations

import asyncio
from itertools import product
from uuid import UUID

import pytest_asyncio

from shared.contracts.directory.facts import RoleChangedV1, SignInRequestedV1
from shared.contracts.directory.identities import ExchangeIdentity, GivenRole, MakeNonce
from shared.contracts.directory.requests import (
    AddMember,
    ChangeRole,
    EnsurePerson,
    GetAccess,
    GetMe,
    LeaveHub,
    RegisterGuest,
)
from shared.contracts.directory.sessions import RedeemSignIn, RequestSignIn
from shared.contracts.directory.words import OPERATORS, STAFF, Role
from shared.kit.principal import Principal
from tests.directory.world import HUB, World

ISSUER = "https://id.city.example"


@pytest_asyncio.fixture
async def world(world: World) -> World:
    """The hub's directory, with a key to sign tokens with."""
    await world.with_a_key()
    return world


async def comes(
    world: World, *roles: Role, subject: str = "1", email: str | None = None, hub: str = HUB
) -> UUID:
    """Somebody signs in with the provider, which gives them these roles; who they are here."""
    nonce = (await world.ask(MakeNonce(issuer=ISSUER))).nonce
    request = ExchangeIdentity(
        provider="city",
        issuer=ISSUER,
        subject=subject,
        nonce=nonce,
        name="Cilla City",
        email=email,
        roles=tuple(GivenRole(hub=hub, role=role) for role in roles),
    )
    return (await world.ask(request)).person


async def role_of(world: World, person: UUID, hub: str = HUB) -> Role | None:
    return (await world.ask(GetAccess(hub=hub, person=person))).role


async def test_a_providers_word_never_takes_a_right(world: World) -> None:
    given = [role for role in Role if role is not Role.ADMIN]
    for number, (before, role) in enumerate(product(Role, given)):
        email = f"one{number}@people.example"
        await world.ask(EnsurePerson(hub=HUB, name=f"One {number}", role=before, email=email))
        person = await comes(world, role, subject=f"s{number}", email=email)
        now = await role_of(world, person)
        assert now in (before, role)
        for rights in (STAFF, OPERATORS, {Role.COORDINATOR, Role.ADMIN}):
            assert before not in rights or now in rights, f"{before} who is told to be {role}"
        raised = before in (Role.VISITOR, Role.MEMBER) and role in STAFF
        assert now == role if raised else True, f"{before} who is told to be {role}"


async def test_a_provider_raises_whom_it_has_let_in_and_states_nothing_else(world: World) -> None:
    person = await comes(world, Role.MEMBER)
    for role in (Role.MEMBER, Role.HOST, Role.COORDINATOR, Role.COORDINATOR, Role.MEMBER):
        assert await comes(world, role) == person
    assert await role_of(world, person) == Role.COORDINATOR
    assert [fact.subject_version for fact in await world.facts(RoleChangedV1)] == [2, 3]


async def test_whom_the_hub_has_put_out_a_provider_does_not_let_in_again(world: World) -> None:
    admin = await world.person("Ada", Role.ADMIN)
    person = await comes(world, Role.HOST)
    await world.ask(LeaveHub(hub=HUB, person=person), admin)
    await comes(world, Role.HOST)
    assert await role_of(world, person) is None
    # Joining is open to everybody; being a host again is for the hub to decide.
    await world.ask(AddMember(hub=HUB), Principal(person))
    await comes(world, Role.HOST)
    assert await role_of(world, person) == Role.MEMBER


async def test_whom_the_hub_has_given_another_role_a_provider_leaves_that(world: World) -> None:
    admin = await world.person("Ada", Role.ADMIN)
    person = await comes(world, Role.HOST)
    await world.ask(ChangeRole(hub=HUB, person=person, role=Role.MEMBER), admin)
    await comes(world, Role.HOST)
    assert await role_of(world, person) == Role.MEMBER


async def test_a_rule_about_a_hub_that_is_not_here_shuts_nobody_out(world: World) -> None:
    for _ in ("new", "known"):
        person = await comes(world, Role.HOST, hub="elsewhere")
        assert (await world.ask(GetMe(), Principal(person))).memberships == ()


async def test_a_guest_who_comes_by_mail_and_by_a_provider_at_once_gets_one_account(world: World) -> None:
    """Both wait for the address first and for the person then: neither is sent away because the other was quicker."""
    email = "gun@people.example"
    for number in range(4):
        guest = (await world.ask(RegisterGuest(hub=HUB, name=f"Gun {number}", email=f"{number}{email}"))).id
        await world.ask(RequestSignIn(email=f"{number}{email}", client=f"192.0.2.{number}"))
        await world.let_time_pass(seconds=0)
        fact = (await world.facts(SignInRequestedV1))[-1]
        assert isinstance(fact, SignInRequestedV1)
        redeem = RedeemSignIn(hub=fact.hub, sign_in=fact.sign_in)
        by_mail, by_provider = await asyncio.gather(
            world.ask(redeem, Principal(fact.person, fact.hub)),
            comes(world, Role.HOST, subject=f"g{number}", email=f"{number}{email}"),
        )
        assert by_mail.person == by_provider == guest
