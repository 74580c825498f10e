"""The two kinds of message, a fact and a request, and the words every message is made of."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

SLUG_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
# PostgreSQL text cannot hold NUL, and a title that moves the cursor of a terminal or hides text behind
# right-to-left overrides is an attack on whoever reads the list.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _no_controls(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("contains control characters; remove them")
    return text


Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
"""A name that can stand in a URL and in a NATS subject: a-z, 0-9 and -, at most 63 characters."""

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_no_controls)
]
"""One line of text for people, 1 to 200 characters."""

Plain = Annotated[str, AfterValidator(_no_controls)]
"""Text that is only compared: a filter, a cursor, somebody else's identifier. PostgreSQL can hold no NUL."""

Prose = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=4000), AfterValidator(_no_controls)
]
"""Some lines of text for people, at most 4 000 characters."""

When = Annotated[str, StringConstraints(min_length=10, max_length=40)]
"""A moment with offset (`2027-03-01T10:00:00+01:00`) or wall time in the hub's zone (`2027-03-01T10:00`)."""


def _sign_of(found: re.Match[str]) -> str:
    letter = found[0]
    if letter < " ":
        return chr(0x2400 + ord(letter))
    return "\u2421" if letter == "\x7f" else "\ufffd"


def _shown(text: str) -> str:
    """Control characters as their visible signs, hidden ones as U+FFFD: kept, seen, harmless."""
    return _CONTROL.sub(_sign_of, text.replace("\r\n", "\n"))  # forms send lines that way


def _shown_line(text: str) -> str:
    # Signs first: a line made of separators alone would be split to nothing.
    return " ".join(_shown(text).splitlines())


ShownLine = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_shown_line)
]
"""One line of what people write for others: HTML stays text, control characters become visible."""

ShownText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=8000), AfterValidator(_shown)]
"""Some lines of the same."""

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(?:-[A-Z]{2})?$")]
"""A BCP 47 language tag of the short form, such as `sv` or `en-GB`."""

# Every process imports the whole published language and speaks a part of it: what validates a message is made when
# the first one comes, which takes a tenth off each start. Not for bodies: FastAPI makes theirs with its routes.
_ON_DEMAND = True

ALL_SPACES = "all"
"""Stands for "the whole hub" where a space's slug would stand in a subject; no space may take it."""

EVERYWHERE = "all-hubs"
"""Stands where a hub's slug stands in a fact that is about no hub in particular; no hub may take it."""

NOBODY = UUID(int=2**128 - 1)
"""Stands where somebody was who has been erased: the Max UUID of RFC 9562, which is never given to anybody."""


class Audience(StrEnum):
    """Who may be shown a fact. Everything that hands facts to people or outside systems obeys it."""

    PUBLIC = "public"
    MEMBERS = "members"
    HOSTS = "hosts"
    PERSONS = "persons"
    OPERATORS = "operators"


class Fact(BaseModel):
    """Something that happened, stated once on the bus by the service that owns it.

    `subject` is the entity the fact is about and `subject_version` counts that entity's facts from 1 without
    gaps: it is the only order a consumer may rely on. A published class is frozen for ever; a new *optional*
    field may join it, anything else is a new class with the next version beside it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=_ON_DEMAND)

    service: ClassVar[str]
    fact: ClassVar[str]
    version: ClassVar[int] = 1
    audience: ClassVar[Audience]

    id: UUID = Field(description="Id of this fact (UUIDv7); a fact that arrives twice has the same one.")
    hub: Slug = Field(description="The hub it happened in.")
    occurred_at: AwareDatetime = Field(description="When it happened, UTC.")
    subject: str = Field(description="Id of the entity it is about.")
    subject_version: int = Field(ge=1, description="Place of this fact in the entity's history.")

    @classmethod
    def subject_for(cls, hub: str) -> str:
        """The NATS subject the fact travels on; `hub` may be `*` for a filter."""
        return f"hubs.{hub}.{cls.service}.{cls.fact}.v{cls.version}"

    @property
    def aspect(self) -> str:
        """What of its subject the fact is about. Of one aspect the newest fact says all, of another it says nothing."""
        return ""


class Snapshot(Fact):
    """What is, not what happened: stated again on demand so that a read model can be filled or rebuilt.

    Its `subject_version` equals that of the entity's latest fact, so a consumer that already knows it drops
    it and one that does not may jump to it.
    """


Reply = TypeVar("Reply", bound=BaseModel)


class Request(BaseModel, Generic[Reply]):
    """A question or an order from the gateway to one service, answered by `reply` or by a problem.

    Unknown fields are refused: a misspelt field must not be dropped in silence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=_ON_DEMAND)

    service: ClassVar[str]
    operation: ClassVar[str]
    reply: ClassVar[type[BaseModel]]
    changes: ClassVar[bool] = False
    """True for an order: it may be given an idempotency key."""
    created: ClassVar[bool] = False
    """True when success makes something new (HTTP 201 with `Location`)."""
    admin: ClassVar[bool] = False
    """True for requests only the platform's own operator may send; never reachable over HTTP."""
    asked_by: ClassVar[str | None] = None
    """The one service that may send it; None for the gateway. Its subject is out of the others' reach."""

    @classmethod
    def subject_for(cls, cell: str, service: str | None = None) -> str:
        """The NATS subject the request is sent to in `cell`; `service` names one where the class serves all."""
        asker = "admin." if cls.admin else f"for.{cls.asked_by}." if cls.asked_by else ""
        return f"rpc.{cell}.{service or cls.service}.{asker}{cls.operation}"


class Body(BaseModel):
    """What a person may say in a request over HTTP; the rest of the request comes from the address."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class View(BaseModel):
    """What a request answers with."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=_ON_DEMAND)


class Page(View):
    """Base of every list: `cursor` fetches the next page, null on the last one."""

    cursor: str | None = None


class Origin(View):
    """Where something imported comes from: its entry in somebody's calendar."""

    calendar: Annotated[Plain, StringConstraints(min_length=1, max_length=200)]
    uid: Annotated[Plain, StringConstraints(min_length=1, max_length=500)]
    recurrence_id: Annotated[Plain, StringConstraints(max_length=100)] = ""


def described(text: str, **kwargs: Any) -> Any:
    """A pydantic field whose meaning is said in the published documents."""
    return Field(description=text, **kwargs)
