"""A fact as it leaves the system: a CloudEvents 1.0 message (structured mode, JSON) that names nobody it must not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import lru_cache
from types import NoneType
from typing import Any, get_args
from uuid import UUID

import orjson

from shared.contracts.base import Audience, Fact
from shared.contracts.catalogue import FACTS
from shared.contracts.streams import HANDED_ON

LARGEST_BODY = 256 * 1024
"""Bytes of a message; no fact comes near, and a receiver may count on it."""
TEST_TYPE = "foci.notify.test.v1"

_THINGS = frozenset({"id", "event", "booking", "series", "for_event"})
"""Ids in facts for the named persons that name a thing; any other id may be somebody's and stays here."""
_PLAIN_WORDS = frozenset({"hub", "subject", "space", "previous_space"})
"""Texts in such facts that are names of places and things."""
_HARMLESS = (datetime, int, float, bool, NoneType)


def type_of(fact: type[Fact]) -> str:
    """The CloudEvents type of a class of facts, which is also what a webhook chooses by."""
    return f"foci.{fact.service}.{fact.fact}.v{fact.version}"


def handed_on_types() -> frozenset[str]:
    """Every type a webhook can be sent, the test message aside."""
    return frozenset(type_of(fact) for service in FACTS for fact in HANDED_ON[service])


@lru_cache(maxsize=256)
def kept_back(fact: type[Fact]) -> frozenset[str]:
    """Fields of a class of facts that are left out of what outside systems are sent.

    Facts for the named persons go to a hub's operators without saying who: everything in them that is not known to be
    about a thing, a time or a number stays here, so a field that is added tomorrow does until somebody looks at it.
    """
    if fact.audience is not Audience.PERSONS:
        return frozenset()
    return frozenset(
        name for name, field in fact.model_fields.items() if not _tells_of_nobody(name, field.annotation)
    )


def _tells_of_nobody(name: str, annotation: Any) -> bool:
    return all(_is_harmless(name, one) for one in _leaves(annotation))


def _leaves(annotation: Any) -> list[Any]:
    """The plain types an annotation is made of: of a union, a tuple, an annotated type."""
    if hasattr(annotation, "__metadata__"):
        return _leaves(annotation.__origin__)
    arguments = [one for one in get_args(annotation) if one is not Ellipsis]
    return [leaf for one in arguments for leaf in _leaves(one)] if arguments else [annotation]


def _is_harmless(name: str, plain: Any) -> bool:
    if not isinstance(plain, type):
        return False
    if plain is UUID:
        return name in _THINGS
    if issubclass(plain, Enum):
        return True
    if plain is str:
        return name in _PLAIN_WORDS
    # pydantic's own AwareDatetime is no class of datetimes.
    return plain in _HARMLESS or plain.__name__ == "AwareDatetime"


def body_of(fact: Fact) -> str:
    """The message that tells of a fact: the fact's id is the message's, so the same fact is the same message."""
    hidden = set(kept_back(type(fact)))
    subject: str | None = fact.subject
    if any(str(one) in fact.subject for name in hidden for one in _values(getattr(fact, name))):
        hidden.add("subject")
        subject = None
    return _message(
        id=fact.id,
        source=f"/hubs/{fact.hub}/{fact.service}",
        type=type_of(type(fact)),
        subject=subject,
        time=fact.occurred_at,
        data=orjson.Fragment(fact.model_dump_json(exclude=hidden)),
    )


def _values(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


def trial_body(id: UUID, hub: str, webhook: UUID, now: datetime) -> str:
    """The message an operator tries a webhook with."""
    return _message(
        id=id,
        source=f"/hubs/{hub}/notify",
        type=TEST_TYPE,
        subject=str(webhook),
        time=now,
        data={"hub": hub, "webhook": webhook},
    )


def _message(
    *,
    id: UUID,
    source: str,
    type: str,
    subject: str | None,
    time: datetime,
    data: orjson.Fragment | Mapping[str, Any],
) -> str:
    attributes = {"specversion": "1.0", "id": id, "source": source, "type": type, "time": time}
    if subject is not None:
        attributes["subject"] = subject
    whole = attributes | {"datacontenttype": "application/json", "data": data}
    return orjson.dumps(whole, option=orjson.OPT_UTC_Z).decode()


def is_too_large(body: str) -> bool:
    """Whether a message is beyond what is sent."""
    return len(body) > LARGEST_BODY // 4 and len(body.encode()) > LARGEST_BODY
