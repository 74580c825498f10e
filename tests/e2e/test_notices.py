"""On a real stack: what people are told comes as mail and into their inbox, to operators as webhooks; nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import httpx2
import pytest
from icalendar import Calendar

from tests.e2e.receiver import Posted
from tests.stack.console import Started, eventually
from tests.stack.mails import links_in, text_of
from tests.stack.plain import PlainStack

HUB = "notices"
EVENTS = f"/v1/hubs/{HUB}/events"
SLOT = {"start": "2030-05-06T10:00", "end": "2030-05-06T12:00"}
OFFERED = "foci.events.place-offered.v1"
BROWSER = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "da"}


@dataclass(frozen=True)
class Somebody:
    """A person of the hub, signed in."""

    client: httpx2.Client
    address: str

    def never_quiet(self) -> None:
        """They want to hear at any hour: at whatever time the tests run, mail is not held back."""
        now = self.client.get("/v1/me/choices")
        wanted = {"quiet": {"start": "00:00", "end": "00:00"}}
        done = self.client.patch("/v1/me/choices", json=wanted, headers={"If-Match": now.headers["etag"]})
        assert done.status_code == 200, done.text
        assert done.json()["quiet"] == wanted["quiet"]


@pytest.fixture(scope="module")
def people(plain_stack: PlainStack) -> Iterator[dict[str, Somebody]]:
    """Who runs the hub, who starts meetups, and two who come."""
    plain_stack.hub(HUB)
    wanted = {
        "operator": ("operator", "Oda Driftsrud", "en"),
        "organiser": ("member", "Maja Vinterqvist", "sv"),
        "early": ("member", "Tidlig Fuglsang", "sv"),
        "waiting": ("member", "Ventende Ærenlund", "da"),
    }
    with ExitStack() as stack:
        found = {}
        for who, (role, name, language) in wanted.items():
            client, address = plain_stack.person(HUB, role, name, language)
            found[who] = Somebody(stack.enter_context(client), address)
            found[who].never_quiet()
        yield found


@pytest.fixture(scope="module")
def console(plain_stack: PlainStack) -> Started:
    """Where the processes are."""
    return plain_stack.console


def meet(organiser: Somebody, **more: object) -> str:
    body = {"title": "Open evening", "place": {"address": "Quay 3"}, "publish": True, **SLOT, **more}
    made = organiser.client.post(EVENTS, json=body)
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


def sign_up(somebody: Somebody, event: str) -> str:
    """Sign up; where the sign-up is."""
    made = somebody.client.post(f"{event}/sign-ups", json={})
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


def ask(console: Started, event: str, name: str) -> httpx2.Response:
    """A stranger asks for a place, with nothing but an address of theirs."""
    guest = {"guest": {"name": name, "email": address_of(name)}}
    return httpx2.post(f"http://127.0.0.1:{console.port}{event}/sign-ups", json=guest, timeout=20)


def address_of(name: str) -> str:
    return f"{name.lower()}@mail.example"


def calendar_of(mail: EmailMessage) -> Calendar:
    [part] = [
        one for one in mail.walk() if one.get_content_type() == "text/calendar" and not one.get_filename()
    ]
    assert part.get_param("method") == "REQUEST"
    return Calendar.from_ical(part.get_content())


def about(mails: list[EmailMessage], words: str) -> list[EmailMessage]:
    return [mail for mail in mails if words in str(mail["Subject"])]


def test_a_guests_link_comes_by_mail_and_gives_a_place(
    plain_stack: PlainStack, people: dict[str, Somebody]
) -> None:
    event = meet(people["organiser"])
    assert ask(plain_stack.console, event, "Edda").status_code == 202
    [mail] = plain_stack.mails.wait(address_of("Edda"))
    assert "Open evening" in str(mail["Subject"])
    links = links_in(mail)
    assert set(links) == {"confirm"}, "what must be sent has no unsubscribing"
    assert links["confirm"].startswith(f"{plain_stack.url}/v1/links/")
    assert httpx2.post(links["confirm"]).json()["status"] == "attending"
    [listed] = people["organiser"].client.get(f"{event}/sign-ups").json()["items"]
    assert (listed["name"], listed["status"]) == ("Edda", "attending")


def test_a_cancellation_frees_a_place_and_the_offer_arrives_three_ways(
    plain_stack: PlainStack, people: dict[str, Somebody]
) -> None:
    hook = people["operator"].client.post(
        f"/v1/hubs/{HUB}/webhooks",
        json={"url": f"http://{plain_stack.receiver.place}/offers", "types": [OFFERED]},
    )
    assert hook.status_code == 201, hook.text
    event = meet(people["organiser"], title="Soup & plans", capacity=1)
    first, second = sign_up(people["early"], event), sign_up(people["waiting"], event)
    assert people["waiting"].client.get(second).json()["status"] == "waiting"
    # Told before it changes: else the offer overtakes it, and it is never said.
    eventually("told to wait", lambda: inbox_of(people["waiting"])["unread"] == 1)
    assert people["early"].client.delete(first).is_success

    sign_up_id = second.rpartition("/")[2]
    offer = offered_by_mail(plain_stack, people["waiting"])
    in_the_inbox(people["waiting"], sign_up_id)
    posted = posted_once(plain_stack, people["operator"], hook.json(), sign_up_id)
    assert people["waiting"].client.get("/v1/me").json()["id"] not in posted.body

    accepted_by_link(links_in(offer))
    assert people["waiting"].client.get(second).json()["status"] == "attending"
    a_date_for_the_calendar(plain_stack, people["waiting"])
    said = plain_stack.console.said_in_logs()
    private = [hook.json()["secret"], *(token_in(link) for link in links_in(offer).values())]
    private += [one.address for one in people.values()] + ["Ventende", "Soup & plans", "/offers"]
    assert not [words for words in private if words in said]


def token_in(link: str) -> str:
    return link.rpartition("/")[2]


def offered_by_mail(plain_stack: PlainStack, waiting: Somebody) -> EmailMessage:
    """In the person's language, with links that say what they would do."""
    eventually("the offer is mailed", lambda: about(plain_stack.mails.to(waiting.address), "En plads til"))
    [offer] = about(plain_stack.mails.to(waiting.address), "En plads til")
    assert str(offer["Subject"]) == "En plads til »Soup & plans« er reserveret til dig"
    assert offer["Content-Language"] == "da"
    assert offer["Auto-Submitted"] == "auto-generated"
    assert "mandag den 6. maj 2030" in text_of(offer)
    assert offer["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert {"accept", "decline"} < set(links_in(offer))
    return offer


def inbox_of(somebody: Somebody) -> dict[str, Any]:
    inbox: dict[str, Any] = somebody.client.get("/v1/me/notices").json()
    return inbox


def in_the_inbox(waiting: Somebody, sign_up: str) -> None:
    """The offer, waiting before it: two unread, and none when they are read."""
    said = inbox_of(waiting)
    offered, *earlier = said["items"]
    assert offered["title"] == "En plads til »Soup & plans« er reserveret til dig"
    assert [(one["news"], one["thing"]) for one in offered["items"]] == [("place-offered", sign_up)]
    assert [one["news"] for notice in earlier for one in notice["items"]] == ["waiting"]
    assert said["unread"] == 2
    read = waiting.client.post("/v1/me/notices/read", json={"until": offered["id"]})
    assert read.json() == {"unread": 0}


def posted_once(plain_stack: PlainStack, operator: Somebody, hook: dict[str, Any], sign_up: str) -> Posted:
    """To the operator's system, signed; that a place is offered, not to whom."""
    eventually("the webhook is posted", lambda: plain_stack.receiver.at("/offers"))
    [posted] = plain_stack.receiver.at("/offers")
    told = posted.verified(hook["secret"])
    assert (told["specversion"], told["type"], told["source"]) == ("1.0", OFFERED, f"/hubs/{HUB}/events")
    assert told["subject"] == sign_up
    url = f"/v1/hubs/{HUB}/webhooks/{hook['id']}/deliveries"
    [delivery] = operator.client.get(url).json()["items"]
    assert (delivery["id"], delivery["fact"]) == (posted.headers["webhook-id"], told["id"])
    return posted


def accepted_by_link(links: dict[str, str]) -> None:
    """As a person does it, with a browser: look, press the button."""
    seen = httpx2.get(links["accept"], headers=BROWSER, timeout=20)
    assert (seen.status_code, seen.headers["content-language"]) == (200, "da")
    assert "Soup &amp; plans" in seen.text
    assert httpx2.post(links["accept"], headers=BROWSER, timeout=20).status_code == 200
    assert httpx2.post(links["decline"], timeout=20).json()["code"] == "link-used"


def a_date_for_the_calendar(plain_stack: PlainStack, waiting: Somebody) -> None:
    """After accepting: the meetup as an iTIP request, at its time."""
    eventually("the place is mailed", lambda: about(plain_stack.mails.to(waiting.address), "Du har en plads"))
    [mail] = about(plain_stack.mails.to(waiting.address), "Du har en plads")
    calendar = calendar_of(mail)
    assert calendar["METHOD"] == "REQUEST"
    [entry] = calendar.walk("VEVENT")
    assert entry["SUMMARY"] == "Soup & plans"
    assert entry.decoded("DTSTART") == datetime.fromisoformat("2030-05-06T10:00+02:00")


def test_unsubscribing_takes_one_click(plain_stack: PlainStack, people: dict[str, Somebody]) -> None:
    """As a mail program does it (RFC 8058): a form to the address in the mail's header."""
    sign_up(people["early"], meet(people["organiser"], title="One click"))
    eventually("mailed", lambda: about(plain_stack.mails.to(people["early"].address), "One click"))
    [mail] = about(plain_stack.mails.to(people["early"].address), "One click")
    link = str(mail["List-Unsubscribe"]).strip(" <>")
    assert httpx2.post(link, data={"List-Unsubscribe": "One-Click"}, timeout=20).status_code == 200
    choices = people["early"].client.get("/v1/me/choices").json()["choices"]
    chosen = [(one["hub"], one["kind"], one["channel"], one["when"]) for one in choices if one["chosen"]]
    assert chosen == [(HUB, "place", "email", "off")]


def test_what_happens_in_one_request_is_one_trace_into_notify(
    plain_stack: PlainStack, people: dict[str, Somebody]
) -> None:
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    consumer = "take in notify__follows_sign_ups"

    def taken_in() -> bool:
        """A batch of many facts continues the first one's trace and links to the others."""
        spans = [one for one in list(plain_stack.collector.spans) if one.name == consumer]
        return any(trace == one.trace or trace in one.links for one in spans)

    def asked() -> bool:
        """Each process sends its spans when it is its turn: the first one's may be the last to arrive."""
        spans = list(plain_stack.collector.trace(trace).values())
        begun = {f"{one.service}: {one.name}" for one in spans if one.parent == parent}
        return "gateway: POST /v1/hubs/{hub}/events/{event}/sign-ups" in begun

    event = meet(people["organiser"], title="Traced")
    made = people["waiting"].client.post(
        f"{event}/sign-ups", json={}, headers={"traceparent": f"00-{trace}-{parent}-01"}
    )
    assert made.status_code == 201, made.text

    eventually("notify's span has arrived", taken_in)
    eventually("the gateway's span has arrived", asked)


def test_whatever_is_killed_no_mail_is_lost(plain_stack: PlainStack, people: dict[str, Somebody]) -> None:
    """The mail server, the bus, notify itself; a copy, if any, has the first one's Message-ID."""
    console = plain_stack.console
    event = meet(people["organiser"], title="Whatever comes")
    guests = {"mail": "Frode", "nats": "Gro", "notify": "Hjalmar"}
    for process, name in guests.items():
        killed = console.pids(process)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        eventually(f"{name} is heard", lambda name=name: ask(console, event, name).status_code == 202)
        eventually(f"{process} is ready", lambda one=process, old=killed: console.is_there_again(one, old))
    for name in guests.values():
        # A mail the mail server did not take is tried again after half a minute.
        mails = plain_stack.mails.wait(address_of(name), seconds=60)
        assert len({mail["Message-ID"] for mail in mails}) == 1, name
        assert httpx2.post(links_in(mails[0])["confirm"]).json()["status"] == "attending"
    said = console.said_in_logs()
    assert not [name for name in guests.values() if name in said or address_of(name) in said]
