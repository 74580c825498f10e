"""What routes share: the pieces of an HTTP request they are given."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import AfterValidator, AwareDatetime, BaseModel, ValidationError
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.gateway.client import Errand, Services
from services.gateway.documents import IDEMPOTENCY_KEY
from services.gateway.responses import unsealed
from shared.contracts.base import SLUG_PATTERN
from shared.contracts.base import Request as ServiceRequest
from shared.contracts.matching.words import CONCEPT_PATTERN
from shared.kit.principal import Unauthenticated
from shared.kit.requester import Reply

B = TypeVar("B", bound=BaseModel)
Handle = Callable[[Request], Coroutine[Any, Any, Response]]
_SLUG = re.compile(SLUG_PATTERN.replace("$", r"\Z"))
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")
_REGION = re.compile(r"[A-Za-z]{2}")
_QUALITY = re.compile(r"q=([01](?:\.[0-9]{1,3})?)\s*$")
_KEY = re.compile(IDEMPOTENCY_KEY["schema"]["pattern"].replace("$", r"\Z"))


class StrictRoute(APIRoute):
    """A route that refuses query parameters it does not know, or is given twice: a misspelt filter would show too much."""

    def get_route_handler(self) -> Handle:
        """FastAPI's handler, with the question looked at first."""
        handle = super().get_route_handler()
        known = dict(_questions(self.dependant))

        async def strict(request: Request) -> Response:
            if request.scope["query_string"]:
                _check_query(request, known)
            return await handle(request)

        return strict


class PlainRoute(StrictRoute):
    """A route whose function takes the request as it is and gives the response itself.

    For the busiest addresses: FastAPI's solving of parameters and its stacks of contexts cost as much as all the rest
    of the gateway. The price is that the route is documented by hand, with `documented`.
    """

    def __init__(self, path: str, endpoint: Handle, **options: Any) -> None:
        super().__init__(path, endpoint, **options)

        async def plain(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive, send)
            if scope["query_string"]:
                _check_query(request, {})
            response = await endpoint(request)
            await response(scope, receive, send)

        self.app = plain


