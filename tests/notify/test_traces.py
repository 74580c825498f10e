"""The trace of whoever books goes on until the mail server has the mail, however long it waited; nobody else's costs anything."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import text

from shared.contracts.base import Fact
from shared.contracts.notify.words import NoticeKind, Pace
from shared.kit.causes import causing
from tests.notify.mailing import LEASE, Mailing, make_mailing
from tests.notify.world import World
from tests.recording import UNRECORDED, of_trace, recorder, traceparent

_NOBODY_KNOWS = "UPDATE message SET sent_at = NULL, claimed_until = :now WHERE channel = 'email'"
ANN, BO = traceparent(0xA1), traceparent(0xB1)


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return recorder()


@pytest_asyncio.fixture
async def mailing(world: World) -> AsyncIterator[Mailing]:
    """Nordviken, where directory knows Ann and Bo."""
    async with make_mailing(world) as made:
        made.knows("ann")
        made.knows("bo")
        yield made


async def heard(mailing: Mailing, *facts: tuple[Fact, str]) -> None:
    with causing([(fact, {"traceparent": cause}) for fact, cause in facts]):
        await mailing.world.hear(*(fact for fact, _ in facts))


def names(spans: list[ReadableSpan]) -> list[str]:
    return [span.name for span in spans]


async def test_two_bookings_heard_together_are_told_each_in_its_own_trace(
    mailing: Mailing, spans: InMemorySpanExporter
) -> None:
    world = mailing.world
    await heard(mailing, (world.booked(who="ann"), ANN), (world.booked(who="bo"), BO))
    assert len(await mailing.gathered()) == 2
    for cause in (ANN, BO):
        send, tell = of_trace(spans, cause)
        assert (tell.name, send.name) == ("tell by mail", "SMTP send")
        assert tell.parent is not None
        assert tell.parent.span_id == int(cause.split("-")[2], 16)
        assert dict(send.attributes or {}) == {"foci.result": "accepted"}


async def test_the_reminder_of_it_days_later_is_no_part_of_the_trace(
    mailing: Mailing, spans: InMemorySpanExporter
) -> None:
    await heard(mailing, (mailing.world.booked(who="ann"), ANN))
    await mailing.gathered()
    spans.clear()
    [reminder] = await mailing.world.rows("SELECT due_at FROM notice WHERE channel = 'email'")
    mailing.world.now = reminder.due_at
    assert len(await mailing.send()) == 1
    assert of_trace(spans, ANN) == []


async def test_a_mail_of_unknown_fate_goes_again_in_the_same_trace(
    mailing: Mailing, spans: InMemorySpanExporter
) -> None:
    await heard(mailing, (mailing.world.booked(who="ann"), ANN))
    await mailing.gathered()
    async with mailing.world.database.transaction() as session:
        await session.execute(text(_NOBODY_KNOWS), {"now": mailing.world.now})
    spans.clear()
    assert len(await mailing.send(seconds=LEASE.total_seconds())) == 1
    assert names(of_trace(spans, ANN)) == ["SMTP send", "tell by mail"]


async def test_a_digest_continues_one_trace_and_links_to_the_others(
    mailing: Mailing, spans: InMemorySpanExporter
) -> None:
    world = mailing.world
    await mailing.choose("ann", NoticeKind.BOOKING, Pace.DAILY)
    await heard(mailing, (world.booked(who="ann"), ANN), (world.booked(who="ann"), BO))
    await mailing.gathered()
    assert len(await mailing.send(days=1)) == 1
    [tell] = [span for span in (*of_trace(spans, ANN), *of_trace(spans, BO)) if span.name == "tell by mail"]
    traces = {tell.context.trace_id, *(link.context.trace_id for link in tell.links)}
    assert traces == {int(cause.split("-")[1], 16) for cause in (ANN, BO)}


async def test_what_is_not_recorded_leaves_nothing(mailing: Mailing, spans: InMemorySpanExporter) -> None:
    await heard(mailing, (mailing.world.booked(who="ann"), UNRECORDED))
    await mailing.gathered()
    assert not {"tell by mail", "SMTP send"} & set(names(list(spans.get_finished_spans())))
    kept = await mailing.world.rows("SELECT trace FROM notice UNION ALL SELECT trace FROM message")
    assert {row.trace for row in kept} <= {None}
