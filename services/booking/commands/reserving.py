"""Reserving: the rules, a choice of units, and attempts at them until one books or a refusal is sure."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg.exceptions import UniqueViolationError
from opentelemetry import trace
from sqlalchemy import text

from services.booking.commands.attempts import Attempt, Attempts
from services.booking.commands.holds import expire_dead_holds
from services.booking.queries.claims import claims_on, taken
from services.booking.queries.spaces import SpaceTerms, terms_of
from services.booking.rules.claims import Units, buffers, free_units, needed, to_multirange
from services.booking.rules.refusals import AlreadyImported, NotAMember
from services.booking.rules.times import check_rules
from shared.contracts.booking.facts import BookingConfirmedV1, BookingHeldV1
from shared.contracts.booking.requests import BookingView, Reserve
from shared.contracts.booking.words import BookingStatus
from shared.contracts.directory.words import OPERATORS, STAFF
from shared.kit import idempotency
from shared.kit.database import Database
from shared.kit.errors import FociError, IdempotencyKeyReused, Invalid, NotFound, Unavailable
from shared.kit.idempotency import Answer, Key
from shared.kit.ids import Ids
from shared.kit.moments import Span, span
from shared.kit.outbox import row_of
from shared.kit.principal import Principal, require_role, required
from shared.kit.rpc import Call, answer_of, remember_refusal
from shared.kit.tracing import span as traced

tracer = trace.get_tracer("foci.booking")

TRIES = 12
REMEMBERED_SPACES = 20_000


@dataclass(frozen=True)
class Wish:
    """A reservation that has passed the rules and now needs units."""

    request: Reserve
    terms: SpaceTerms
    span: Span
    person: UUID
    by: UUID
    expires_at: datetime | None


@dataclass
class Reservations:
    """What reserving needs: attempts, a database for the rest, ids and chance."""

    attempts: Attempts
    database: Database
    ids: Ids
    chance: random.Random
    _spaces: dict[tuple[str, str], SpaceTerms] = field(default_factory=dict)

    async def reserve(self, request: Reserve, call: Call) -> Answer:
        """Book or hold, once: 201 with the booking, or the refusal, both stored under the caller's key."""
        try:
            return await self._reserve(request, call)
        except FociError as error:
            if call.key is None or error.status >= 500 or isinstance(error, IdempotencyKeyReused):
                raise
            return await remember_refusal(self.database, call.key, error, now=call.now)

    async def _reserve(self, request: Reserve, call: Call) -> Answer:
        principal = required(call.principal)
        _may_reserve(principal, request)
        for attempt in range(TRIES):
            wish = await self._wish(request, principal, call.now)
            units = await self._choose(wish, attempt, call)
            answer = None if units is None else await self._try(wish, units, call)
            if answer is not None:
                return answer
            known = await self._after_refusal(wish, call)
            if known is not None:
                return known
        raise Unavailable("Many people want the same places right now. Try again in a second.")

    async def _terms(self, request: Reserve, *, anew: bool = False) -> SpaceTerms:
        place = (request.hub, request.space)
        terms = None if anew else self._spaces.get(place)
        if terms is None:
            async with self.database.reading() as session:
                terms = await terms_of(session, *place)
            if len(self._spaces) >= REMEMBERED_SPACES:
                self._spaces.clear()
            self._spaces[place] = terms
        return terms

    async def _wish(self, request: Reserve, principal: Principal, now: datetime) -> Wish:
        """The wish by what is remembered of the space; before refusing, by what the space says now."""
        terms = await self._terms(request)
        try:
            return _checked(request, terms, principal, now)
        except FociError:
            current = await self._terms(request, anew=True)
            if current == terms:
                raise
            return _checked(request, current, principal, now)

    async def _choose(self, wish: Wish, attempt: int, call: Call) -> Units | None:
        """Units to try; the first try is blind, later ones look. None when too few are free."""
        terms, seats = wish.terms, wish.request.seats
        if not terms.by_seat:
            return terms.units
        free = terms.units
        if attempt > 0:
            async with self.database.reading() as session:
                claims = await claims_on(session, terms.hub, terms.units, wish.span, now=call.now)
            free = free_units(terms.units, claims, wish.span, terms.rules)
            if len(free) < seats:
                return None
        return tuple(sorted(self.chance.sample(free, seats)))

    async def _try(self, wish: Wish, units: Units, call: Call) -> Answer | None:
        """One attempt at these units: the answer, or None when something stands against it."""
        booking_id = self.ids()
        view = _view(wish, units, booking_id, call.now)
        answer = answer_of(wish.request, view)
        row = row_of(_fact(wish, units, booking_id, self.ids(), call.now))
        values = (*_booking_row(wish, view), row.stream, row.fact_id, row.subject, row.headers, row.body)
        attempt = Attempt(values, _kept(call.key, answer), held=wish.expires_at is not None)
        return await self._make(attempt, answer, call)

    async def _make(self, attempt: Attempt, answer: Answer, call: Call) -> Answer | None:
        try:
            with traced(tracer, "reserve statement"):
                booked = await self.attempts.make(attempt)
        except UniqueViolationError as error:
            if error.constraint_name != "idempotency_key_pkey" or call.key is None:
                raise
            # The twin of this request has been answered: everything of this try is undone, its answer is ours.
            return await self._answered(call)
        if not booked:
            return None
        self.database.announce()
        return answer

    async def _answered(self, call: Call) -> Answer | None:
        if call.key is None:
            return None
        async with self.database.transaction() as session:
            return await idempotency.answered(session, call.key, now=call.now)

    async def _after_refusal(self, wish: Wish, call: Call) -> Answer | None:
        """After a try that booked nothing: a twin's answer, a refusal to raise, or None to try again."""
        known = await self._answered(call)
        if known is not None:
            return known
        terms = wish.terms
        async with self.database.transaction() as session:
            current = await terms_of(session, terms.hub, terms.slug)
            if current != terms:
                self._spaces[terms.hub, terms.slug] = current
                return None
            if await expire_dead_holds(
                session, terms.hub, terms.units, wish.span, now=call.now, ids=self.ids
            ):
                return None
        async with self.database.reading() as session:
            await _refuse_twice_imported(session, wish)
            around = await claims_on(session, terms.hub, terms.units, wish.span, now=call.now)
            free = free_units(terms.units, around, wish.span, terms.rules)
            if len(free) >= needed(terms.kind, terms.units, wish.request.seats):
                return None
            raise await taken(session, terms, wish.request.seats, wish.span, now=call.now)


