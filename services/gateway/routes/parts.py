"""What routes share: the pieces of an HTTP request they are given."""

from __future__ import annotations

import re
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ValidationError
from starlette.requests import HTTPConnection

from services.gateway.client import Services
from shared.contracts.base import SLUG_PATTERN
from shared.kit.principal import Unauthenticated

B = TypeVar("B", bound=BaseModel)
_SLUG = re.compile(SLUG_PATTERN.replace("$", r"\Z"))

bearer = HTTPBearer(auto_error=False, description="A Foci token, as `foci token` prints it.")

HubId = Annotated[
    str, Path(pattern=SLUG_PATTERN, description="The hub's slug.", examples=["almhult-kulturhus"])
]
SpaceId = Annotated[str, Path(pattern=SLUG_PATTERN, description="The space's slug.", examples=["room"])]
BookingId = Annotated[UUID, Path(description="The booking's id.")]
PersonId = Annotated[UUID, Path(description="The person's id.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Items per page.")]
Cursor = Annotated[str | None, Query(max_length=200, description="From the `next` of the page before.")]
IfMatch = Annotated[str | None, Header(alias="If-Match", description="The ETag the change was decided on.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Repeat a request with the same key and it is carried out once; kept for 24 hours.",
        examples=["0190d4f8-5b7e-7c3e-9a52-0242ac120002"],
    ),
]


async def services(connection: HTTPConnection) -> Services:
    """The way to the services, built in main."""
    found: Services = connection.app.state.services
    return found


async def base_url(request: Request) -> str:
    """How the caller reaches us, without a slash at the end."""
    configured: str | None = request.app.state.settings.public_url
    return (configured or str(request.base_url)).rstrip("/")


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


# All are coroutines: FastAPI would hand plain functions to a thread, which costs more than the rest of the request.
Ask = Annotated[Services, Depends(services)]
Anybody = Annotated[UUID | None, Depends(caller)]
Somebody = Annotated[UUID, Depends(signed_in)]
Base = Annotated[str, Depends(base_url)]
SIGN_IN = [Depends(bearer)]


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
