"""Following introductions: keep how they stand, and note which of their two may have to hear of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.following import OLD
from services.notify.commands.mirroring import newest
from services.notify.commands.noticing import BOTH, INBOX_ALONE, Look, know, look_at
from services.notify.queries.states import Key
from shared.contracts.base import Fact
from shared.contracts.matching.facts import (
    IntroductionAgreedV1,
    IntroductionDeclinedV1,
    IntroductionLapsedV1,
    IntroductionMetV1,
    IntroductionSnapshotV1,
    IntroductionSuggestedV1,
    IntroductionWithdrawnV1,
    OutcomeSaidV1,
)
from shared.contracts.matching.introductions import Standing
from shared.contracts.notify.words import About, Channel
from shared.kit.ids import Ids

ASKED_AFTER = timedelta(days=7)
"""So long after both said yes they are asked what came of it."""

# Whose it was first, it stays: what was told of it goes with it when it is forgotten, also if one of the two was erased.
_KEEP = text("""
    INSERT INTO introduction (id, hub, one, other, standing, by_host, lapses_at, said_at, version)
    SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:hubs AS text[]), CAST(:ones AS uuid[]), CAST(:others AS uuid[]),
        CAST(:standings AS text[]), CAST(:by_hosts AS bool[]), CAST(:lapses AS timestamptz[]),
        CAST(:saids AS timestamptz[]), CAST(:versions AS int[]))
    ON CONFLICT (id) DO UPDATE SET standing = excluded.standing, by_host = excluded.by_host,
        lapses_at = excluded.lapses_at, said_at = excluded.said_at, version = excluded.version
    WHERE introduction.version < excluded.version
""")
_STANDING: Mapping[type[Fact], Standing] = {
    IntroductionSuggestedV1: Standing.SUGGESTED,
    IntroductionAgreedV1: Standing.AGREED,
    IntroductionDeclinedV1: Standing.OVER,
    IntroductionLapsedV1: Standing.OVER,
    IntroductionWithdrawnV1: Standing.OVER,
    IntroductionMetV1: Standing.MET,
    OutcomeSaidV1: Standing.CLOSED,
}
_CHANNELS: Mapping[Standing, tuple[Channel, ...]] = {
    Standing.SUGGESTED: BOTH,
    Standing.AGREED: BOTH,
    Standing.OVER: INBOX_ALONE,
}
"""Where there may be something to say; that they have met, and what came of it, the two have said themselves."""


async def follow_introductions(
    session: AsyncSession, facts: Sequence[Any], *, now: datetime, gather: timedelta, ids: Ids
) -> None:
    """Keep introductions as the newest facts say."""
    latest = newest(facts, lambda fact: fact.introduction)
    await session.execute(_KEEP, _rows(latest))
    looks = [look for fact in facts for look in _looks(fact, now)]
    await look_at(session, looks, now=now, gather=gather, ids=ids)
    await know(session, list(_known_to_who_asked(facts, now)), now=now)


def _rows(facts: Sequence[Any]) -> dict[str, Any]:
    return {
        "ids": [fact.introduction for fact in facts],
        "hubs": [fact.hub for fact in facts],
        "ones": [fact.one for fact in facts],
        "others": [fact.other for fact in facts],
        "standings": [_standing(fact) for fact in facts],
        "by_hosts": [getattr(fact, "by_host", False) for fact in facts],
        "lapses": [getattr(fact, "lapses_at", None) for fact in facts],
        "saids": [fact.occurred_at for fact in facts],
        "versions": [fact.subject_version for fact in facts],
    }


def _standing(fact: Any) -> Standing:
    return fact.standing if isinstance(fact, IntroductionSnapshotV1) else _STANDING[type(fact)]


def _known_to_who_asked(facts: Sequence[Any], now: datetime) -> Iterator[Key]:
    """What somebody asked for needs no telling; what comes of it does."""
    for fact in facts:
        if isinstance(fact, IntroductionSuggestedV1) and fact.asked_by and now - fact.occurred_at <= OLD:
            yield Key(fact.asked_by, About.INTRODUCTION, fact.introduction)


def _looks(fact: Any, now: datetime) -> Iterator[Look]:
    """Whom a fact may concern: both, but who has asked for the introduction knows of it. What is old is nobody's news.

    It is not taken as known either. Else somebody would hear that what they never heard of has come to nothing.
    """
    if isinstance(fact, IntroductionSnapshotV1):
        # What is stated again is no news.
        return
    channels = _CHANNELS.get(_STANDING[type(fact)], ())
    asked_at = fact.occurred_at + ASKED_AFTER if isinstance(fact, IntroductionAgreedV1) else now
    asked_by = getattr(fact, "asked_by", None)
    for person in sorted({fact.one, fact.other} - {asked_by}):
        if now - fact.occurred_at <= OLD:
            yield Look(person, fact.hub, About.INTRODUCTION, fact.introduction, channels=channels)
        if asked_at > now:
            yield Look(person, fact.hub, About.OUTCOME, fact.introduction, due_at=asked_at)
