"""Reading what people have chosen."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.rules import kinds
from shared.contracts.notify.notices import ChoicesView, ChoiceView, QuietHours, UnsubscribeView
from shared.contracts.notify.words import Channel, NoticeKind, Pace

FIRST_VERSION = 1
"""Of the choices of somebody who has chosen nothing."""

_CHOICES = text("SELECT hub, kind, channel, pace FROM choice WHERE person = :person")
# Addresses are not kept: what the latest mail went to is the person's, as far as anybody here knows.
_HABITS = text("""
    SELECT h.*, (
        SELECT s.because FROM stopped_address s WHERE s.address_hash = (
            SELECT m.address_hash FROM message m WHERE m.person = one.person AND m.address_hash IS NOT NULL
            ORDER BY m.id DESC LIMIT 1)
    ) AS stopped
    FROM (SELECT CAST(:person AS uuid) AS person) one LEFT JOIN habit h ON h.person = one.person
""")


async def choices_of(session: AsyncSession, person: UUID) -> dict[tuple[str, NoticeKind, Channel], Pace]:
    """What a person has chosen."""
    rows = await session.execute(_CHOICES, {"person": person})
    return {(row.hub, NoticeKind(row.kind), Channel(row.channel)): Pace(row.pace) for row in rows}


async def get_choices(session: AsyncSession, person: UUID) -> ChoicesView:
    """Everything a person has chosen, with the defaults of what they have not."""
    chosen = await choices_of(session, person)
    habits = (await session.execute(_HABITS, {"person": person})).one()
    return ChoicesView(
        choices=(*_everywhere(chosen), *_at_hubs(chosen)),
        quiet=QuietHours(
            start=_or(habits.quiet_start, kinds.QUIET_START), end=_or(habits.quiet_end, kinds.QUIET_END)
        ),
        digest_at=_or(habits.digest_at, kinds.DIGEST_AT),
        remind_minutes=_or(habits.remind_minutes, kinds.REMIND_MINUTES),
        mail_stopped=habits.stopped,
        version=_or(habits.version, FIRST_VERSION),
    )


def _or(known: Any, default: Any) -> Any:
    return default if known is None else known


def _everywhere(chosen: kinds.Choices) -> list[ChoiceView]:
    return [
        ChoiceView(
            kind=kind,
            channel=channel,
            when=kinds.resolve(chosen, kinds.EVERYWHERE, kind, channel),
            chosen=(kinds.EVERYWHERE, kind, channel) in chosen,
        )
        for kind in kinds.CHOOSABLE
        for channel in Channel
    ]


def _at_hubs(chosen: kinds.Choices) -> list[ChoiceView]:
    here = sorted((place, pace) for place, pace in chosen.items() if place[0] != kinds.EVERYWHERE)
    return [
        ChoiceView(hub=hub, kind=kind, channel=channel, when=pace, chosen=True)
        for (hub, kind, channel), pace in here
    ]


async def get_unsubscribe(
    session: AsyncSession, person: UUID, hub: str, wanted: Collection[NoticeKind]
) -> UnsubscribeView:
    """Whether mail of these kinds from the hub is off."""
    chosen = await choices_of(session, person)
    paces = {kinds.resolve(chosen, hub, kind, Channel.EMAIL) for kind in wanted}
    return UnsubscribeView(hub=hub, kinds=tuple(wanted), channel=Channel.EMAIL, done=paces == {Pace.OFF})
