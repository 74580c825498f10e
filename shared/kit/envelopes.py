"""What leaves the system is a CloudEvents 1.0 message (structured mode, JSON)."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from shared.contracts.audiences import type_of
from shared.contracts.base import Fact


def fact_message(fact: Fact, without: Set[str] = frozenset(), *, type: str | None = None) -> str:
    """The message that tells of a fact `without` these fields: the fact's id is the message's, so the same is the same.

    Its type is the fact's own unless another one is given.
    """
    hidden = set(without)
    subject: str | None = fact.subject
    if any(str(one) in fact.subject for name in without for one in _values(getattr(fact, name))):
        hidden.add("subject")
        subject = None
    return message(
        id=fact.id,
        source=f"/hubs/{fact.hub}/{fact.service}",
        type=type or type_of(fact.__class__),
        subject=subject,
        time=fact.occurred_at,
        data=orjson.Fragment(fact.model_dump_json(exclude=hidden)),
    )


def _values(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


def message(
    *,
    id: UUID,
    source: str,
    type: str,
    subject: str | None,
    time: datetime,
    data: orjson.Fragment | Mapping[str, Any],
) -> str:
    """A message of any type."""
    attributes = {"specversion": "1.0", "id": id, "source": source, "type": type, "time": time}
    if subject is not None:
        attributes["subject"] = subject
    whole = attributes | {"datacontenttype": "application/json", "data": data}
    return orjson.dumps(whole, option=orjson.OPT_UTC_Z).decode()
