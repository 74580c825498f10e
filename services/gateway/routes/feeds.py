"""Calendar feeds: a hub's programme for everybody, and one's own events at an address that is a secret."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import PERSONAL, PUBLIC, answer, calendar, id_in, listing, seen_by
from services.gateway.routes.event_calendars import CalendarText
from services.gateway.routes.parts import (
    SIGN_IN,
    Ask,
    Base,
    Cursor,
    HubId,
    Limit,
    Somebody,
    StrictRoute,
    Tongue,
    said,
)
from shared.contracts.events.calendars import (
    GetPersonalCalendar,
    GetProgrammeCalendar,
    ListFeeds,
    MakeFeed,
    NewFeed,
    RevokeFeed,
)
from shared.contracts.events.views import FeedView, NewFeedView

router = APIRouter(route_class=StrictRoute, prefix="/v1", tags=["calendars"])

FeedId = Annotated[UUID, Path(description="The address's id; it is not the secret in it.")]
Secret = Annotated[
    str, Path(pattern="^[A-Za-z0-9_-]{1,100}$", description="The secret, as it was shown once.")
]


@router.get(
    "/hubs/{hub}/feeds/programme.ics", response_class=CalendarText, responses=NOT_MODIFIED | refusals()
)
async def get_programme_calendar(request: Request, ask: Ask, hub: HubId, language: Tongue) -> Response:
    """The hub's public events as a feed to subscribe to. Open to everybody, and the same for everybody."""
    wanted = GetProgrammeCalendar(hub=hub, seen=seen_by(request), language=language)
    return calendar(request, await ask.ask_in(hub, wanted, person=None), hub, keep=PUBLIC)


@router.post(
    "/hubs/{hub}/feeds",
    status_code=201,
    response_model=NewFeedView,
    responses=refusals(403, 409),
    dependencies=SIGN_IN,
)
async def make_feed(
    request: Request, ask: Ask, person: Somebody, hub: HubId, body: NewFeed | None = None
) -> Response:
    """Make an address for one's own events: `/v1/feeds/<secret>.ics`. The secret is shown this once.

    It takes no Idempotency-Key: answers under keys are kept for a day, and a secret is not to be kept.
    """
    reply = await ask.ask_in(hub, MakeFeed(hub=hub, **said(body)), person=person)
    return answer(request, reply, location=f"/v1/me/feeds/{id_in(reply)}")


@router.get(
    "/me/feeds",
    response_model=Listing[FeedView],
    responses=NOT_MODIFIED | refusals(),
    dependencies=SIGN_IN,
)
async def list_feeds(
    request: Request, ask: Ask, base: Base, person: Somebody, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """My calendar addresses, without their secrets."""
    return listing(request, await ask.ask(ListFeeds(limit=limit, cursor=cursor), person=person), base)


@router.delete("/me/feeds/{feed}", response_model=FeedView, responses=refusals(), dependencies=SIGN_IN)
async def revoke_feed(request: Request, ask: Ask, person: Somebody, feed: FeedId) -> Response:
    """From now on the address answers nobody."""
    return answer(request, await ask.ask(RevokeFeed(feed=feed), person=person))


@router.get("/feeds/{secret}.ics", response_class=CalendarText, responses=NOT_MODIFIED | refusals())
async def get_personal_calendar(request: Request, ask: Ask, secret: Secret, language: Tongue) -> Response:
    """Somebody's own events, for whoever knows the address."""
    wanted = GetPersonalCalendar(secret=secret, seen=seen_by(request), language=language)
    return calendar(request, await ask.ask(wanted, person=None), "foci", keep=PERSONAL)
