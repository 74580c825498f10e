"""`…/events/{event}/sign-ups` and `…/check-in`: taking part, offered places, guests, who has come."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import EmailStr
from starlette.responses import Response

from services.gateway.client import Errand
from services.gateway.documents import (
    EVENT_ID,
    HUB_ID,
    IDEMPOTENCY_KEY,
    NOT_MODIFIED,
    Listing,
    documented,
    refusals,
)
from services.gateway.documents.event_examples import SIGN_UPS
from services.gateway.responses import answer, id_in, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Acting,
    Base,
    Cursor,
    EventId,
    Limit,
    Ordering,
    PlainRoute,
    SignUpId,
    StrictRoute,
    Visit,
    id_in_path,
    key_in_header,
    parsed,
    said,
    services,
    signed_in,
    slug_in_path,
)
from shared.contracts.base import Body, Language, Line
from shared.contracts.base import Request as ServiceRequest
from shared.contracts.directory.requests import NamePeople, PersonView, RegisterGuest
from shared.contracts.events.requests import GetEvent
from shared.contracts.events.sign_ups import (
    AcceptOffer,
    Arrival,
    DeclineOffer,
    GetSignUp,
    GiveBackPlace,
    ListSignUps,
    NewSignUp,
    RegisterArrival,
    SignUp,
    SignUpGuest,
)
from shared.contracts.events.views import ArrivalView, GuestAnswer, SignUpView
from shared.contracts.events.words import SignUpStatus, Way
from shared.kit.errors import Unavailable
from shared.kit.problems import RemoteProblem
from shared.kit.requester import Reply

PREFIX = "/v1/hubs/{hub}/events/{event}"
router = APIRouter(route_class=StrictRoute, prefix=PREFIX, tags=["sign-ups"], dependencies=SIGN_IN)
# Signing up takes the request as it is, like reserving: a popular event is signed up for by everybody at once.
hot = APIRouter(route_class=PlainRoute, prefix=PREFIX, tags=["sign-ups"])

_ACT: dict[str, Any] = {"response_model": SignUpView, "responses": refusals(403, 409)}
"""What every order about one sign-up has in common."""


class GuestBody(Body):
    """Somebody without an account who wants to come."""

    name: Line
    email: EmailStr
    language: Language = "en"


class SignUpBody(NewSignUp):
    """A sign-up asked for: one's own, or a guest's, who is sent a link and comes once they have followed it."""

    guest: GuestBody | None = None


@hot.post(
    "/sign-ups",
    status_code=201,
    response_model=SignUpView,
    responses=refusals(403, 409) | {202: {"model": GuestAnswer, "description": "A guest: a link is sent"}},
    openapi_extra=documented(SignUpBody, SIGN_UPS, HUB_ID, EVENT_ID, IDEMPOTENCY_KEY, sign_in=False),
)
async def sign_up(request: Request) -> Response:
    """Attend, or stand in line when it is full; places are given in the order of signing up.

    With `guest` also without signing in, for public events: the answer is 202 whether or not the guest is known here.
    """
    person: UUID | None = request.state.person
    ask = await services(request)
    hub, event, key = slug_in_path(request, "hub"), id_in_path(request, "event"), key_in_header(request)
    body = parsed(SignUpBody, await request.body() or b"{}")
    how: dict[str, Any] = {} if body.way is None else {"way": body.way}
    if body.guest is not None:
        guest = await _register(ask, person, hub, event, body.guest)
        expected = SignUpGuest(hub=hub, event=event, guest=guest, **how)
        noted = await ask.ask_in(hub, expected, person=person, key=key)
        return answer(request, replace(noted, status=202))
    person = await signed_in(request)
    # The body is validated already; building the request from it must not cost as much again.
    wanted = SignUp.model_construct(hub=hub, event=event, **how)
    reply = await ask.ask_in(hub, wanted, person=person, key=key)
    location = f"/v1/hubs/{hub}/events/{event}/sign-ups/{id_in(reply)}"
    return answer(request, reply, location=location, counted=True)


async def _register(ask: Errand, person: UUID | None, hub: str, event: UUID, guest: GuestBody) -> UUID:
    # Nobody gets into the directory for an event that is not there for them.
    await ask.ask_in(hub, GetEvent(hub=hub, event=event), person=person)
    known = RegisterGuest(hub=hub, name=guest.name, email=guest.email, language=guest.language)
    return PersonView.model_validate_json((await ask.ask_in(hub, known, person=person)).body).id


@router.get("/sign-ups", response_model=Listing[SignUpView], responses=NOT_MODIFIED | refusals(403))
async def list_sign_ups(
    visit: Acting,
    base: Base,
    event: EventId,
    status: Annotated[list[SignUpStatus] | None, Query(max_length=7)] = None,
    way: Way | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Who comes and who waits, by name and place; for those who run the event and the hub's staff."""
    states = tuple(status or ())
    wanted = ListSignUps(hub=visit.hub, event=event, status=states, way=way, limit=limit, cursor=cursor)
    reply = await visit.asked(wanted)
    page = orjson.loads(reply.body)
    await _put_in_names(visit, page["items"])
    return listing(visit.request, replace(reply, body=orjson.dumps(page)), base)


