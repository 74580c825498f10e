"""`/v1/hubs/{hub}/webhooks`: an operator has a system told, over HTTP from end to end."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.gateway.cell import Cell, eventually
from tests.gateway.notify_things import RARE, delivery_for, webhook_for
from tests.gateway.outside import Received
from tests.gateway.problems import problem

URL = "/v1/hubs/here/webhooks"


def arrived(cell: Cell, delivery: dict[str, Any], *, number: int = 1) -> Received:
    """The latest request that carries a delivery, when there are so many of them."""

    def found() -> list[Received]:
        received = cell.outside.target.received
        fitting = [one for one in received if one.headers.get("webhook-id") == delivery["id"]]
        return fitting if len(fitting) >= number else []

    return eventually("the target has it", found)[-1]


def test_a_webhook_is_added_seen_changed_and_removed(cell: Cell) -> None:
    operator = cell.auth("here", "operator")
    body = {"url": cell.outside.target.url, "name": "Board", "types": [RARE]}
    added = cell.http.post(URL, json=body, headers=operator)
    assert added.status_code == 201, added.text
    made = added.json()
    assert made["secret"].startswith("whsec_")
    assert (made["state"], made["name"], made["types"], made["hub"]) == ("active", "Board", [RARE], "here")
    address = f"{URL}/{made['id']}"
    assert added.headers["location"] == address

    seen = cell.http.get(address, headers=operator)
    assert seen.status_code == 200
    assert "secret" not in seen.text, "shown once"
    assert (
        cell.http.get(address, headers={**operator, "If-None-Match": seen.headers["etag"]}).status_code == 304
    )
    listed = cell.http.get(URL, headers=operator).json()["items"]
    assert seen.json() in listed
    assert "whsec_" not in repr(listed)

    problem(cell.http.patch(address, json={"name": "X"}, headers=operator), 428, "precondition-required")
    change = {"active": False, "types": []}
    done = cell.http.patch(address, json=change, headers={**operator, "If-Match": seen.headers["etag"]})
    assert (done.status_code, done.json()["state"], done.json()["because"]) == (200, "paused", "by-operator")
    assert (done.json()["types"], done.json()["name"]) == ([], "Board")
    stale = cell.http.patch(address, json=change, headers={**operator, "If-Match": seen.headers["etag"]})
    problem(stale, 412, "version-mismatch")
    problem(cell.http.post(f"{address}/test", headers=operator), 409, "webhook-not-active")

    assert cell.http.delete(address, headers=operator).json()["id"] == made["id"]
    for method in ("GET", "DELETE"):
        problem(cell.http.request(method, address, headers=operator), 404, "not-found")


def test_a_test_message_arrives_signed_and_its_log_can_be_read(cell: Cell) -> None:
    operator = cell.auth("here", "operator")
    hook = webhook_for(cell, "here")
    address = f"{URL}/{hook['id']}"
    sent = cell.http.post(f"{address}/test", headers=operator)
    assert sent.status_code == 201, sent.text
    place = f"{address}/deliveries/{sent.json()['id']}"
    assert sent.headers["location"] == place
    received = arrived(cell, sent.json())
    event = Webhook(hook["secret"]).verify(received.body, received.headers)
    assert (event["specversion"], event["type"]) == ("1.0", "foci.notify.test.v1")
    assert received.path == "/hook"

    def delivered() -> Any:
        one = cell.http.get(place, headers=operator).json()
        return one if one["state"] == "delivered" else None

    one = eventually("it is logged as delivered", delivered)
    assert (one["attempts"], one["last_status"]) == (1, 204)
    assert one["body"].encode() == received.body
    [listed] = cell.http.get(f"{address}/deliveries?state=delivered", headers=operator).json()["items"]
    assert (listed["id"], listed.get("body")) == (one["id"], None)
    assert cell.http.get(f"{address}/deliveries?state=failed", headers=operator).json()["items"] == []

    again = cell.http.post(f"{place}/redeliver", headers=operator)
    assert again.status_code == 200, again.text
    assert arrived(cell, one, number=2).body == received.body


def test_a_new_secret_is_valid_beside_the_one_before(cell: Cell) -> None:
    operator = cell.auth("here", "operator")
    hook = webhook_for(cell, "here")
    rotated = cell.http.post(f"{URL}/{hook['id']}/rotate-secret", headers=operator)
    assert rotated.status_code == 200, rotated.text
    assert rotated.json()["secret"] != hook["secret"]
    assert rotated.json()["previous_until"]
    received = arrived(cell, delivery_for(cell, "here", hook["id"]))
    for secret in (hook["secret"], rotated.json()["secret"]):
        Webhook(secret).verify(received.body, received.headers)
    stranger = webhook_for(cell, "there")["secret"]
    with pytest.raises(WebhookVerificationError):
        Webhook(stranger).verify(received.body, received.headers)


def test_what_happens_in_the_hub_is_sent_and_what_happens_elsewhere_is_not(cell: Cell) -> None:
    kinds = ["foci.booking.booking-confirmed.v1"]
    hook = webhook_for(cell, "here", types=kinds)
    foreign = cell.book("there", "flex", **cell.slot(day=15))
    made = cell.book("here", "flex", **cell.slot(day=15))

    def told() -> list[dict[str, Any]]:
        url = f"{URL}/{hook['id']}/deliveries?state=delivered"
        items: list[dict[str, Any]] = cell.http.get(url, headers=cell.auth("here", "operator")).json()[
            "items"
        ]
        return items

    [delivery] = eventually("the booking is delivered", told)
    assert delivery["type"] == kinds[0]
    event = arrived(cell, delivery).event
    assert event["data"]["subject"] == made["id"]
    bodies = [one.body for one in cell.outside.target.received]
    assert not any(foreign["id"].encode() in body for body in bodies)
    assert not any(str(cell.person("here", "member")).encode() in body for body in bodies), "nobody is named"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"url": "http://hooks.example.org/foci"}, "webhook-url", "url"),
        ({"url": "https://127.0.0.1/"}, "webhook-url", "url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "webhook-url", "url"),
        ({"url": "https://user:secret@hooks.example.org/"}, "webhook-url", "url"),
        ({"url": "https://hooks.example.org:22/"}, "webhook-url", "url"),
        ({"url": "ftp"}, "invalid", "url"),
        ({"types": ["foci.booking.booking-confirmed"]}, "invalid", "types.0"),
        ({"types": ["foci.booking.booking-confrimed.v1"]}, "unknown-fact-type", "types"),
        ({"name": ""}, "invalid", "name"),
        ({"secret": "whsec_mine"}, "invalid", "secret"),
    ],
)
def test_what_no_webhook_can_be_is_refused(cell: Cell, change: dict[str, Any], code: str, field: str) -> None:
    body = {"url": cell.outside.target.url, **change}
    answer = cell.http.post(URL, json=body, headers=cell.auth("here", "operator"))
    problem(answer, 422, code, field=field)


def test_webhooks_are_the_operators_and_the_own_hubs_alone(cell: Cell) -> None:
    hook = webhook_for(cell, "there")
    delivery = delivery_for(cell, "there", hook["id"])
    for role in ("visitor", "member", "host", "coordinator"):
        problem(cell.http.get(URL, headers=cell.auth("here", role)), 403, "forbidden")
    problem(cell.http.get(URL), 401, "unauthenticated")
    operator = {**cell.auth("here", "operator"), "If-Match": '"1"'}
    tails = ("", "/rotate-secret", "/test", "/deliveries", f"/deliveries/{delivery['id']}")
    for tail in (*tails, f"/deliveries/{delivery['id']}/redeliver"):
        for method in ("GET", "POST", "PATCH", "DELETE"):
            body: dict[str, Any] | None = {} if method == "PATCH" else None
            answer = cell.http.request(method, f"{URL}/{hook['id']}{tail}", headers=operator, json=body)
            if answer.status_code != 405:
                problem(answer, 404, "not-found")
    mine = webhook_for(cell, "here")
    for stray in (uuid4(), delivery["id"]):
        place = f"{URL}/{mine['id']}/deliveries/{stray}"
        problem(cell.http.get(place, headers=operator), 404, "not-found")
        problem(cell.http.post(f"{place}/redeliver", headers=operator), 404, "not-found")


def test_pages_of_webhooks_and_deliveries(cell: Cell) -> None:
    operator = cell.auth("here", "operator")
    hook = webhook_for(cell, "here")
    webhook_for(cell, "here")
    sent = [delivery_for(cell, "here", hook["id"])["id"] for _ in range(3)]
    for url, total in (
        (URL, len(cell.http.get(URL, headers=operator).json()["items"])),
        (f"{URL}/{hook['id']}/deliveries", 3),
    ):
        seen, following = [], f"{url}?limit=1"
        while following:
            page = cell.http.get(following, headers=operator).json()
            seen += [one["id"] for one in page["items"]]
            following = page["next"]
        assert len(seen) == len(set(seen)) == total
    assert seen == sent[::-1], "newest first"