_IMPORTED = text("""
    SELECT id FROM booking WHERE hub = :hub AND calendar = :calendar AND uid = :uid AND recurrence_id = :recurrence_id
      AND status IN ('held', 'confirmed', 'checked_in', 'checked_out')
""")


async def _refuse_twice_imported(session: Any, wish: Wish) -> None:
    source = wish.request.source
    if source is None:
        return
    found = (await session.execute(_IMPORTED, {"hub": wish.terms.hub, **source.model_dump()})).scalar()
    if found is not None:
        raise AlreadyImported("That calendar entry is booked already.", field="source", booking=str(found))


def _may_reserve(principal: Principal, request: Reserve) -> None:
    if principal.within(request.hub) is None:
        raise NotAMember(f"Only people who belong to {request.hub} book there. Join it first.")
    if request.person not in (None, principal.person):
        require_role(principal, request.hub, STAFF, "Booking for somebody else")
    if request.source is not None:
        require_role(principal, request.hub, OPERATORS, "Importing a calendar")


def _checked(request: Reserve, terms: SpaceTerms, principal: Principal, now: datetime) -> Wish:
    """The wish, if the rules of the space allow it; an import is not bound by them."""
    if not terms.active:
        raise NotFound(f"{terms.name} cannot be booked any more.", field="space")
    if request.seats > terms.most_seats:
        raise Invalid(f"{terms.name} takes {terms.most_seats} at most.", field="seats")
    wanted = span(request.start, request.end, terms.zone)
    if request.source is None:
        check_rules(terms.rules, terms.zone, wanted, now)
    expires_at = now + timedelta(minutes=terms.rules.hold_minutes) if request.hold else None
    return Wish(request, terms, wanted, request.person or principal.person, principal.person, expires_at)


def _kept(key: Key | None, answer: Answer) -> tuple[Any, ...] | None:
    """The statement's parameters $26 to $32: the answer under its key."""
    if key is None:
        return None
    scope = (key.person, key.operation, key.key, key.fingerprint)
    return (*scope, answer.status, answer.version, answer.body)


def _booking_row(wish: Wish, view: BookingView) -> tuple[Any, ...]:
    """The statement's parameters $1 to $20."""
    terms, source = wish.terms, wish.request.source
    before, after = buffers(terms.rules)
    start, end = wish.span
    return (
        view.id,
        terms.hub,
        terms.slug,
        terms.version,
        to_multirange(view.units),
        view.seats,
        start,
        end,
        start - before if terms.guarded else None,
        end + after,
        str(view.status),
        view.title,
        wish.person,
        wish.by,
        terms.zone.key,
        wish.expires_at,
        *((None, None, None) if source is None else (source.calendar, source.uid, source.recurrence_id)),
        view.created_at,
    )


def _view(wish: Wish, units: Units, booking_id: UUID, now: datetime) -> BookingView:
    terms = wish.terms
    return BookingView(
        id=booking_id,
        hub=terms.hub,
        space=terms.slug,
        units=units,
        seats=wish.request.seats,
        start=wish.span[0].astimezone(terms.zone),
        end=wish.span[1].astimezone(terms.zone),
        time_zone=terms.zone.key,
        status=BookingStatus.CONFIRMED if wish.expires_at is None else BookingStatus.HELD,
        title=wish.request.title,
        person=wish.person,
        booked_by=wish.by,
        source=wish.request.source,
        expires_at=wish.expires_at,
        rules_version=terms.version,
        version=1,
        created_at=now,
    )


def _fact(
    wish: Wish, units: Units, booking_id: UUID, fact_id: UUID, now: datetime
) -> BookingConfirmedV1 | BookingHeldV1:
    common: dict[str, Any] = {
        "id": fact_id,
        "hub": wish.terms.hub,
        "occurred_at": now,
        "subject": str(booking_id),
        "subject_version": 1,
        "space": wish.terms.slug,
        "units": units,
        "seats": wish.request.seats,
        "start": wish.span[0],
        "end": wish.span[1],
        "person": wish.person,
        "by": wish.by,
        "imported": wish.request.source is not None,
    }
    if wish.expires_at is None:
        return BookingConfirmedV1(**common)
    return BookingHeldV1(**common, expires_at=wish.expires_at)
