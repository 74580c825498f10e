"""Who may be shown which fact, and what of it: one decision for everything that hands facts to people or outside systems."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from functools import lru_cache
from types import NoneType
from typing import Any, get_args
from uuid import UUID

from shared.contracts.base import Audience, Fact
from shared.contracts.directory.words import OPERATORS, STAFF, Role
from shared.contracts.streams import INTRODUCTION_FACTS

_THINGS = frozenset({"id", "event", "booking", "series", "for_event"})
"""Ids in facts for the named persons that name a thing; any other id may be somebody's."""
_PLAIN_WORDS = frozenset({"hub", "subject", "space", "previous_space"})
"""Texts in such facts that are names of places and things."""
_HARMLESS = (datetime, int, float, bool, NoneType)
_ABOUT = ("person", "one", "other")
"""Fields that say whom a fact is about; who did it is named too, and knows."""
_OF_AN_INTRODUCTION = frozenset({"id", "hub", "occurred_at", "subject", "subject_version", "introduction"})
"""What each of the two is told of theirs: not who asked, and not what the other has said of it."""
INTRODUCTION_CHANGED = "foci.matching.introduction-changed.v1"
"""The CloudEvents type of whatever happens to an introduction, for its two: that of the fact would tell a no from silence."""


def type_of(fact: type[Fact]) -> str:
    """The CloudEvents type of a class of facts, which is also what a webhook chooses by."""
    return f"foci.{fact.service}.{fact.fact}.v{fact.version}"


@lru_cache(maxsize=64)
def shown_to(role: Role | None) -> frozenset[Audience]:
    """Whose facts somebody with this role in a hub may be shown of it; those about themselves come besides.

    None stands for everybody without a role there, signed in or not.
    """
    shown = {Audience.PUBLIC}
    if role is not None and role is not Role.VISITOR:
        shown.add(Audience.MEMBERS)
    if role in STAFF:
        shown.add(Audience.HOSTS)
    if role in OPERATORS:
        shown.add(Audience.OPERATORS)
    return frozenset(shown)


def about(fact: Fact) -> frozenset[UUID]:
    """The persons a fact for the named persons is about, and to whom alone it is shown."""
    if fact.audience is not Audience.PERSONS:
        return frozenset()
    return frozenset(getattr(fact, name) for name in _ABOUT if name in type(fact).model_fields)


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


def kept_from(fact: Fact, reader: UUID) -> frozenset[str]:
    """Fields of a fact for the named persons that one of them is not shown: whatever may name another."""
    kind = type(fact)
    if kind in INTRODUCTION_FACTS:
        own = {name for name in ("one", "other") if getattr(fact, name) == reader}
        return frozenset(kind.model_fields) - _OF_AN_INTRODUCTION - own
    return frozenset(name for name in kept_back(kind) if getattr(fact, name) != reader)


def told_as(fact: type[Fact]) -> str:
    """The CloudEvents type under which the persons a fact is about are told of it."""
    return INTRODUCTION_CHANGED if fact in INTRODUCTION_FACTS else type_of(fact)


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
