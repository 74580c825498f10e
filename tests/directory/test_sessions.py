"""Sessions: tokens that replace each other, copies that end everything, keys that change while people are signed in."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
import pytest_asyncio
from cryptography.exceptions import InvalidTag
from pydantic import ValidationError

from services.directory.commands import sessions, token_keys
from services.directory.duties import duties
from services.directory.duties.sign_in import KEYS
from services.directory.queries import sessions as queries
from services.directory.rules.sign_in import IDLE, SESSION_LIFETIME
from services.directory.rules.tokens import PUBLISHED_BEFORE, STILL_CHECKED
from services.directory.settings import Settings
from shared.contracts.directory.sessions import (
    EndMySession,
    EndMySessions,
    GetTokenKeys,
    Grant,
    ListMySessions,
    RefreshSession,
    RotateTokenKeys,
    SignOut,
    TokenKeys,
)
from shared.kit.principal import Principal
from tests.directory.world import World

GIVEN: dict[str, Any] = {
    "cell": "local",
    "nats_url": "nats://127.0.0.1",
    "database_url": "postgresql+asyncpg://127.0.0.1/directory",
    "assertion_public_key": "a key",
}


async def begun(world: World, who: Principal) -> Grant:
    """Somebody has signed in."""
    async with world.database.transaction() as session:
        return await sessions.start(
            session, who.person, via="link", agent="A browser", now=world.now, mint=world.mint
        )


async def refreshed(world: World, token: str | None) -> Grant:
    """The next tokens; raises Refused."""
    assert token is not None
    return await world.ask(RefreshSession(token=token, agent="A browser"))


async def is_over(world: World, token: str | None) -> bool:
    assert token is not None
    return (await world.refusal(RefreshSession(token=token))).code == "session-over"


@pytest_asyncio.fixture
async def nora(world: World) -> Principal:
    await world.with_a_key()
    return await world.person("Nora")


async def test_each_refresh_token_is_replaced_by_the_next(world: World, nora: Principal) -> None:
    grant = await begun(world, nora)
    seen = {grant.refresh_token}
    for _ in range(3):
        world.now += timedelta(minutes=6)
        grant = await refreshed(world, grant.refresh_token)
        assert grant.refresh_token not in seen
        seen.add(grant.refresh_token)
    claims = jwt.decode(grant.access_token, options={"verify_signature": False})
    assert claims == {
        "iss": "foci:local",
        "aud": "foci",
        "sub": str(nora.person),
        "sid": str(grant.session),
        "iat": int(world.now.timestamp()),
        "exp": int(world.now.timestamp()) + 300,
    }


async def test_no_token_is_kept_only_its_hash(world: World, nora: Principal) -> None:
    grant = await begun(world, nora)
    rows = await world.rows("SELECT hash FROM refresh_token")
    assert [len(row.hash) for row in rows] == [32]
    dump = str(await world.rows("SELECT r.*, s.* FROM refresh_token r JOIN session s ON s.id = r.session"))
    assert grant.refresh_token
    assert grant.refresh_token not in dump
    assert grant.refresh_token.removeprefix("foci_rt_") not in dump


async def test_a_replaced_token_that_comes_again_ends_the_whole_family(world: World, nora: Principal) -> None:
    first = await begun(world, nora)
    other = await begun(world, nora)
    second = await refreshed(world, first.refresh_token)
    world.now += timedelta(seconds=11)
    third = await refreshed(world, second.refresh_token)
    assert await is_over(world, first.refresh_token), "a copy"
    for token in (first.refresh_token, second.refresh_token, third.refresh_token):
        assert await is_over(world, token)
    assert (await world.rows("SELECT ended_because FROM session WHERE ended_at IS NOT NULL"))[0][
        0
    ] == "replayed"
    await refreshed(world, other.refresh_token)


async def test_a_copy_used_first_is_found_out_when_its_owner_comes(world: World, nora: Principal) -> None:
    stolen = await begun(world, nora)
    thief = await refreshed(world, stolen.refresh_token)
    world.now += timedelta(minutes=5)
    assert await is_over(world, stolen.refresh_token)
    assert await is_over(world, thief.refresh_token)


async def test_a_repeat_within_seconds_hears_the_same(world: World, nora: Principal) -> None:
    """Two tabs at once, or an answer that got lost on its way."""
    grant = await begun(world, nora)
    answers = await asyncio.gather(*(refreshed(world, grant.refresh_token) for _ in range(4)))
    assert len({one.refresh_token for one in answers}) == 1
    world.now += timedelta(seconds=9)
    assert (await refreshed(world, grant.refresh_token)).refresh_token == answers[0].refresh_token
    await refreshed(world, answers[0].refresh_token)
    assert await is_over(world, grant.refresh_token), "not when the next one has been replaced, too"


async def test_a_session_ends_without_visits_and_at_the_latest_after_its_time(
    world: World, nora: Principal
) -> None:
    idle = await begun(world, nora)
    assert idle.ends_at == world.now + IDLE
    started = world.now
    busy = await begun(world, nora)
    while world.now + timedelta(days=20) < started + SESSION_LIFETIME:
        world.now += timedelta(days=20)
        busy = await refreshed(world, busy.refresh_token)
    assert busy.ends_at == started + SESSION_LIFETIME
    assert await is_over(world, idle.refresh_token)
    world.now = started + SESSION_LIFETIME
    assert await is_over(world, busy.refresh_token)


async def test_signing_out_ends_one_session_or_all(world: World, nora: Principal) -> None:
    grants = [await begun(world, nora) for _ in range(4)]
    stranger = await begun(world, await world.person("Stranger"))
    assert (await world.ask(SignOut(token=str(grants[0].refresh_token)))).sessions == 1
    assert (await world.ask(SignOut(token=str(grants[0].refresh_token)))).sessions == 0
    assert (await world.ask(SignOut(token="foci_rt_" + "x" * 43))).sessions == 0
    await world.ask(EndMySession(session=grants[1].session), nora)
    await world.ask(EndMySession(session=grants[1].session), nora)
    left = (await world.ask(ListMySessions(), nora)).items
    assert {one.id for one in left} == {grants[2].session, grants[3].session}
    assert (await world.refusal(EndMySession(session=stranger.session), nora)).status == 404
    assert (await world.ask(EndMySessions(), nora)).sessions == 2
    for grant in grants:
        assert await is_over(world, grant.refresh_token)
    await refreshed(world, stranger.refresh_token)


async def test_sessions_are_listed_in_pages_the_latest_used_first(world: World, nora: Principal) -> None:
    made: list[UUID] = []
    for _ in range(5):
        made.insert(0, (await begun(world, nora)).session)
        world.now += timedelta(minutes=1)
    seen: list[UUID] = []
    cursor = None
    while True:
        page = await world.ask(ListMySessions(limit=2, cursor=cursor), nora)
        seen += [one.id for one in page.items]
        if (cursor := page.cursor) is None:
            break
    assert seen == made
    for cursor in ("yesterday", f"2027-03-01T00:00:00 {seen[0]}", f"0001-01-01T00:00:00+14:00 {seen[0]}"):
        refused = await world.refusal(ListMySessions(cursor=cursor), nora)
        assert refused.status == 422


async def keys(world: World) -> TokenKeys:
    return await world.ask(GetTokenKeys())


async def kid(world: World, nora: Principal) -> str:
    """The key that signs now."""
    return str(jwt.get_unverified_header((await begun(world, nora)).access_token)["kid"])


async def test_a_new_key_is_published_before_it_signs_and_an_old_one_until_its_last_token_ended(
    world: World, nora: Principal
) -> None:
    old = await kid(world, nora)
    await world.ask(RotateTokenKeys())
    new = (await keys(world)).items[0].kid
    assert [one.kid for one in (await keys(world)).items] == [new, old]
    assert await kid(world, nora) == old
    world.now += PUBLISHED_BEFORE
    assert await kid(world, nora) == new
    world.now += STILL_CHECKED - timedelta(seconds=1)
    assert {one.kid for one in (await keys(world)).items} == {new, old}
    world.now += timedelta(seconds=1)
    assert [one.kid for one in (await keys(world)).items] == [new]


async def test_a_key_that_has_leaked_counts_no_more_at_once(world: World, nora: Principal) -> None:
    old = await kid(world, nora)
    await world.ask(RotateTokenKeys(at_once=True))
    assert old not in {one.kid for one in (await keys(world)).items}
    assert await kid(world, nora) != old


async def test_keys_are_renewed_when_they_are_old_and_forgotten_when_they_are_over(
    world: World, nora: Principal
) -> None:
    first = await kid(world, nora)
    for _ in range(3):
        world.now += timedelta(days=30)
        async with world.database.transaction() as session:
            await token_keys.rotate_if_old(
                session,
                lifetime=timedelta(days=30),
                secret=world.mint.secret,
                now=world.now,
                chance=world.mint.chance,
            )
        world.now += PUBLISHED_BEFORE
        await kid(world, nora)
    assert first not in {one.kid for one in (await keys(world)).items}
    assert len(await world.rows("SELECT kid FROM token_key")) == 2


async def test_replicas_that_start_at_once_make_one_key(world: World) -> None:
    await asyncio.gather(*(world.with_a_key() for _ in range(4)))
    assert len((await keys(world)).items) == 1


async def test_private_keys_are_sealed_under_the_services_own(world: World, nora: Principal) -> None:
    async with world.database.reading() as session:
        assert len((await queries.token_keys(session, now=world.now)).items) == 1
        key = await token_keys.signing_key(session, secret=world.mint.secret, now=world.now)
        (row,) = await world.rows("SELECT sealed FROM token_key")
        assert key.private.private_bytes_raw() not in row.sealed
        with pytest.raises(InvalidTag):
            await token_keys.signing_key(session, secret="another", now=world.now)


async def test_with_another_secret_a_new_key_signs_at_once_and_sessions_go_on(
    world: World, nora: Principal
) -> None:
    grant = await begun(world, nora)
    await world.ask(RotateTokenKeys())
    world.secret = "made anew after a restore without the old one"
    for _ in range(2):
        await world.with_a_key()
    (key,) = (await keys(world)).items
    again = await refreshed(world, grant.refresh_token)
    assert jwt.get_unverified_header(again.access_token)["kid"] == key.kid
    # A process that still had another secret has made its own in between: made good within the hour.
    async with world.database.transaction() as session:
        await token_keys.rotate(
            session, at_once=True, secret="another", now=world.now, chance=world.mint.chance
        )
    async with world.database.transaction() as session:
        await duties(world.mint, timedelta(days=30))[KEYS](session, "", world.now)
    assert (await refreshed(world, again.refresh_token)).session == grant.session


def test_a_secret_that_can_be_guessed_is_none() -> None:
    for short in ("", "x" * 31):
        with pytest.raises(ValidationError, match="secret_key"):
            Settings(**GIVEN, secret_key=short)
    assert Settings(**GIVEN, secret_key="x" * 32)
