"""What readers were told against what the streams hold: each fact that is theirs, once, in order, as it was stated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from shared.contracts.base import Audience
from shared.contracts.catalogue import fact_class
from shared.contracts.directory.words import Role
from shared.contracts.live import TOPIC_OF
from shared.contracts.streams import OCCUPANCY
from tests.faults.evidence import Message
from tests.faults.reading import Account, Told

_EVERYBODY = frozenset({Audience.PUBLIC})
_BELONGS = _EVERYBODY | {Audience.MEMBERS}
_LOOKS_AFTER = _BELONGS | {Audience.HOSTS}
SHOWN: Mapping[Role | None, frozenset[Audience]] = {
    None: _EVERYBODY,
    Role.VISITOR: _EVERYBODY,
    Role.MEMBER: _BELONGS,
    Role.HOST: _LOOKS_AFTER,
    Role.COORDINATOR: _LOOKS_AFTER,
    Role.OPERATOR: _LOOKS_AFTER | {Audience.OPERATORS},
    Role.ADMIN: _LOOKS_AFTER | {Audience.OPERATORS},
}
"""Said once more here, so that it is not the code under test that says what is right."""
ABOUT = ("person", "one", "other")


class Wrong(StrEnum):
    """What may be wrong with what a reader was told."""

    LEFT_OUT = "left out"
    TWICE = "told twice"
    ORDER = "out of order"
    NOT_THEIRS = "not theirs"
    WORDS = "other words"
    RESET = "told to read again"
    FIGURES = "wrong figures"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    wrong: Wrong
    words: str

    def __str__(self) -> str:
        return f"{self.wrong}: {self.words}"


@dataclass(frozen=True)
class Stated:
    """A fact in its stream, for the first time."""

    at: float
    """When it came into the stream, seconds since 1970."""
    sequence: int
    body: Mapping[str, Any]


Streams = Mapping[str, Sequence[Message]]


def faults(account: Account, streams: Streams, upto: Mapping[str, int]) -> list[Fault]:
    """Everything that is wrong; what came into a stream after `upto` may have been told and need not."""
    found = list[Fault]()
    for stream, messages in streams.items():
        told = [one for one in account.told if one.stream == stream]
        if stream == OCCUPANCY:
            found += _of_figures(told, [one for one in messages if one.sequence <= upto[stream]])
        else:
            theirs = facts_for(account, messages)
            found += _of_facts(told, theirs)
            found += _left_out(account, stream, theirs, upto[stream])
    found += [Fault(Wrong.RESET, one.because) for one in account.resets]
    return [Fault(one.wrong, f"{account.name}: {one.words}") for one in found]


def facts_for(account: Account, messages: Sequence[Message]) -> dict[str, Stated]:
    """What somebody may know of a stream, by id, in its order; what was stated again counts where it stood first."""
    found = dict[str, Stated]()
    for message in messages:
        kind = fact_class(message.subject)
        body = orjson.loads(message.body)
        if kind is None or kind not in TOPIC_OF:
            continue
        named = kind.audience is Audience.PERSONS and account.person is not None
        if kind.audience in SHOWN[account.role] or (
            named and account.person in {body.get(name) for name in ABOUT}
        ):
            found.setdefault(message.fact_id, Stated(message.at, message.sequence, body))
    return found


def _of_facts(told: Sequence[Told], theirs: Mapping[str, Stated]) -> Iterator[Fault]:
    for fact, times in Counter(one.id for one in told).items():
        if times > 1:
            yield Fault(Wrong.TWICE, f"{fact} {times} times")
    for one in told:
        if one.id not in theirs:
            yield Fault(Wrong.NOT_THEIRS, f"{one.stream} {one.id}")
        elif not one.data.items() <= theirs[one.id].body.items():
            yield Fault(Wrong.WORDS, f"{one.id} says {one.data}")
    places = [theirs[one.id].sequence for one in {one.id: one for one in told}.values() if one.id in theirs]
    if places != sorted(places):
        yield Fault(Wrong.ORDER, f"{places}")


def _left_out(account: Account, stream: str, theirs: Mapping[str, Stated], upto: int) -> Iterator[Fault]:
    """Facts from before they came are not theirs to be told, nor those from before they were told to read again."""
    told = {one.id for one in account.told}
    for fact, stated in theirs.items():
        if fact in told or stated.sequence > upto or stated.at <= account.opened_at:
            continue
        if not any(stated.at <= reset.at for reset in account.resets):
            yield Fault(Wrong.LEFT_OUT, f"{stream} {stated.sequence} {fact}")


def _of_figures(told: Sequence[Told], latest: Sequence[Message]) -> Iterator[Fault]:
    """Only staff is told: newer and newer ones, and the latest at the end. In between some may be passed over."""
    by_space = dict[str, list[dict[str, Any]]]()
    for one in told:
        by_space.setdefault(one.data["space"], []).append(one.data)
    for space, figures in by_space.items():
        versions = [one["version"] for one in figures]
        if versions != sorted(set(versions)):
            yield Fault(Wrong.FIGURES, f"{space} in versions {versions}")
    for message in latest if told else ():
        known = orjson.loads(message.body)["data"]
        last = by_space.get(known["space"], [{}])[-1]
        if last != known:
            yield Fault(Wrong.FIGURES, f"{known['space']} is {known}, the last told was {last}")
