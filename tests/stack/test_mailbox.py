"""The stack's mail server: it takes whatever comes, keeps the newest, and shows it without letting it do anything."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import aiosmtplib
import httpx2
import pytest

from deploy.local import mailbox
from deploy.local.mailbox import SAFE, Mailbox, make_app, serve
from deploy.local.servers import free_port
from shared.kit.ids import new_id
from tests.waiting import eventually

PLAIN = b"Subject: Hello\r\nMessage-ID: <1@foci.example>\r\nList-Id: <offer.here.foci.example>\r\n\r\nGood day.\r\n"
HOSTILE = (
    b'Subject: </title><script>alert("subject")</script>\r\n'
    b"From: <img src=x onerror=alert(1)>\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    b'"></iframe><script>alert("body")</script><img src="https://tracker.example/pixel.gif">\r\n'
)


class Elements(HTMLParser):
    """The elements of a page, with what they say of themselves."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def box(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path / "mail")


@pytest.fixture
def page(box: Mailbox) -> httpx2.AsyncClient:
    """The pages of the box, asked without a server between."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=make_app(box)), base_url="http://mail")


def put(box: Mailbox, raw: bytes = PLAIN, to: str = "edda@mail.example", id: UUID | None = None) -> str:
    name = str(id or new_id())
    box.keep(name, (to,), raw)
    return name


def numbered(milliseconds: int, number: int) -> UUID:
    """A UUIDv7 of that moment."""
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | number)


async def test_the_page_lists_the_newest_first_and_those_to_one_address(
    box: Mailbox, page: httpx2.AsyncClient
) -> None:
    empty = await page.get("/")
    assert "There is none yet" in empty.text
    first = put(box)
    second = put(box, PLAIN.replace(b"Hello", "Hej på dig".encode()), to="frode+x@mail.example")
    listed = (await page.get("/")).text
    assert listed.index(f"/mails/{second}") < listed.index(f"/mails/{first}")
    assert "Hej på dig" in listed
    assert Elements(listed).named("html") == [{"lang": "en"}]
    assert all(one.get("scope") == "col" for one in Elements(listed).named("th"))
    [link] = [one["href"] for one in Elements(listed).named("a") if "frode" in str(one["href"])]
    only = (await page.get(str(link))).text
    assert f"/mails/{second}" in only
    assert f"/mails/{first}" not in only


async def test_programs_read_the_list_as_json(box: Mailbox, page: httpx2.AsyncClient) -> None:
    at = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    mail = put(box, id=numbered(int(at.timestamp() * 1000), 1))
    put(box, to="frode@mail.example")
    listed = (await page.get("/mails.json", params={"to": "edda@mail.example"})).json()
    assert listed == {
        "items": [
            {
                "id": mail,
                "at": at.isoformat(),
                "to": ["edda@mail.example"],
                "subject": "Hello",
                "message_id": "<1@foci.example>",
                "list_id": "<offer.here.foci.example>",
            }
        ]
    }
    source = await page.get(f"/mails/{mail}/source")
    assert source.content.endswith(PLAIN)
    assert source.headers["content-type"].startswith("text/plain")


async def test_a_hostile_mail_runs_nothing_and_loads_nothing(box: Mailbox, page: httpx2.AsyncClient) -> None:
    mail = put(box, HOSTILE, to='"><script>alert(1)</script>@mail.example')
    for path in ("/", f"/mails/{mail}"):
        answer = await page.get(path)
        assert answer.status_code == 200
        assert {name: answer.headers[name] for name in SAFE} == SAFE
        elements = Elements(answer.text)
        assert not elements.named("script")
        assert not elements.named("img")
        assert not [one for _, one in elements.found if any(name.startswith("on") for name in one)]
    [frame] = elements.named("iframe")
    # Neither scripts, nor forms, nor this page's own origin: only looking, and links in a new tab.
    assert frame["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"
    assert "alert" in str(frame["srcdoc"])
    assert SAFE["Content-Security-Policy"].startswith("default-src 'none'")


async def test_a_mail_that_cannot_be_read_is_shown_as_far_as_it_goes(
    box: Mailbox, page: httpx2.AsyncClient
) -> None:
    broken = (
        b"Subject: =?nonsense?Q?=FF?=\r\nContent-Type: text/plain; charset=no-such-one\r\n\r\n\xff\xfe\r\n"
    )
    for raw in (broken, b"", b"\x00\xff" * 50, b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"):
        mail = put(box, raw)
        assert (await page.get(f"/mails/{mail}")).status_code == 200
        assert (await page.get(f"/mails/{mail}/source")).content.endswith(raw)
    assert (await page.get("/")).status_code == 200
    assert len((await page.get("/mails.json")).json()["items"]) == 4


async def test_only_mails_of_the_box_are_ever_opened(
    box: Mailbox, page: httpx2.AsyncClient, tmp_path: Path
) -> None:
    put(box)
    (tmp_path / "secret.eml").write_text("Subject: secret\r\n\r\n")
    (tmp_path / "mail" / "stray.txt").write_text("secret")
    for name in (
        "../secret",
        "..%2Fsecret",
        "%2e%2e/secret",
        f"{tmp_path}/secret",
        "stray.txt",
        "",
        "nothing",
    ):
        for path in (f"/mails/{name}", f"/mails/{name}/source"):
            answer = await page.get(path)
            assert answer.status_code in {404, 307}, path
            assert "secret" not in answer.text
        assert box.read(name) is None


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "KEPT", 3)
    box = Mailbox(tmp_path)
    names = [put(box, id=numbered(1_000 + number, number)) for number in range(5)]
    assert [mail.id for mail in box.newest()] == names[:1:-1]
    assert len(box) == len(list(tmp_path.glob("*.eml"))) == 3


def test_mails_stay_when_it_is_started_again_and_half_written_ones_do_not_show(tmp_path: Path) -> None:
    names = [put(Mailbox(tmp_path), to=f"guest{number}@mail.example") for number in range(2)]
    (tmp_path / f"{new_id()}.eml.part").write_text("half of a ma")
    again = Mailbox(tmp_path)
    assert [mail.id for mail in again.newest()] == names[::-1]
    assert [mail.recipients for mail in again.newest(to="guest0@mail.example")] == [("guest0@mail.example",)]
    assert not list(tmp_path.glob("*.part"))
    (tmp_path / f"{names[0]}.eml").unlink()  # somebody tidied up by hand
    assert [mail.id for mail in again.newest()] == names[1:]


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[int, httpx2.AsyncClient]]:
    """The server as it runs, and the port that takes mail."""
    smtp, http = free_port(), free_port()
    task = asyncio.create_task(serve(smtp, http, folder, new_id))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{http}", trust_env=False) as client:
        try:
            await eventually(lambda: answers(client), within=20)
            yield smtp, client
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def answers(client: httpx2.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).status_code == 200
    except httpx2.TransportError:
        return False


async def test_mail_comes_in_by_smtp_and_what_is_too_large_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "LARGEST", 20_000)
    async with running(tmp_path) as (port, client):
        recipients = ["edda@mail.example", "grön@exämple.example"]
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
            await smtp.sendmail("no-reply@foci.example", recipients, PLAIN, mail_options=["SMTPUTF8"])
            with pytest.raises(aiosmtplib.SMTPException):
                await smtp.sendmail("no-reply@foci.example", recipients[:1], PLAIN + b"x\r\n" * 10_000)
            await smtp.sendmail("no-reply@foci.example", recipients[:1], PLAIN + b".\r\n..dots\r\n")
        listed = (await client.get("/mails.json")).json()["items"]
        assert [one["to"] for one in listed] == [recipients[:1], recipients]
        dotted = await client.get(f"/mails/{listed[0]['id']}/source")
        assert dotted.content.endswith(PLAIN + b".\r\n..dots\r\n")


async def test_what_cannot_be_kept_may_be_sent_again(tmp_path: Path) -> None:
    """A disk that is full, a folder that is gone: that passes, so nobody may be told to give the mail up."""
    folder = tmp_path / "mail"
    async with running(folder) as (port, client):
        folder.rename(tmp_path / "away")
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
            with pytest.raises(aiosmtplib.SMTPDataError) as refused:
                await smtp.sendmail("no-reply@foci.example", ["edda@mail.example"], PLAIN)
            assert 400 <= refused.value.code < 500
            (tmp_path / "away").rename(folder)
            await smtp.sendmail("no-reply@foci.example", ["edda@mail.example"], PLAIN)
        assert len((await client.get("/mails.json")).json()["items"]) == 1
