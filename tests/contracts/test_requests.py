"""Requests: one subject each, all answered, orders and questions told apart."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from services.booking import rpc as booking
from services.directory import rpc as directory
from services.directory.commands.sessions import Mint
from services.directory.rules.sign_in import Limits
from services.events import rpc as events
from services.matching import rpc as matching
from services.notify import rpc as notify
from services.notify.channels.http import Outside
from shared.contracts.base import Request
from shared.contracts.booking.requests import Reserve
from shared.contracts.catalogue import OPERATIONS, REQUESTS
from shared.contracts.directory.sessions import RefreshSession
from shared.contracts.events.sign_ups import SignUp
from shared.contracts.matching.matches import ListMyMatches
from shared.contracts.notify.webhooks import AddWebhook, RotateSecret
from shared.contracts.users import SERVICES
from shared.kit import belongings
from shared.kit.ids import new_id
from shared.kit.operations import handlers
from tests.notify.world import SETTINGS

MINT = Mint("local", "a secret of these tests", random.randbytes, new_id)
EVERY = [(service, request) for service in SERVICES for request in (*REQUESTS[service], *OPERATIONS)]
every_request = pytest.mark.parametrize(
    ("service", "request_class"), EVERY, ids=lambda one: one if isinstance(one, str) else one.__name__
)


def test_every_request_has_a_subject_of_its_own() -> None:
    subjects = Counter(request.subject_for("local", service) for service, request in EVERY)
    assert [subject for subject, times in subjects.items() if times > 1] == []


@every_request
def test_every_request_says_what_it_is(service: str, request_class: type[Request[Any]]) -> None:
    assert request_class.__doc__
    assert request_class.__doc__ != Request.__doc__
    assert request_class.reply
    assert request_class.service in (service, "*")
    assert request_class.changes or not request_class.created, "only an order makes something"
    assert request_class.model_config.get("extra") == "forbid", (
        "a misspelt field must not be dropped in silence"
    )


@every_request
def test_requests_of_the_operator_or_of_one_service_are_out_of_the_gateways_reach(
    service: str, request_class: type[Request[Any]]
) -> None:
    words = request_class.subject_for("local", service).split(".")
    assert words[:3] == ["rpc", "local", service]
    asker = ["admin"] if request_class.admin else []
    asker += ["for", request_class.asked_by] if request_class.asked_by else []
    assert words[3:-1] == asker
    assert len(words) == 4 + len(asker), "the gateway may send what has one word after the service"


def test_every_request_is_answered_by_its_service() -> None:
    answered = {
        "booking": {*booking.reads(), *booking.changes(new_id, random.Random(0)), Reserve},
        "events": {*events.reads(), *events.changes(new_id, random.Random(0)), SignUp},
        "directory": {*directory.reads(), *directory.changes(MINT, Limits(5, 5)), RefreshSession},
        "matching": {*matching.handlers(new_id), ListMyMatches},
        "notify": {*notify.handlers(SETTINGS, Outside(), new_id), AddWebhook, RotateSecret},
    }
    assert answered == {service: set(requests) for service, requests in REQUESTS.items()}


def test_what_the_operator_asks_is_answered_by_every_service() -> None:
    answered = {*handlers([], {}), *belongings.handlers([], hub_is_known=None)}
    assert answered == set(OPERATIONS)
