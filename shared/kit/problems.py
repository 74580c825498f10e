"""RFC 9457 problem documents from errors, and errors from problem documents."""

from __future__ import annotations

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
    if isinstance(error, ValidationError):
        return of_validation(error)
    if is_passing(error):
        return of_error(Unavailable("A part of Foci is away for a moment. Try again shortly."))
    return problem(
        500,
        "internal",
        "Something went wrong here",
        "It has been logged. Try again, and tell us if it stays.",
    )


def of_validation(error: ValidationError, prefix: tuple[str, ...] = ()) -> Problem:
    """A 422 that names every field at fault; the value itself is not repeated, it may be private."""
    faults = [
        {"field": ".".join(str(part) for part in (*prefix, *fault["loc"])) or "body", "detail": fault["msg"]}
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    first = faults[0]
    return problem(
        422,
        Invalid.code,
        Invalid.title,
        f"{first['field']}: {first['detail']}",
        field=first["field"],
        errors=faults,
    )


class RemoteProblem(FociError):
    """Another service refused; its problem is passed on as it is."""

    def __init__(self, document: Problem) -> None:
        super().__init__(str(document.get("detail", "")))
        self.document = document


def code_of(document: str) -> str:
    """The code inside a problem document in JSON."""
    return str(orjson.loads(document).get("code", "internal"))
