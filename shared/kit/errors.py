"""The five kinds of error; every business error is one of them with a code and a sentence."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from nats.errors import Error as NatsError


class FociError(Exception):
    """Something the caller is told about: what is wrong, where, and what to do.

    `code` is stable and names the documentation page; `detail` is a sentence for a person; `field` is the
    input at fault; `extra` are further members of the problem, JSON-ready.
    """

    kind: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong here"

    def __init__(self, detail: str, *, field: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.extra = extra


class NotFound(FociError):
    """There is no such thing, or not for you."""

    kind = "not-found"
    status = 404
    code = "not-found"
    title = "Not found"


class Conflict(FociError):
    """The request is fine but what is there stands against it."""

    kind = "conflict"
    status = 409
    code = "conflict"
    title = "In conflict with what is there"


class Forbidden(FociError):
    """You may not do this."""

    kind = "forbidden"
    status = 403
    code = "forbidden"
    title = "Not allowed"


class Invalid(FociError):
    """The request cannot be right, whatever is there."""

    kind = "invalid"
    status = 422
    code = "invalid"
    title = "The request is not valid"


class Unavailable(FociError):
    """Not now: try again after `retry_after` seconds."""

    kind = "unavailable"
    status = 503
    code = "unavailable"
    title = "Not available right now"

    def __init__(self, detail: str, *, retry_after: int = 1, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.retry_after = retry_after


class VersionMismatch(Conflict):
    """Somebody changed it meanwhile: read it again, then decide."""

    status = 412
    code = "version-mismatch"
    title = "It has changed meanwhile"


class IdempotencyKeyReused(Invalid):
    """The same key came with another request."""

    code = "idempotency-key-reused"
    title = "The idempotency key belongs to another request"


# Class 08: connection, 57: operator intervention (shutdown, crash), 53: resources, 40: serialization and
# deadlock, 55P03: lock timeout, 25P04: transaction timeout. All mean "not now"; none says the request was
# wrong.
_PASSING = ("08", "57", "53", "40", "55P03", "25P04")


def _is_sqlalchemys(error: BaseException, *names: str) -> bool:
    """Whether it is one of SQLAlchemy's errors of these names; a process without a database never loads them."""
    classes = type(error).__mro__
    return any(known.__module__ == "sqlalchemy.exc" and known.__name__ in names for known in classes)


def is_outdated(error: BaseException) -> bool:
    """True when a migration has changed a table under a statement prepared before: the next try prepares it anew."""
    found = getattr(error, "orig", None) if _is_sqlalchemys(error, "DBAPIError") else error
    return type(found).__name__ == "InvalidCachedStatementError"


def is_passing(error: BaseException) -> bool:
    """True when a dependency is away or busy, so that the same request may well succeed later."""
    if isinstance(error, (Unavailable, OSError, asyncio.TimeoutError, TimeoutError, NatsError)):
        return True
    if is_outdated(error):
        return True
    if _is_sqlalchemys(error, "TimeoutError", "InterfaceError", "OperationalError"):
        return True
    state = getattr(error, "sqlstate", None)
    if _is_sqlalchemys(error, "DBAPIError"):
        if getattr(error, "connection_invalidated", False):
            return True
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state is None and type(error).__module__.startswith("asyncpg"):
        # asyncpg's own "connection is closed" family carries no SQLSTATE.
        return type(error).__name__ in {
            "InterfaceError",
            "ConnectionDoesNotExistError",
            "InternalClientError",
        }
    return isinstance(state, str) and state.startswith(_PASSING)