def _questions(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Each query parameter of a route, with whether it may be given more than once."""
    for one in dependant.query_params:
        yield one.alias, "list[" in str(one.field_info.annotation)
    for inner in dependant.dependencies:
        yield from _questions(inner)


def _check_query(request: Request, known: Mapping[str, bool]) -> None:
    names = [name for name, _ in request.query_params.multi_items()]
    faults = [
        {"loc": ("query", name), "msg": "There is no such parameter here."}
        for name in dict.fromkeys(names)
        if name not in known
    ]
    faults += [
        {"loc": ("query", name), "msg": "May be given once."}
        for name, many in known.items()
        if not many and names.count(name) > 1
    ]
    if faults:
        raise RequestValidationError(faults)


def within_calendar(moment: datetime) -> datetime:
    """The moment, when its year is one the services reckon with."""
    if not 1990 <= moment.year < 2200:
        raise ValueError("must lie between 1990 and 2199")
    return moment


bearer = HTTPBearer(auto_error=False, description="A Foci token, as `foci token` prints it.")

HubId = Annotated[
    str, Path(pattern=SLUG_PATTERN, description="The hub's slug.", examples=["almhult-kulturhus"])
]
SpaceId = Annotated[str, Path(pattern=SLUG_PATTERN, description="The space's slug.", examples=["room"])]
BookingId = Annotated[UUID, Path(description="The booking's id.")]
EventId = Annotated[UUID, Path(description="The event's id.")]
SeriesId = Annotated[UUID, Path(description="The series' id.")]
SignUpId = Annotated[UUID, Path(description="The sign-up's id.")]
PersonId = Annotated[UUID, Path(description="The person's id.")]
ConceptId = Annotated[
    str,
    Path(pattern=CONCEPT_PATTERN, description="The skill's id in the vocabulary.", examples=["bookkeeping"]),
]
Limit = Annotated[int, Query(ge=1, le=200, description="Items per page.")]
Few = Annotated[int, Query(ge=1, le=100, description="Items per page.")]
Words = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A filter: text that is only compared."""
Instant = Annotated[AwareDatetime, AfterValidator(within_calendar)]
"""A moment with its offset, in years in which anybody books."""
Moment = Annotated[str | None, Query(min_length=10, max_length=40)]
"""A filter by time, with offset or as wall time in the hub's zone."""
IfMatch = Annotated[str | None, Header(alias="If-Match", description="The ETag the change was decided on.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=IDEMPOTENCY_KEY["name"],
        description=IDEMPOTENCY_KEY["description"],
        pattern=IDEMPOTENCY_KEY["schema"]["pattern"],
        examples=IDEMPOTENCY_KEY["schema"]["examples"],
    ),
]


async def services(connection: HTTPConnection) -> Errand:
    """This request's way to the services, built in main."""
    found: Services = connection.app.state.services
    return found.errand()


async def page_cursor(
    request: Request,
    cursor: Annotated[
        str | None, Query(max_length=400, description="From the `next` of the page before.")
    ] = None,
) -> str | None:
    """Where the service goes on; Invalid for a cursor of another list."""
    return unsealed(request, cursor)


async def base_url(request: Request) -> str:
    """How the caller reaches us, without a slash at the end."""
    configured: str | None = request.app.state.settings.public_url
    return (configured or str(request.base_url)).rstrip("/")


async def wished_language(
    accepted: Annotated[
        str | None, Header(alias="Accept-Language", description="In which language to show texts, if there.")
    ] = None,
) -> str | None:
    """The language the caller likes best, as far as we can name it; None when they do not say."""
    for tag in _wishes(accepted):
        language, _, region = tag.partition("-")
        if _LANGUAGE.fullmatch(language):
            return f"{language.lower()}-{region.upper()}" if _REGION.fullmatch(region) else language.lower()
    return None


def language_among(request: Request, offered: Collection[str]) -> str:
    """The one of `offered` the caller likes best; the last of them when they like none."""
    languages = (tag.partition("-")[0].lower() for tag in _wishes(request.headers.get("accept-language")))
    return next((one for one in languages if one in offered), [*offered][-1])


def wants_page(request: Request) -> bool:
    """Whether the caller likes a page better than JSON, as browsers do; whoever likes everything gets JSON."""
    wishes = dict(_weighed(request.headers.get("accept")))
    page = wishes.get("text/html", wishes.get("text/*", wishes.get("*/*", 0.0)))
    return page > wishes.get("application/json", wishes.get("application/*", wishes.get("*/*", 0.0)))


def wants(request: Request, kind: str) -> bool:
    """Whether the caller likes this kind of text better than JSON, by name; whoever likes everything gets JSON."""
    wishes = dict(_weighed(request.headers.get("accept")))
    json = wishes.get("application/json", wishes.get("application/*", wishes.get("*/*", 0.0)))
    return wishes.get(kind, 0.0) > 0 and wishes.get(kind, 0.0) >= json


def _wishes(header: str | None) -> list[str]:
    """What somebody accepts, the best liked first."""
    return [wish for wish, _ in sorted(_weighed(header), key=lambda one: -one[1])]


def _weighed(header: str | None) -> Iterator[tuple[str, float]]:
    for one in (header or "").split(","):
        wish, _, parameters = one.partition(";")
        yield wish.strip(), _weight(parameters)


def _weight(parameters: str) -> float:
    found = _QUALITY.search(parameters)
    return 1.0 if found is None else float(found[1])


async def caller(request: Request) -> UUID | None:
    """The person who asks, or None."""
    person: UUID | None = request.state.person
    return person


async def signed_in(request: Request) -> UUID:
    """The person who asks; Unauthenticated when nobody has signed in."""
    person: UUID | None = request.state.person
    if person is None:
        raise Unauthenticated("This needs a signed-in person: send `Authorization: Bearer <token>`.")
    return person


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody's request about a hub: who asks, on which way to the services, and under which key if it is an order."""

    request: Request
    ask: Errand
    person: UUID | None
    hub: str
    key: str | None = None

    async def asked(self, wanted: ServiceRequest[Any]) -> Reply:
        """The answer of the cell the hub lives in."""
        return await self.ask.ask_in(self.hub, wanted, person=self.person, key=self.key)


def said(body: BaseModel | None) -> dict[str, Any]:
    """What somebody has said, as they said it: null is said, too, and what is left out is not."""
    return {} if body is None else {name: getattr(body, name) for name in body.model_fields_set}


# All are coroutines: FastAPI would hand plain functions to a thread, which costs more than the rest of the request.
Ask = Annotated[Errand, Depends(services)]
Cursor = Annotated[str | None, Depends(page_cursor)]
Anybody = Annotated[UUID | None, Depends(caller)]
Somebody = Annotated[UUID, Depends(signed_in)]
Tongue = Annotated[str | None, Depends(wished_language)]
Base = Annotated[str, Depends(base_url)]
SIGN_IN = [Depends(bearer)]


async def _looks(request: Request, ask: Ask, person: Anybody, hub: HubId) -> Visit:
    return Visit(request, ask, person, hub)


async def _acts(request: Request, ask: Ask, person: Somebody, hub: HubId) -> Visit:
    return Visit(request, ask, person, hub)


async def _orders(
    request: Request, ask: Ask, person: Somebody, hub: HubId, key: IdempotencyKey = None
) -> Visit:
    return Visit(request, ask, person, hub, key)


Looking = Annotated[Visit, Depends(_looks)]
"""Anybody's request about a hub."""
Acting = Annotated[Visit, Depends(_acts)]
"""A signed-in person's request about a hub."""
Ordering = Annotated[Visit, Depends(_orders)]
"""The same, which may carry an idempotency key."""


def parsed(model: type[B], raw: bytes) -> B:
    """A request body read and checked in one step; RequestValidationError as FastAPI would raise it."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError(
            [{**fault, "loc": ("body", *fault["loc"])} for fault in faults]
        ) from error


def slug_in_path(request: Request, name: str) -> str:
    """A slug out of the address; RequestValidationError when it cannot be one."""
    slug: str = request.path_params[name]
    if _SLUG.match(slug) is None:
        fault = {
            "type": "string_pattern_mismatch",
            "loc": ("path", name),
            "msg": f"String should match pattern '{SLUG_PATTERN}'",
        }
        raise RequestValidationError([fault])
    return slug


def id_in_path(request: Request, name: str) -> UUID:
    """An id out of the address; RequestValidationError when it cannot be one."""
    try:
        return UUID(request.path_params[name])
    except ValueError as error:
        fault = {"type": "uuid_parsing", "loc": ("path", name), "msg": "Input should be a valid UUID"}
        raise RequestValidationError([fault]) from error


def key_in_header(request: Request) -> str | None:
    """The idempotency key; RequestValidationError when it cannot be one."""
    key = request.headers.get(IDEMPOTENCY_KEY["name"])
    if key is not None and _KEY.match(key) is None:
        fault = {"loc": ("header", IDEMPOTENCY_KEY["name"]), "msg": "1 to 255 printable ASCII characters"}
        raise RequestValidationError([fault])
    return key
