"""Sessions as they grow old: few rows are kept, a copy is found out after months, and what is over goes in small steps."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.directory.commands.past import AT_ONCE
from services.directory.duties.sign_in import EVERY, FORGET
from services.directory.rules.tokens import hash_of
from services.directory.tables import RefreshToken
from shared.contracts.directory.sessions import Grant, ListMySessions, RefreshSession, SignOut
from shared.kit.principal import Principal
from shared.kit.timers import set_timer
from tests.directory.test_sessions import begun, is_over, refreshed
from tests.directory.world import World
from tests.waiting import eventually


@pytest_asyncio.fixture
async def ann(world: World) -> Principal:
    await world.with_a_key()
    return await world.person("Ann")


async def done(world: World, *statements: str) -> None:
    """Something has happened to the database."""
    async with world.database.transaction() as session:
        for statement in statements:
            await session.execute(text(statement))


async def count(world: World, table: str) -> int:
    return int((await world.rows(f"SELECT count(*) FROM {table}"))[0][0])  # a name of ours


async def why(world: World, grant: Grant) -> str | None:
    (row,) = await world.rows("SELECT ended_because FROM session WHERE id = :id", id=grant.session)
    return None if row[0] is None else str(row[0])


async def test_a_session_keeps_few_rows_and_yet_knows_its_oldest_token(world: World, ann: Principal) -> None:
    first = grant = await begun(world, ann)
    for _ in range(12):
        world.now += timedelta(minutes=5)
        grant = await refreshed(world, grant.refresh_token)
    assert await count(world, "refresh_token") == 2, "the present one, and the one it has replaced"
    assert await is_over(world, first.refresh_token)
    assert await is_over(world, grant.refresh_token)
    assert await why(world, grant) == "replayed"


async def test_a_token_that_only_names_a_session_ends_nothing(world: World, ann: Principal) -> None:
    """Who is shown a session's id, or has a token of another session, can make none that would end it."""
    grant, other = await begun(world, ann), await begun(world, ann)
    raw = urlsafe_b64decode(str(other.refresh_token).removeprefix("foci_rt_") + "==")
    named = grant.session.bytes + raw[16:]
    forged = "foci_rt_" + urlsafe_b64encode(named).decode().rstrip("=")
    assert await is_over(world, forged)
    assert (await world.ask(SignOut(token=forged))).sessions == 0
    again = await refreshed(world, grant.refresh_token)
    assert (await world.ask(SignOut(token=str(grant.refresh_token)))).sessions == 1, "by a replaced one, too"
    assert await is_over(world, again.refresh_token)


async def test_tokens_of_the_release_before_go_on_and_each_is_kept(world: World, ann: Principal) -> None:
    grant = await begun(world, ann)
    old = "foci_rt_" + "a" * 43
    await done(world, "DELETE FROM refresh_token")
    async with world.database.transaction() as session:
        session.add(
            RefreshToken(hash=hash_of(old), session=grant.session, issued_at=world.now, replaced_at=None)
        )
    token: str | None = old
    for _ in range(3):
        world.now += timedelta(minutes=5)
        token = (await refreshed(world, token)).refresh_token
        assert token is not None
        assert len(token) == len(old)
    assert await count(world, "refresh_token") == 4
    assert await is_over(world, old)
    assert await why(world, grant) == "replayed"


async def test_whoever_refreshes_while_they_are_erased_is_signed_out(world: World, ann: Principal) -> None:
    grant = await begun(world, ann)
    async with world.database.transaction() as erasing:
        await erasing.execute(text("DELETE FROM session"))
        waiting = asyncio.create_task(world.refusal(RefreshSession(token=str(grant.refresh_token))))
        blocked = (
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        await eventually(lambda: world.rows(blocked), what="the refresh waits for its session")
    assert (await waiting).code == "session-over"


async def test_what_is_over_goes_in_small_steps_until_all_of_it_is_gone(world: World, ann: Principal) -> None:
    grant, busy = await begun(world, ann), await begun(world, ann)
    old = f"""
        INSERT INTO refresh_token (hash, session, issued_at, replaced_at)
        SELECT sha256(n::text::bytea), '{grant.session}', now(), now() FROM generate_series(1, {AT_ONCE + 10}) n
    """  # an id
    await done(
        world, old, f"UPDATE session SET ends_at = ends_at - interval '1 year' WHERE id = '{grant.session}'"
    )
    async with world.database.transaction() as session:
        await set_timer(session, FORGET, "", world.now)
    assert await world.let_time_pass(seconds=0) == 1
    assert await count(world, "refresh_token") == 12, "the steps are small"
    assert await count(world, "session") == 2
    assert await world.let_time_pass(seconds=1) == 1, "soon again"
    assert await world.rows("SELECT session FROM refresh_token") == [(busy.session,)]
    assert [row.id for row in await world.rows("SELECT id FROM session")] == [busy.session]
    assert await world.let_time_pass(seconds=EVERY.total_seconds() - 1) == 0
    assert await world.let_time_pass(seconds=1) == 1


BROKEN = {
    "two present tokens": "INSERT INTO refresh_token SELECT sha256(hash), session, issued_at FROM refresh_token",
    "an end without a reason": "UPDATE session SET ended_at = now()",
    "a reason without an end": "UPDATE session SET ended_because = 'signed-out'",
    "a purpose nobody knows": """
        INSERT INTO api_token SELECT gen_random_uuid(), slug, 'A', 'anything', ''::bytea, gen_random_uuid(), now(), now()
        FROM hub
    """,
}


@pytest.mark.parametrize("promise", list(BROKEN))
async def test_the_database_keeps_what_the_code_has_promised(
    world: World, ann: Principal, promise: str
) -> None:
    await begun(world, ann)
    with pytest.raises(IntegrityError):
        await done(world, BROKEN[promise])
    assert len((await world.ask(ListMySessions(), ann)).items) == 1
