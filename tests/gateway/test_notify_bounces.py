"""Mail that came back: who may report it, in which forms, and that nothing more is mailed to such an address."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.gateway.cell import BOUNCE_TOKEN, Cell
from tests.gateway.notify_things import mail_to, reachable
from tests.gateway.problems import problem
from tests.gateway.test_delivery_reports import report

URL = "/v1/mail/bounces"
SERVER = {"Authorization": f"Bearer {BOUNCE_TOKEN}"}
UNKNOWN = {"message_id": "<nobody.knows.this.one@foci.example>", "status": "5.1.1"}


def book(cell: Cell, who: dict[str, str], day: int) -> None:
    """Something somebody is mailed about."""
    body = {"space": "flex", **cell.slot(day=day)}
    assert cell.http.post("/v1/hubs/here/bookings", json=body, headers=who).status_code == 201


def returned(cell: Cell, email: str, status: str = "5.1.1") -> bytes:
    """The report about the latest mail to an address, with that mail's own headers in it."""
    head = mail_to(cell, email).raw.decode().replace("\r\n", "\n").partition("\n\n")[0]
    lines = [line for line in head.split("\n") if line.startswith(("Message-ID: ", "Date: ", "Subject: "))]
    return report(status, returned="\n".join(lines) + "\n")


def as_json(cell: Cell, email: str) -> httpx2.Response:
    body = {"message_id": mail_to(cell, email).message_id, "status": "5.1.1"}
    return cell.http.post(URL, json=body, headers=SERVER)


def as_message(cell: Cell, email: str) -> httpx2.Response:
    headers = {**SERVER, "Content-Type": "message/rfc822"}
    return cell.http.post(URL, content=returned(cell, email), headers=headers)


def as_report(cell: Cell, email: str) -> httpx2.Response:
    head, _, body = returned(cell, email).partition(b"\n\n")
    kind = next(line for line in head.replace(b"\n ", b" ").split(b"\n") if line.startswith(b"Content-Type"))
    headers = {**SERVER, "Content-Type": kind.partition(b": ")[2].decode()}
    return cell.http.post(URL, content=body, headers=headers)


@pytest.mark.parametrize("send", [as_json, as_message, as_report])
def test_an_address_that_never_existed_is_mailed_no_more(cell: Cell, send: Any) -> None:
    word = send.__name__.replace("_", "-")
    email = f"{word}@gone.example"
    who = reachable(cell, "here", f"Gone {word}", email)
    book(cell, who, 21)
    mail_to(cell, email)
    for _ in range(2):  # the same report twice changes nothing
        answer = send(cell, email)
        assert (answer.status_code, answer.json()) == (200, {"stopped": True}), answer.text
    choices = cell.http.get("/v1/me/choices", headers=who)
    assert choices.json()["mail_stopped"] == "bounced"

    # The next thing is told in the inbox only: what another is mailed later has arrived, and this has not.
    book(cell, who, 22)
    other = reachable(cell, "here", f"Still there {word}", f"still-{word}@there.example")
    book(cell, other, 23)
    mail_to(cell, f"still-{word}@there.example")
    assert len(cell.outside.post.mails_to(email)) == 1

    again = {**who, "If-Match": choices.headers["etag"]}
    change = cell.http.patch("/v1/me/choices", json={"mail_again": True}, headers=again)
    assert (change.status_code, change.json()["mail_stopped"]) == (200, None), change.text
    book(cell, who, 24)
    mail_to(cell, email, number=2)


def test_a_mailbox_that_is_full_is_mailed_again(cell: Cell) -> None:
    who = reachable(cell, "here", "Full", "full@box.example")
    book(cell, who, 25)
    headers = {**SERVER, "Content-Type": "message/rfc822"}
    answer = cell.http.post(URL, content=returned(cell, "full@box.example", "4.2.2"), headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"stopped": False})
    assert cell.http.get("/v1/me/choices", headers=who).json()["mail_stopped"] is None


def test_a_report_about_nothing_foci_sent_stops_nothing(cell: Cell) -> None:
    answer = cell.http.post(URL, json=UNKNOWN, headers=SERVER)
    assert (answer.status_code, answer.json()) == (200, {"stopped": False})


