"""Forgetting a person: their places ahead are free, what they began and nobody saw is gone, the rest goes on without them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.changing import cancel_all
from services.events.commands.leaving import STAYS
from services.events.commands.line import leave, load
from services.events.commands.stating import touch
from services.events.rules.changes import THE_HUB
from services.events.tables import Event, Organiser, Series, SignUp
from shared.contracts.base import NOBODY
from shared.contracts.events.words import EventStatus, OrganiserKind, SignUpStatus
from shared.contracts.forgetting import Deed, Reason, Thing, Told
from shared.kit.forgetting import Forget, done, forget_keys, kept, told
from shared.kit.ids import Ids

WITHOUT_WORDS = {"title": "–", "text": ""}

# Each row gets an id of its own that is nobody's: one for all would say that they were one person, and two people who are
# erased may have come to the same event.
_SIGN_UPS = "UPDATE sign_up SET person = gen_random_uuid() WHERE person = :person"
_LET_IN = "UPDATE sign_up SET came_by = :nobody WHERE came_by = :person"
_HUBS_OWN = """
    INSERT INTO organiser (event, hub, kind, id)
    SELECT o.event, o.hub, 'hub', :hub FROM organiser o WHERE o.kind = 'person' AND o.id = :person
      AND NOT EXISTS (SELECT 1 FROM organiser other WHERE other.event = o.event AND (other.kind, other.id) <> (o.kind, o.id))
    ON CONFLICT DO NOTHING
"""
_ORGANISED = "DELETE FROM organiser WHERE kind = 'person' AND id = :person"
_EVENTS = (
    "UPDATE event SET created_by = :nobody WHERE created_by = :person",
    "UPDATE event SET hidden_by = :nobody WHERE hidden_by = :person",
)
_SERIES = (
    "UPDATE series SET created_by = :nobody WHERE created_by = :person",
    """
    UPDATE series SET template = jsonb_set(template, '{given,organisers}', coalesce((
        SELECT jsonb_agg(one) FROM jsonb_array_elements(template #> '{given,organisers}') one
        WHERE one ->> 'id' <> CAST(CAST(:person AS uuid) AS text)), '[]'))
    WHERE strpos(CAST(template #> '{given,organisers}' AS text), CAST(CAST(:person AS uuid) AS text)) > 0
    """,
)
# Which of those who run it has answered is not noted: the words may be theirs, and another one can answer again.
_ANSWERS = """
    UPDATE event SET hidden_answer = NULL, version = version + 1, changed_at = :now
    WHERE hidden_answer IS NOT NULL AND (created_by = :person OR EXISTS (
        SELECT 1 FROM organiser o WHERE o.event = event.id AND o.kind = 'person' AND o.id = :person))
"""
_ROOMS = (
    "UPDATE venue SET person = :nobody WHERE person = :person",
    "UPDATE venue SET moved_by = :nobody WHERE moved_by = :person",
)
_CHOICES = "UPDATE hub_settings SET changed_by = NULL WHERE changed_by = :person"
_REFUSALS = "UPDATE refusal SET by = NULL WHERE by = :person"
_FEEDS = "DELETE FROM feed WHERE person = :person"


def forgets(ids: Ids) -> Forget:
    """How events forgets."""

    async def forget(session: AsyncSession, person: UUID, now: datetime) -> list[Told]:
        unseen = await _end_unseen(session, person, now=now, ids=ids)
        ahead = await _give_back(session, person, now=now, ids=ids)
        found = told(Thing.DRAFTS, Deed.ERASED, unseen) + told(Thing.PLACES_AHEAD, Deed.ERASED, ahead)
        found += await done(session, Thing.ANSWERS_TO_THE_HUB, Deed.ERASED, person, _ANSWERS, now=now)
        await done(session, Thing.ORGANISED, Deed.ANONYMISED, person, _HUBS_OWN, hub=THE_HUB)
        for what, statements in (
            (Thing.SIGN_UPS, (_SIGN_UPS,)),
            (Thing.ORGANISED, (_ORGANISED,)),
            (Thing.EVENTS_STARTED, (*_EVENTS, *_SERIES)),
            (Thing.ROOMS_OF_EVENTS, _ROOMS),
            (Thing.DECISIONS, (_CHOICES, _REFUSALS, _LET_IN)),
        ):
            found += await done(session, what, Deed.ANONYMISED, person, *statements, nobody=NOBODY)
        if any(line.what == Thing.ORGANISED for line in found):
            found.append(kept(Thing.PUBLISHED_TEXTS, Reason.PROGRAMME_OF_THE_HUB))
        found += await done(session, Thing.FEEDS, Deed.ERASED, person, _FEEDS)
        return found + await forget_keys(session, person)

    return forget


async def _end_unseen(session: AsyncSession, person: UUID, *, now: datetime, ids: Ids) -> int:
    """Cancel and empty what only they organised and was never published, called off or not; how many, series included."""
    mine = select(Organiser.event).where(Organiser.kind == OrganiserKind.PERSON, Organiser.id == person)
    others = select(Organiser.event).where(Organiser.event == Event.id, Organiser.id != person)
    wanted = select(Event).where(Event.id.in_(mine), Event.usable_at.is_(None), ~others.exists())
    events = (await session.scalars(wanted.order_by(Event.id).with_for_update())).all()
    ahead = [event for event in events if event.status != EventStatus.CANCELLED]
    await cancel_all(session, ahead, reason=None, by=person, now=now, ids=ids)
    for event in events:
        event.texts = {event.language: WITHOUT_WORDS}
        event.address = event.online_url = event.cost = event.accessibility = event.link = None
        event.cancel_reason = event.returned_reason = None
        event.tags = []
        if event not in ahead:
            touch(event, now)
    await session.flush()
    return len(events) + await _empty_series(session, person)


async def _empty_series(session: AsyncSession, person: UUID) -> int:
    """Empty what they started of which nothing was published and no date is another's; how many."""
    others = select(Organiser.event).where(Organiser.event == Event.id, Organiser.id != person)
    known = select(Event.id).where(
        Event.series == Series.id, or_(Event.usable_at.is_not(None), others.exists())
    )
    wanted = select(Series).where(Series.created_by == person, ~known.exists())
    found = (await session.scalars(wanted.order_by(Series.id).with_for_update())).all()
    for series in found:
        series.texts = {series.language: WITHOUT_WORDS}
        if series.template is not None:
            # What is left can still be made a date from, by the hub's staff.
            series.template = series.template | {"given": WITHOUT_WORDS, "publish": False}
        series.version += 1
    await session.flush()
    return len(found)


async def _give_back(session: AsyncSession, person: UUID, *, now: datetime, ids: Ids) -> int:
    """Give back every place at what has not begun, whoever it is for; how many."""
    mine = (
        select(SignUp.hub, SignUp.event, SignUp.id)
        .join(Event, Event.id == SignUp.event)
        .where(
            SignUp.person == person,
            SignUp.status.in_(STAYS),
            SignUp.came_at.is_(None),
            Event.ends_at > now,
            Event.status != EventStatus.HELD,
        )
    )
    given_back = 0
    for hub, event, id_ in (await session.execute(mine.order_by(SignUp.event))).all():
        _, sign_up = await load(session, hub, event, id_)
        if sign_up.status in STAYS and sign_up.came_at is None:
            await leave(session, sign_up, SignUpStatus.CANCELLED, by=person, now=now, ids=ids)
            given_back += 1
    await session.flush()
    session.expire_all()
    return given_back
