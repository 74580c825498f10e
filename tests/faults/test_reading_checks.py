"""The comparison of what readers were told with the streams, on accounts made by hand: it finds each fault, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import orjson
import pytest

from shared.contracts.base import Fact
from shared.contracts.booking.facts import BookingConfirmedV1, SpaceOpenedV1
from shared.contracts.directory.facts import MemberJoinedV1
from shared.contracts.directory.words import Role
from shared.contracts.examples import example
from shared.contracts.streams import OCCUPANCY, stream_of
from shared.kit.ids import new_id
from tests.faults.evidence import Message
from tests.faults.reading import EXACT, Account, Reset
from tests.faults.reading_checks import Wrong, faults

ME, SOMEBODY = new_id(), new_id()
FACTS: tuple[Fact, ...] = (
    example(SpaceOpenedV1).model_copy(update={"id": new_id()}),
    example(BookingConfirmedV1).model_copy(update={"id": new_id(), "person": ME}),
    example(BookingConfirmedV1).model_copy(update={"id": new_id(), "person": SOMEBODY}),
    example(SpaceOpenedV1).model_copy(update={"id": new_id()}),
    example(MemberJoinedV1).model_copy(update={"id": new_id(), "person": SOMEBODY}),
)


def messages() -> dict[str, list[Message]]:
    """The streams after these facts, one a second; the first is stated twice."""
    found: dict[str, list[Message]] = {}
    for second, fact in enumerate((*FACTS, FACTS[0]), start=1):
        subject, body = fact.subject_for(fact.hub), fact.model_dump_json().encode()
        found.setdefault(stream_of(fact.service), []).append(
            Message(second, subject, str(fact.id), body, second)
        )
    figures = {"data": {"space": "all", "booked": 2, "version": 2}}
    found[OCCUPANCY] = [Message(9, "occupancy.here.all.v1", "", orjson.dumps(figures), 9)]
    return found


def cloud_event(fact: Fact) -> tuple[str, dict[str, object]]:
    """As a reader is told of it."""
    kind = f"foci.{fact.service}.{fact.fact}.v{fact.version}"
    return kind, {"id": str(fact.id), "type": kind, "data": orjson.loads(fact.model_dump_json())}


def member() -> Account:
    """Somebody who was told what is theirs of it: both spaces, and their own booking."""
    account = Account("me", Role.MEMBER, str(ME), opened_at=0.5)
    for fact in (FACTS[0], FACTS[1], FACTS[3]):
        account.take(*cloud_event(fact))
    return account


def classes(account: Account, upto: int = 10) -> set[Wrong]:
    """What is wrong with it."""
    streams = messages()
    return {one.wrong for one in faults(account, streams, dict.fromkeys(streams, upto))}


def test_what_is_right_is_not_found_wrong() -> None:
    assert classes(member()) == set()


def _forgets_one(account: Account) -> None:
    del account.told[1]


def _repeats_one(account: Account) -> None:
    account.told.append(account.told[0])


def _turns_round(account: Account) -> None:
    account.told.reverse()


def _tells_of_somebody(account: Account) -> None:
    account.take(*cloud_event(FACTS[2]))


def _says_something_else(account: Account) -> None:
    account.told[1] = replace(account.told[1], data={**account.told[1].data, "person": str(SOMEBODY)})


def _is_reset(account: Account) -> None:
    account.resets.append(Reset(0.7, "rebuilt", 0))


def _goes_back(account: Account) -> None:
    for version in (1, 3, 2):
        data = {"space": "all", "booked": 2, "version": version}
        account.take(EXACT, {"id": f"figures {version}", "data": data})


def _stays_behind(account: Account) -> None:
    data = {"space": "all", "booked": 1, "version": 1}
    account.take(EXACT, {"id": "figures", "data": data})


@pytest.mark.parametrize(
    ("happens", "wrong"),
    [
        (_forgets_one, Wrong.LEFT_OUT),
        (_repeats_one, Wrong.TWICE),
        (_turns_round, Wrong.ORDER),
        (_tells_of_somebody, Wrong.NOT_THEIRS),
        (_says_something_else, Wrong.WORDS),
        (_is_reset, Wrong.RESET),
        (_goes_back, Wrong.FIGURES),
        (_stays_behind, Wrong.FIGURES),
    ],
)
def test_what_is_wrong_is_found_and_called_by_its_name(
    happens: Callable[[Account], None], wrong: Wrong
) -> None:
    account = deepcopy(member())
    happens(account)
    assert classes(account) == {wrong}


def test_what_came_before_they_did_or_after_the_end_need_not_be_told() -> None:
    late = member()
    late.opened_at = 2.5
    del late.told[:2]
    assert classes(late) == set()
    early = member()
    del early.told[2]
    assert classes(early) == {Wrong.LEFT_OUT}
    assert classes(early, upto=3) == set()
