"""What the published documents say beside the routes: problems, examples, security."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from services.gateway.documents import (
    event_examples,
    examples,
    matching_examples,
    notify_examples,
    sign_in_examples,
)
from shared.contracts.base import SLUG_PATTERN
from shared.kit import problems

T = TypeVar("T")
EXAMPLES = (
    examples.EXAMPLES
    | event_examples.EXAMPLES
    | matching_examples.EXAMPLES
    | notify_examples.EXAMPLES
    | sign_in_examples.EXAMPLES
)
"""A value of each schema that people read most, by the schema's name."""


class Listing(BaseModel, Generic[T]):
    """A page of a collection."""

    items: list[T]
    next: str | None = Field(default=None, description="URL of the next page; null on the last one.")


class FieldFault(BaseModel):
    """One field at fault."""

    field: str
    detail: str


class Problem(BaseModel):
    """RFC 9457 problem document; some codes carry further members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="A page that explains the code.", examples=["https://foci.example/problems/space-taken"]
    )
    title: str
    status: int = Field(ge=400, le=599)
    code: str = Field(description="Stable; decide on this.", examples=["space-taken"])
    detail: str = Field(description="A sentence for a person.")
    field: str | None = Field(default=None, description="The input at fault.")
    errors: list[FieldFault] | None = None


PROBLEMS: dict[int, tuple[str, ...]] = {
    400: ("bad-request",),
    401: ("unauthenticated", "session-over"),
    403: ("forbidden", "not-a-member", "belongs-nowhere", "cross-site", "not-for-this-token"),
    404: ("not-found", "link-invalid", "no-such-notice"),
    405: ("method-not-allowed",),
    409: (
        "space-taken",
        "closed",
        "too-short",
        "too-long",
        "in-the-past",
        "too-far-ahead",
        "hold-expired",
        "wrong-state",
        "already-imported",
        "space-exists",
        "already-a-member",
        "not-open",
        "event-full",
        "already-signed-up",
        "offer-lapsed",
        "capacity-below-sign-ups",
        "wrong-event",
        "not-attending",
        "link-used",
        "too-many-statements",
        "too-many-organisations",
        "too-many-webhooks",
        "too-many-api-tokens",
        "webhook-not-active",
        "message-too-large",
        "not-open-yourself",
        "too-many-introductions",
        "cannot-introduce",
        "introduction-over",
        "hub-elsewhere",
        "conflict",
    ),
    412: ("version-mismatch",),
    413: ("body-too-large",),
    422: (
        "invalid",
        "idempotency-key-reused",
        "time-does-not-exist",
        "time-exists-twice",
        "rule-without-dates",
        "rule-not-understood",
        "too-many-dates",
        "pace-not-possible",
        "always-sent",
        "webhook-url",
        "webhook-not-public",
        "webhook-host-not-found",
        "unknown-fact-type",
        "report-not-understood",
    ),
    428: ("precondition-required",),
    429: ("too-many-requests", "too-many-streams"),
    500: ("internal",),
    503: ("unavailable",),
}
"""The codes a caller may meet, by status, the most likely first."""
_SAID = {
    400: ("The request cannot be read", "It is not well-formed HTTP or JSON."),
    401: ("Nobody has signed in, or the token is not valid", "The token has expired. Get a new one."),
    403: ("The person may not do this", "Opening a space needs one of these roles in here: admin, operator."),
    404: ("There is no such thing, or it is not for this person", "There is no hub nowhere."),
    405: ("Not a method of this address", "The Allow header names those it has."),
    409: ("In conflict with what is there", "The room is taken at that time."),
    412: ("It has changed meanwhile", "The booking is at version 3 now. Read it again, then decide."),
    413: ("The body is too large", "Send less; no request needs so much."),
    422: ("The request is not valid; `errors` names the fields", "seats: Input should be greater than 0"),
    428: ("If-Match is missing", "Send If-Match with the ETag you read."),
    429: ("Too many requests; Retry-After says when", "At most 600 per 1 minute here. Try again in 7 s."),
    500: ("Something went wrong here", "It has been logged. Try again, and tell us if it stays."),
    503: ("A part of Foci is away; Retry-After says when", "The booking service is away for a moment."),
}
_ALWAYS = (400, 401, 403, 404, 413, 422, 429, 500, 503)
_WAIT = {
    "description": "Seconds until it is worth trying again.",
    "schema": {"type": "integer", "minimum": 1},
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    405: {"Allow": {"schema": {"type": "string"}}},
    429: {"Retry-After": _WAIT},
    503: {"Retry-After": _WAIT},
}


def _example(status: int) -> dict[str, Any]:
    code = PROBLEMS[status][0]
    title, detail = _SAID[status]
    return {
        "type": problems.DOCS + code,
        "title": title.partition(";")[0],
        "status": status,
        "code": code,
        "detail": detail,
    }


def refusals(*more: int) -> dict[int | str, dict[str, Any]]:
    """The documented refusals of a route: those every route has, and these."""
    reference = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": f"{_SAID[status][0]}. Codes: {', '.join(PROBLEMS[status])}.",
            "content": {problems.MEDIA_TYPE: {"schema": reference, "example": _example(status)}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
        for status in sorted({*_ALWAYS, *more})
    }


PAGE: dict[str, Any] = {"text/html": {"schema": {"type": "string"}}}
"""A page for people, beside JSON."""
_BY_THE_DOOR = (400, 401, 413, 422, 429)


def paged(refused: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """The same refusals of a route that shows pages too; what the door or the address refuses is never one."""
    return {
        status: one if status in _BY_THE_DOOR else {**one, "content": one["content"] | PAGE}
        for status, one in refused.items()
    }


NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The caller has it already (If-None-Match)"}
}

HUB_ID: dict[str, Any] = {
    "name": "hub",
    "in": "path",
    "required": True,
    "description": "The hub's slug.",
    "schema": {"type": "string", "pattern": SLUG_PATTERN, "examples": ["alvhamn-coffice"]},
}
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeat a request with the same key and it is carried out once; kept for 24 hours.",
    "schema": {
        "type": "string",
        "pattern": r"^[\x20-\x7e]{1,255}$",
        "examples": ["0190d4f8-5b7e-7c3e-9a52-0242ac120002"],
    },
}
EVENT_ID: dict[str, Any] = {
    "name": "event",
    "in": "path",
    "required": True,
    "description": "The event's id.",
    "schema": {"type": "string", "format": "uuid"},
}
EXTRA_SCHEMAS: dict[str, dict[str, Any]] = {}
"""Schemas of bodies that FastAPI does not see because their routes read the request themselves."""


def documented(
    body: type[BaseModel], values: dict[str, Any], *parameters: dict[str, Any], sign_in: bool = True
) -> dict[str, Any]:
    """What OpenAPI says of a route that takes the request as it is: body, parameters, and whether one must sign in."""
    shape = body.model_json_schema(ref_template="#/components/schemas/{model}")
    EXTRA_SCHEMAS.update(shape.pop("$defs", {}))
    EXTRA_SCHEMAS[body.__name__] = shape
    reference = {"$ref": f"#/components/schemas/{body.__name__}"}
    return {
        "parameters": list(parameters),
        "requestBody": {
            # Where nothing has to be said, nothing has to be sent.
            "required": bool(shape.get("required")),
            "content": {"application/json": {"schema": reference, "examples": values}},
        },
        "security": [{"HTTPBearer": []}] if sign_in else [{}, {"HTTPBearer": []}],
    }


_ETAG = {"description": "The version; send it as If-None-Match or If-Match.", "schema": {"type": "string"}}
_LOCATION = {
    "description": "Where the new object is.",
    "schema": {"type": "string", "format": "uri-reference"},
}
_LINK = {"description": '`rel="next"`, the next page; absent on the last.', "schema": {"type": "string"}}


def completed(schema: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's document with what it cannot know: problems, headers, examples."""
    parts = schema["components"]["schemas"]
    shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts |= shape.pop("$defs", {})
    parts["Problem"] = shape
    for name, extra in EXTRA_SCHEMAS.items():
        parts.setdefault(name, extra)
    for unused in ("HTTPValidationError", "ValidationError"):
        parts.pop(unused, None)
    for name, value in EXAMPLES.items():
        parts[name]["examples"] = [value]
    for path, item in schema["paths"].items():
        for operation in item.values():
            _complete_operation(path, operation)
    schema["servers"] = [{"url": "/"}]
    schema["x-problems"] = {str(status): list(codes) for status, codes in PROBLEMS.items()}
    return schema


