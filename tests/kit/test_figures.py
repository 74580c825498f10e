"""What those see who watch over a service: figures that nobody's work touches."""

from __future__ import annotations

import math
from datetime import timedelta

from nats.aio.client import Client
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette
from starlette.testclient import TestClient

from shared.contracts.streams import streams_written_by
from shared.kit import telemetry
from shared.kit.database import Database
from shared.kit.figures import Figures
from shared.kit.health import Readiness, routes
from shared.kit.ids import new_id, utc_now
from shared.kit.life import running
from shared.kit.relay import Relay
from shared.kit.timers import set_timer
from tests.kit.hubs import arrived, registered, relaying, scalar, state
from tests.waiting import eventually

(DIRECTORY,) = streams_written_by("directory")


def seen(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_lag_letters_parked_facts_and_timers_that_are_due(booking: Database, bus: Client) -> None:
    async with booking.transaction() as session:
        for kind, minutes in (("hold", -5), ("hold-soon", 5), ("of-a-release-to-come", -60)):
            await set_timer(session, kind, "one", utc_now() + timedelta(minutes=minutes))
        await session.execute(
            text("INSERT INTO dead_letter (id, consumer, subject, headers, body, reason, attempts)"
                 " VALUES (:id, 'booking__mirrors_hubs', 'x', '{}', '{}', 'because', 8)"), {"id": new_id()},
        )  # fmt: skip
    for number in range(3):
        await bus.jetstream().publish("hubs.ystad.directory.hub-registered.v1", b"%d" % number)
    more: list[int] = []

    async def measure(session: AsyncSession) -> None:
        more.append((await session.execute(text("SELECT 7"))).scalar_one())

    figures = Figures(bus, booking, "booking")
    figures.measures.append(measure)
    await figures.look(["hold", "hold-soon"])
    assert seen("foci_consumer_lag", consumer="booking__mirrors_hubs") == 3
    assert seen("foci_dead_letters") == 1
    assert seen("foci_parked_facts") == 0
    assert 299 < (seen("foci_timer_overdue_seconds") or 0) < 360
    assert more == [7]
    async with booking.transaction() as session:
        await session.execute(text("DELETE FROM timer WHERE kind = 'hold'"))
    await figures.look(["hold", "hold-soon"])
    assert seen("foci_timer_overdue_seconds") == 0


async def test_a_consumer_that_somebody_deleted_is_infinitely_behind_and_the_others_are_still_looked_at(
    booking: Database, bus: Client
) -> None:
    await bus.jetstream().delete_consumer("DIRECTORY", "booking__mirrors_hubs")
    await bus.jetstream().publish("hubs.ystad.directory.member-joined.v1", b"{}")
    await Figures(bus, booking, "booking").look([])
    assert seen("foci_consumer_lag", consumer="booking__mirrors_hubs") == math.inf
    assert seen("foci_consumer_lag", consumer="booking__frees_what_leavers_booked") == 1


async def test_every_replica_sees_how_old_the_outbox_is_and_that_nobody_relays(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    """The one that relays may be gone with its machine, while PostgreSQL keeps its lock."""
    age, leads = "foci_outbox_age_seconds", "foci_relay_leader"
    fact = registered("ystad")
    await state(directory, fact)
    async with directory.transaction() as session:
        await session.execute(text("UPDATE outbox SET stated_at = now() - interval '1 minute'"))
    figures = Figures(bus, directory, "directory")
    telemetry.RELAY_LEADER.clear()
    Relay(directory.engine, as_directory, DIRECTORY)  # and it never leads
    await figures.look([])
    assert seen(leads, stream="DIRECTORY") == 0
    assert 60 <= (seen(age, stream="DIRECTORY") or 0) < 90
    async with relaying(directory, as_directory):
        await arrived(bus, fact.id)
        await eventually(lambda: scalar(directory, "SELECT last_sequence = 1 FROM relay_cursor"))
        assert seen(leads, stream="DIRECTORY") == 1
    await figures.look([])
    assert seen(age, stream="DIRECTORY") == 0


async def test_what_is_in_the_tables_is_seen_while_the_bus_is_away(booking: Database, bus: Client) -> None:
    async with booking.transaction() as session:
        await set_timer(session, "hold", "one", utc_now() - timedelta(minutes=9))
    await bus.close()
    await Figures(bus, booking, "booking").look(["hold"])
    assert (seen("foci_timer_overdue_seconds") or 0) > 500


def test_readiness_is_a_figure_by_what_is_needed() -> None:
    readiness = Readiness()
    broken = False

    async def database() -> None:
        if broken:
            raise ConnectionError

    with TestClient(Starlette(routes=routes(readiness))) as client:
        assert 'foci_ready{need="start"} 0.0' in client.get("/metrics").text
        readiness.needs("database", database)
        said = client.get("/metrics").text
        assert 'foci_ready{need="database"} 1.0' in said
        assert 'need="start"' not in said
        broken = True
        readiness.forget()
        assert 'foci_ready{need="database"} 0.0' in client.get("/metrics").text


async def test_readiness_is_noted_also_where_nobody_asks_at_metrics() -> None:
    """As where figures go out over OTLP alone; it was 1 as long as nobody looked."""
    readiness = Readiness()

    async def away() -> None:
        raise ConnectionError

    readiness.needs("database", away)
    telemetry.READY.labels("database").set(1)
    async with running("readiness", readiness.keep_noting()):
        await eventually(lambda: seen("foci_ready", need="database") == 0)
