"""RFC 9457 problem documents from errors, and errors from problem documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from pydantic import ValidationError

from shared.kit.errors import FociError, Invalid, Unavailable, is_passing

MEDIA_TYPE = "application/problem+json"
DOCS = "https://foci.example/problems/"
"""Base of problem types; `docs/problems.md` describes each code."""

Problem = dict[str, Any]


def problem(status: int, code: str, title: str, detail: str, **extra: Any) -> Problem:
    """A problem document; members that are None are left out."""
    members = {"type": DOCS + code, "title": title, "status": status, "code": code, "detail": detail, **extra}
    return {name: value for name, value in members.items() if value is not None}


def of_error(error: BaseException) -> Problem:
    """The problem that tells a caller about `error`; what is unforeseen says nothing of our insides."""
    if isinstance(error, Unavailable):
        return problem(
            error.status, error.code, error.title, error.detail, retry_after=error.retry_after, **error.extra
        )
    if isinstance(error, FociError):
        return problem(error.status, error.code, error.title, error.detail, field=error.field, **error.extra)
    if is_passing(error):
        return of_error(Unavailable("A part of Foci is away for a moment. Try again shortly."))
    return problem(
        500,
        "internal",
        "Something went wrong here",
        "It has been logged. Try again, and tell us if it stays.",
    )


def of_validation(error: ValidationError) -> Problem:
    """A 422 that names every field at fault."""
    return of_faults(error.errors(include_url=False, include_input=False, include_context=False))


def of_faults(faults: Sequence[Mapping[str, Any]], *, drop: int = 0) -> Problem:
    """A 422 from pydantic's faults; the values are not repeated, they may be private.

    `drop` leaves out that many leading parts of each place, such as FastAPI's `body` or `query`.
    """
    named = [
        {"field": ".".join(str(part) for part in fault["loc"][drop:]) or "body", "detail": fault["msg"]}
        for fault in faults
    ]
    first = named[0]
    detail = f"{first['field']}: {first['detail']}"
    return problem(422, Invalid.code, Invalid.title, detail, field=first["field"], errors=named)


_PLAIN = {
    400: ("bad-request", "The request cannot be read", "It is not well-formed HTTP or JSON."),
    404: ("not-found", "Not found", "There is nothing at this address."),
    413: ("body-too-large", "The request body is too large", "Send less; no request needs so much."),
    408: ("request-timeout", "The request did not arrive", "Its end did not come in time. Send it again."),
    431: (
        "headers-too-large",
        "The address or the headers are too long",
        "Send less; no request needs so much.",
    ),
    405: ("method-not-allowed", "Not a method of this address", "The Allow header names those it has."),
}


def of_status(status: int) -> Problem:
    """The problem for a refusal that the HTTP framework made by itself."""
    code, title, detail = _PLAIN.get(
        status, ("http-error", "The request was refused", "See the status code.")
    )
    return problem(status, code, title, detail)


class RemoteProblem(FociError):
    """Another service refused; its problem is passed on as it is."""

    def __init__(self, document: Problem) -> None:
        super().__init__(str(document.get("detail", "")))
        self.document = document


def code_of(document: str) -> str:
    """The code inside a problem document in JSON."""
    return str(orjson.loads(document).get("code", "internal"))
