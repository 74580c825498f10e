"""The servers notify is measured with take what the clients send, and count it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
import pytest
import pytest_asyncio

from services.notify.rules.mail import Mail
from tests.bench import hook_floor, mail_floor, notices, telling
from tests.bench.hook_receiver import Count, Receiver
from tests.bench.notices import Floor, Round
from tests.bench.pages_notify import notice_memory_section, notices_section
from tests.bench.post import Post, Taken


@pytest_asyncio.fixture
async def served() -> AsyncIterator[list[asyncio.Server]]:
    """Servers that end with the test."""
    servers: list[asyncio.Server] = []
    yield servers
    for server in servers:
        server.close()


async def _port_of(servers: list[asyncio.Server], protocol: Callable[[], asyncio.Protocol]) -> int:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    servers.append(server)
    port: int = server.sockets[0].getsockname()[1]
    return port


@pytest.mark.parametrize("on_disk", [True, False])
async def test_the_mail_server_takes_what_notifys_client_sends(
    served: list[asyncio.Server], tmp_path: Path, on_disk: bool
) -> None:
    taken = Taken(keep=2)
    port = await _port_of(served, lambda: Post(taken, tmp_path if on_disk else None))
    mails = [Mail("", "us@foci.example", f"p{n}@d.example", b"Subject: x\r\n\r\n.dot\r\n") for n in range(9)]
    await mail_floor.send(port, 3, mails)
    assert taken.number == 9
    assert {to for _, to, _ in taken.kept} < {mail.to for mail in mails}
    assert [content for *_, content in taken.kept] == ["Subject: x\r\n\r\n.dot\r\n"] * 2
    assert _left_in(tmp_path) == []
    assert (await asyncio.to_thread(notices.taken, port))[0] == 9
    await asyncio.to_thread(notices.ask, port, f"XKEPT {tmp_path / 'kept'}")
    assert [mail.to for mail in mail_floor.kept(tmp_path / "kept", 3)] == [
        taken.kept[n][1] for n in (0, 1, 0)
    ]


def _left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_the_receiver_takes_what_an_http_client_posts(served: list[asyncio.Server]) -> None:
    count = Count()
    port = await _port_of(served, lambda: Receiver(count))
    url = f"http://127.0.0.1:{port}/"
    await hook_floor.post(url, 4, 30, [json.dumps({"a": "b" * 5000})])
    async with httpx2.AsyncClient(trust_env=False) as client:
        number, first, last = (await client.get(url)).text.split()
        assert (int(number), float(first) < float(last)) == (30, True)
        assert (await client.delete(url)).status_code == 204
    assert count.number == 0


@pytest.mark.parametrize("hour", range(24))
def test_nobody_of_the_crowd_is_asleep(hour: int) -> None:
    now = datetime(2027, 3, 1, hour, 30, tzinfo=UTC)
    assert now.astimezone(ZoneInfo(notices.awake(now))).hour == 12


def test_the_ratio_is_of_rounds_of_the_same_minute_and_missed_below_the_goal() -> None:
    rounds = [Round(100, seconds, 0.1, {"notify": 0.2}) for seconds in (1.0, 2.0, 4.0)]
    floors = [Floor(100, seconds, 0.1) for seconds in (0.5, 1.0, 1.0)]
    (goal,) = notices_section(rounds, floors).goals
    assert (goal.found, goal.reached) == ("0.50", True)
    (goal,) = notices_section(rounds[2:], floors[2:]).goals
    assert (goal.found, goal.reached) == ("0.25", False)


def test_memory_that_grows_by_more_than_a_tenth_is_a_goal_missed() -> None:
    (goal,) = notice_memory_section([(100, 100.0), (1000, 109.0)], {"inbox": 9}).goals
    assert goal.reached
    (goal,) = notice_memory_section([(100, 100.0), (1000, 111.0)], {"inbox": 9}).goals
    assert not goal.reached
    assert telling.FULL.notices // telling.STEPS == 100_000