def test_only_the_mail_server_reports(cell: Cell) -> None:
    operator = cell.auth("here", "operator")["Authorization"]
    for said in (
        None,
        "",
        "Bearer",
        BOUNCE_TOKEN,
        f"Basic {BOUNCE_TOKEN}",
        f"Bearer {BOUNCE_TOKEN[:-1]}",
        f"Bearer {BOUNCE_TOKEN}x",
        "Bearer \xe5",
        operator,
    ):
        headers = [] if said is None else [(b"Authorization", said.encode("latin-1"))]
        answer = cell.http.post(URL, json=UNKNOWN, headers=headers)
        problem(answer, 401, "unauthenticated")
        assert BOUNCE_TOKEN not in answer.text
    # Whoever is not let in hears nothing about the body.
    problem(cell.http.post(URL, content=b"{"), 401, "unauthenticated")
    assert cell.http.post(URL, json=UNKNOWN, headers={"Authorization": f"bearer {BOUNCE_TOKEN}"}).is_success


def test_the_mail_servers_token_opens_nothing_else(cell: Cell) -> None:
    for path in ("/v1/me", "/v1/hubs", "/v1/hubs/here/webhooks"):
        problem(cell.http.get(path, headers=SERVER), 401, "unauthenticated")


def test_without_a_token_of_its_own_the_gateway_takes_no_report(cell: Cell) -> None:
    with cell.another_gateway(bounce_token=None) as client:
        for headers in ({}, SERVER, {"Authorization": "Bearer"}, {"Authorization": "Bearer None"}):
            problem(client.post(URL, json=UNKNOWN, headers=headers), 401, "unauthenticated")


def test_guessing_the_token_uses_up_the_addresss_limit(cell: Cell) -> None:
    with cell.another_gateway(rate_limit="3/hour") as client:
        tried = [
            client.post(URL, json=UNKNOWN, headers={"Authorization": f"Bearer {number}"}).status_code
            for number in range(4)
        ]
    assert tried == [401, 401, 401, 429]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message_id"),
        ({**UNKNOWN, "status": "5"}, "status"),
        ({**UNKNOWN, "status": "3.1.1"}, "status"),
        ({**UNKNOWN, "status": "5.1.1 "}, "status"),
        ({**UNKNOWN, "message_id": "<"}, "message_id"),
        ({**UNKNOWN, "message_id": "<a\u0000b@foci.example>"}, "message_id"),
        ({**UNKNOWN, "message_id": "x" * 301}, "message_id"),
        ({**UNKNOWN, "recipient": "the.mayor@city.example"}, "recipient"),
    ],
)
def test_a_wrong_field_of_a_report_is_named(cell: Cell, body: dict[str, Any], field: str) -> None:
    problem(cell.http.post(URL, json=body, headers=SERVER), 422, "invalid", field=field)


def test_what_cannot_be_read_is_refused_clearly(cell: Cell) -> None:
    def send(kind: str, content: bytes) -> httpx2.Response:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in SERVER.items()]
        headers.append((b"Content-Type", kind.encode("latin-1")))
        return cell.http.post(URL, content=content, headers=headers)

    problem(send("application/json", b"{"), 400, "bad-request")
    problem(send("application/json", b"[]"), 422, "invalid", field="body")
    for kind in ("text/plain", "multipart/mixed", "application/xml", ""):
        problem(send(kind, report()), 422, "report-not-understood", field="Content-Type")
    for content in (b"", b"\xff" * 1000, b"Subject: hello\r\n\r\nhello", report(None)):
        problem(send("message/rfc822", content), 422, "report-not-understood")
    problem(send("multipart/report", report()), 422, "report-not-understood")
    problem(send("multipart/report; boundary=\xe5", report()), 422, "report-not-understood")
    nested = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 2_000
    problem(send("message/rfc822", nested), 422, "report-not-understood")
    problem(send("message/rfc822", b"x" * 131_073), 413, "body-too-large")


def test_reports_and_the_token_stand_in_no_log(cell: Cell) -> None:
    raw = report(returned="Subject: secret matters\nMessage-ID: <nobody.knows.this.one@foci.example>\n")
    cell.http.post(URL, content=raw, headers={**SERVER, "Content-Type": "message/rfc822"})
    logged = repr(cell.logs)
    for private in (BOUNCE_TOKEN, "somebody.else", "secret matters"):
        assert private not in logged