@router.get("/sign-ups/{sign_up}", response_model=SignUpView, responses=NOT_MODIFIED | refusals())
async def get_sign_up(visit: Acting, event: EventId, sign_up: SignUpId) -> Response:
    """One sign-up, for its person, for those who run the event and for the hub's staff."""
    return await _one(visit, GetSignUp(hub=visit.hub, event=event, sign_up=sign_up))


@router.delete("/sign-ups/{sign_up}", **_ACT)
async def give_back_place(visit: Acting, event: EventId, sign_up: SignUpId) -> Response:
    """Not come after all; the place goes to the next in line at once. Twice changes nothing."""
    return await _one(visit, GiveBackPlace(hub=visit.hub, event=event, sign_up=sign_up))


@router.post("/sign-ups/{sign_up}/accept", **_ACT)
async def accept_offer(visit: Ordering, event: EventId, sign_up: SignUpId) -> Response:
    """Take the place that has become free and is offered."""
    return await _one(visit, AcceptOffer(hub=visit.hub, event=event, sign_up=sign_up))


@router.post("/sign-ups/{sign_up}/decline", **_ACT)
async def decline_offer(visit: Ordering, event: EventId, sign_up: SignUpId) -> Response:
    """Leave the offered place to the next in line."""
    return await _one(visit, DeclineOffer(hub=visit.hub, event=event, sign_up=sign_up))


@router.post("/check-in", **_ACT | {"response_model": ArrivalView})
async def register_arrival(visit: Ordering, event: EventId, body: Arrival) -> Response:
    """Somebody is there: by code, from the list, or people without names. For those who run the event and staff."""
    reply = await visit.asked(RegisterArrival(hub=visit.hub, event=event, **said(body)))
    return answer(visit.request, await _named(visit, reply, "sign_up"))


async def _one(visit: Visit, wanted: ServiceRequest[SignUpView]) -> Response:
    return answer(visit.request, await _named(visit, await visit.asked(wanted)), counted=True)


async def _named(visit: Visit, reply: Reply, member: str | None = None) -> Reply:
    """The answer with the name of whose sign-up it is, unless that is the one who asks."""
    view = orjson.loads(reply.body)
    sign_up = view if member is None else view[member]
    # Whoever is shown somebody else's sign-up runs the event: that was decided where the answer comes from.
    if sign_up is None or sign_up["person"] == str(visit.person):
        return reply
    await _put_in_names(visit, [sign_up])
    return replace(reply, body=orjson.dumps(view))


async def _put_in_names(visit: Visit, sign_ups: list[dict[str, Any]]) -> None:
    """Names, and guests' addresses, from the directory, which asks nobody who may read them: the events service has."""
    if not sign_ups:
        return
    people = tuple(UUID(one["person"]) for one in sign_ups)
    contact = any(one["guest"] for one in sign_ups)
    wanted = NamePeople(hub=visit.hub, people=people, contact=contact, what="sign-ups")
    try:
        reply = await visit.ask.ask_in(visit.hub, wanted, person=visit.person)
    except (Unavailable, RemoteProblem):
        # The list without names is better than no list at the door.
        return
    known = {one["person"]: one for one in orjson.loads(reply.body)["items"]}
    for sign_up in sign_ups:
        named = known.get(sign_up["person"], {})
        sign_up["name"] = named.get("name")
        sign_up["email"] = named.get("email") if sign_up["guest"] else None
