"""What the published documents say beside the routes: problems, examples, security."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.base import SLUG_PATTERN

T = TypeVar("T")


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


_TITLES = {
    400: "The request cannot be read",
    401: "Nobody has signed in, or the token is not valid",
    403: "The person may not do this",
    404: "There is no such thing, or it is not for this person",
    405: "Not a method of this address",
    409: "In conflict with what is there",
    412: "It has changed meanwhile",
    413: "The body is too large",
    422: "The request is not valid; `errors` names the fields",
    428: "If-Match is missing",
    429: "Too many requests; Retry-After says when",
    500: "Something went wrong here",
    503: "A part of Foci is away; Retry-After says when",
}
_ALWAYS = (400, 401, 404, 413, 422, 429, 500, 503)


def refusals(*more: int) -> dict[int | str, dict[str, Any]]:
    """The documented refusals of a route: those every route has, and these."""
    return {
        status: {
            "model": Problem,
            "description": _TITLES[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted({*_ALWAYS, *more})
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
    "schema": {"type": "string", "examples": ["0190d4f8-5b7e-7c3e-9a52-0242ac120002"]},
}
EXTRA_SCHEMAS: dict[str, dict[str, Any]] = {}
"""Schemas of bodies that FastAPI does not see because their routes read the request themselves."""


def documented(
    body: type[BaseModel], examples: dict[str, Any], *parameters: dict[str, Any]
) -> dict[str, Any]:
    """What OpenAPI says of a route that takes the request as it is: body, parameters, and that one signs in."""
    shape = body.model_json_schema(ref_template="#/components/schemas/{model}")
    EXTRA_SCHEMAS.update(shape.pop("$defs", {}))
    EXTRA_SCHEMAS[body.__name__] = shape
    reference = {"$ref": f"#/components/schemas/{body.__name__}"}
    return {
        "parameters": list(parameters),
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": reference, "examples": examples}},
        },
        "security": [{"HTTPBearer": []}],
    }
