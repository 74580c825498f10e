"""Stating what happened to an event: the one place that turns a row into its fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.tables import Event
from shared.contracts.base import Fact
from shared.contracts.events.facts import EventCancelledV1, EventSnapshotV1
from shared.contracts.events.words import EventPart, known_kind
from shared.kit.ids import Ids
from shared.kit.outbox import emit

F = TypeVar("F", bound=Fact)

_AROUND = text("""
    SELECT e.id AS event,
           ARRAY(SELECT id FROM organiser WHERE event = e.id AND kind = 'person' ORDER BY id) AS organisers,
           (SELECT capacity FROM places WHERE event = e.id AND way = 'room') AS capacity,
           (SELECT capacity FROM places WHERE event = e.id AND way = 'online') AS capacity_online
    FROM event e WHERE e.id = ANY(CAST(:events AS uuid[]))
""")
_MOVES_IN_CALENDARS = frozenset({EventPart.TIME, EventPart.PLACE})


def touch(event: Event, now: datetime) -> None:
    """Count a change that only those who run the event can see; nothing is stated about it."""
    event.version += 1
    event.changed_at = now


async def state_event(
    session: AsyncSession,
    fact: type[F],
    event: Event,
    *,
    by: UUID | None,
    now: datetime,
    ids: Ids,
    **more: Any,
) -> None:
    """Count the event up, write its change, and state `fact` about it."""
    await state_events(session, fact, [event], by=by, now=now, ids=ids, each={event.id: more})


async def state_events(
    session: AsyncSession,
    fact: type[F],
    events: Sequence[Event],
    *,
    by: UUID | None,
    now: datetime,
    ids: Ids,
    each: Mapping[UUID, Mapping[str, Any]] | None = None,
) -> None:
    """The same of several events at once; `each` holds what the fact says beside what every one does, by event.

    `sequence` counts what a calendar must take over: another time, another place, cancelled.
    """
    beside = each or {}
    for event in events:
        event.stated += 1
        touch(event, now)
        if fact is EventCancelledV1 or _MOVES_IN_CALENDARS & set(beside.get(event.id, {}).get("changed", ())):
            event.sequence += 1
    await session.flush()
    around = await _around(session, events)
    stated = (
        _fact_of(fact, one, around[one.id], by=by, now=now, ids=ids, **beside.get(one.id, {}))
        for one in events
    )
    await emit(session, *stated)


async def restate_event(session: AsyncSession, event: Event, *, now: datetime, ids: Ids) -> None:
    """State the event as it is; only one that has been stated before can be."""
    around = (await _around(session, [event]))[event.id]
    more = {"status": event.status, "hidden": event.hidden_at is not None}
    await emit(session, _fact_of(EventSnapshotV1, event, around, by=None, now=now, ids=ids, **more))


async def _around(session: AsyncSession, events: Sequence[Event]) -> dict[UUID, Any]:
    found = await session.execute(_AROUND, {"events": [event.id for event in events]})
    return {row.event: row for row in found}


def _fact_of(
    fact: type[F], event: Event, around: Any, *, by: UUID | None, now: datetime, ids: Ids, **more: Any
) -> F:
    if "titles" in fact.model_fields:
        more["titles"] = titles_of(event)
    return fact(
        id=ids(),
        hub=event.hub,
        occurred_at=now,
        subject=str(event.id),
        subject_version=event.stated,
        kind=known_kind(event.kind),
        visibility=event.visibility,
        start=event.starts_at,
        end=event.ends_at,
        space=event.space,
        online=event.online_url is not None,
        capacity=around.capacity,
        capacity_online=around.capacity_online,
        series=event.series,
        organisers=tuple(around.organisers),
        by=by,
        **more,
    )


def titles_of(event: Event) -> dict[str, str]:
    """Titles as published; none of what nobody could see yet, or may not see now."""
    if event.usable_at is None or event.hidden_at is not None:
        return {}
    return {language: one["title"] for language, one in event.texts.items()}
