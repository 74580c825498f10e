"""What is said of errors where keepers read it: what went wrong and where, and nothing that somebody has written."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from types import TracebackType

from pydantic import ValidationError

UNSAYABLE = "what it says cannot be said"
CAUSED = "The above exception was the direct cause of the following exception:"
MEANWHILE = "During handling of the above exception, another exception occurred:"
LONGEST_STATEMENT = 500

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def said(error: BaseException) -> str:
    """Its class and what it says, without values.

    PostgreSQL's errors have values in their detail ("Key (email)=(…) already exists."), those about data that is not of its
    type in the message itself, and pydantic's repeat what they were given.
    """
    try:
        words = _words(error)
    except Exception:  # noqa: BLE001  # whatever an error does when it is asked, the log must not fail
        words = UNSAYABLE
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _words(error: BaseException) -> str:
    origin = _origin(error)
    if origin is not error:
        statement = getattr(error, "statement", None)
        return said(origin) + (f" [SQL: {statement[:LONGEST_STATEMENT]}]" if statement else "")
    if _is_of(error, "asyncpg"):
        about_data = any(known.__name__ == "DataError" for known in type(error).__mro__)
        return "" if about_data or not error.args else str(error.args[0])
    if isinstance(error, ValidationError):
        return _faults(error.errors(include_url=False, include_input=False, include_context=False))
    faults = getattr(error, "errors", None)  # as FastAPI's
    return _faults(faults()) if callable(faults) else str(error)


def _origin(error: BaseException) -> BaseException:
    """What SQLAlchemy's error passes on, by way of one in between that plays the driver's."""
    inner = getattr(error, "orig", None) if _is_of(error, "sqlalchemy") else None
    return _origin(inner) if isinstance(inner, BaseException) else error


def _is_of(error: BaseException, library: str) -> bool:
    """By name: a process without a database never loads its driver."""
    return any(known.__module__.partition(".")[0] == library for known in type(error).__mro__)


def _faults(faults: object) -> str:
    """Where, and pydantic's code for what: its sentences may repeat what was given, too."""
    if not isinstance(faults, (list, tuple)):
        return UNSAYABLE
    return ", ".join(f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in faults)


def traced(exc_info: ExcInfo) -> str:
    """The traceback as Python prints it, with what is `said` in place of what the errors say themselves."""
    return "\n".join(_lines(exc_info[1], set()))


def last_words(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    """For `sys.excepthook`: what nobody has caught ends the process, and is said like everything else."""
    sys.stderr.write(traced((kind, error, where)) + "\n")


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _lines(before, seen)
        yield f"\n{CAUSED if error.__cause__ else MEANWHILE}\n"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    yield said(error)
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            if id(one) not in seen:
                yield from (f"  | {line}" for part in _lines(one, seen) for line in part.split("\n"))