_LAST = 10_000


def _complete_operation(path: str, operation: dict[str, Any]) -> None:
    # In the order of the address, wherever a route says them; the others after them.
    operation.get("parameters", []).sort(key=lambda one: path.find(f"{{{one['name']}}}") % _LAST)
    if "security" not in operation:
        # Open to everybody; who has signed in may see more.
        operation["security"] = [{}, {"HTTPBearer": []}]
    for status, response in operation["responses"].items():
        if not status.startswith(("2", "304")):
            continue
        if "text/event-stream" in response.get("content", {}):
            continue
        headers = response.setdefault("headers", {})
        headers["ETag"] = _ETAG
        if status == "201":
            headers["Location"] = _LOCATION
        if any(one["name"] == "cursor" for one in operation.get("parameters", ())):
            headers["Link"] = _LINK
    operation.setdefault("description", path)


TAGS = [
    {"name": "bookings", "description": "Claims of places for a time."},
    {"name": "spaces", "description": "What can be booked, what is free, how full it is."},
    {
        "name": "events",
        "description": "Meetups: what members start, alone or in series, and the hub's care for it.",
    },
    {
        "name": "sign-ups",
        "description": "Taking part: places, the waiting line, guests' links, who has come.",
    },
    {"name": "calendars", "description": "Events as iCalendar files, feeds and linked data."},
    {"name": "notices", "description": "What one is told: the inbox, choices, links in messages."},
    {"name": "webhooks", "description": "What a hub's own systems are sent."},
    {"name": "api-tokens", "description": "What a hub's kiosks and systems prove themselves with."},
    {"name": "mail", "description": "For the cell's mail server."},
    {"name": "profiles", "description": "What people and organisations offer and need, and who may know."},
    {
        "name": "introductions",
        "description": "Meeting somebody: asked for or suggested, named when both have said yes.",
    },
    {"name": "members", "description": "A hub's people, as far as they let themselves be read."},
    {"name": "skills-missing", "description": "What a town lacks, as open data, and what its hubs want."},
    {
        "name": "skills",
        "description": "What people offer and need, found from anybody's words in any language.",
    },
    {"name": "matches", "description": "Who suits the signed-in person, and why."},
    {"name": "hubs", "description": "The public directory, and who belongs to a hub."},
    {"name": "sign-in", "description": "Links by mail, sessions, and what tokens are checked with."},
    {"name": "live", "description": "What happens in a hub, as it happens."},
    {"name": "me", "description": "The signed-in person."},
    {"name": "documents", "description": "What is published about this door and about the bus."},
]
