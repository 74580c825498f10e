"""The mail itself: read back by the standard library whatever titles say, and by people who hear or enlarge it."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from functools import lru_cache
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.notify.rules import mail, samples, wording
from services.notify.rules.differences import Item
from services.notify.rules.given import LONGEST, one_line
from services.notify.rules.languages import LANGUAGES
from services.notify.rules.samples import Shown, shown
from services.notify.rules.states import HookState, PlaceState
from services.notify.rules.wording import Rendered, render
from shared.contracts.directory.requests import Contact
from shared.contracts.links import LinkPurpose
from shared.contracts.notify.words import ALWAYS, News, NoticeKind
from tests.notify.page import Page, contrast, contrasts

MESSAGE = UUID("01981f0e-5a00-7000-8000-0000000000f1")
AT = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
UNSUBSCRIBE = "https://foci.example/v1/links/" + "x" * 600
EVERYTHING = [one for kind in NoticeKind for one in shown(kind)]
_NAMES = [f"{one.sample.kind}-{one.sample.news}-{one.rendered.language}" for one in EVERYTHING]
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "List-Id",
    "Auto-Submitted",
    "Content-Language",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
    "Content-Type",
]


@lru_cache(maxsize=500)
def _parsed(name: str, value: str) -> Any:
    return SMTP.header_fetch_parse(name, value)


class _Once(EmailPolicy):
    """`policy.SMTP`, which parses a header anew whenever it is asked for: some thirty times for one mail that is read."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return _parsed(name, value)


ONCE = _Once(linesep=SMTP.linesep)


def read(content: bytes) -> EmailMessage:
    """The mail as the standard library understands it; it must find nothing wrong with it."""
    found = email.message_from_bytes(content, policy=ONCE)
    assert isinstance(found, EmailMessage)
    for part in found.walk():
        assert part.defects == []
        for name, value in part.items():
            assert getattr(value, "defects", ()) == (), name
    return found


def part_of(found: EmailMessage, kind: str) -> str:
    """The text of the part of that kind."""
    parts = [part for part in found.walk() if part.get_content_type() == kind]
    assert len(parts) == 1, kind
    assert isinstance(parts[0], EmailMessage)
    return str(parts[0].get_content()).replace("\r\n", "\n")


def display_name(content: bytes) -> str:
    """Who it is from, in words (RFC 2047, 6.2: space between two encoded words is none, which `policy.SMTP` forgets in names)."""
    raw = str(email.message_from_bytes(content)["From"])
    return str(make_header(decode_header(raw.rpartition("<")[0].strip())))


def contact(name: str = "Kim Öberg", address: str = "kim@example.org") -> Contact:
    """Somebody to write to; what directory would refuse is let through, to see that it does no harm."""
    return Contact.model_construct(
        hub="lindhamn",
        person=MESSAGE,
        name=name,
        email=address,
        language="sv",
        time_zone="Europe/Stockholm",
        guest=False,
    )


def mailed(items: tuple[Item, ...], *, to: Contact | None = None, language: str = "sv") -> mail.Mail:
    """What is sent."""
    to = to or contact()
    links = {item.thing: {LinkPurpose.LEAVE: "https://foci.example/v1/links/leave"} for item in items}
    rendered = render(
        items, language=language, zone="Europe/Stockholm", name=to.name, links=links, unsubscribe=UNSUBSCRIBE
    )
    return built(rendered, items, to=to)


def built(rendered: Rendered, items: tuple[Item, ...], *, to: Contact | None = None) -> mail.Mail:
    """The mail of what is rendered."""
    return mail.build(
        MESSAGE,
        rendered,
        items,
        to or contact(),
        mail_from="no-reply@foci.example",
        mail_domain="foci.example",
        unsubscribe=UNSUBSCRIBE,
        at=AT,
    )


# --- for readers of every sort ---


@pytest.mark.parametrize("one", EVERYTHING, ids=_NAMES)
def test_the_page_is_well_formed_and_can_be_heard(one: Shown) -> None:
    page = Page(one.rendered.html)
    assert page.faults == []
    named = dict(page.tags)
    assert named["html"]["lang"] == one.rendered.language
    assert [known["lang"] for tag, known in page.tags if known.get("role") == "article"] == [
        one.rendered.language
    ]
    assert page.words["title"] == page.words["h1"] == [one.rendered.subject]
    assert len(page.words.get("h2", [])) == (len(one.sample.items) if len(one.sample.items) > 1 else 0)
    assert not {"script", "img", "form", "iframe", "table", "font"} & set(named), "one column of text"
    assert len(page.words.get("dt", [])) == len(page.words.get("dd", []))


@pytest.mark.parametrize("one", EVERYTHING, ids=_NAMES)
def test_every_link_says_in_words_what_it_does(one: Shown) -> None:
    page = Page(one.rendered.html)
    offered = [url for links in samples.links_of(one.sample).values() for url in links.values()]
    if one.sample.kind is NoticeKind.INTRODUCTION:
        offered.append(samples._INTRODUCTIONS)
    stop = [] if one.sample.kind in ALWAYS else [f"{samples._LINKS}/sample-unsubscribe"]
    assert [url for _, url in page.links] == offered + stop
    for words, url in page.links:
        assert len(words.split()) >= 2, words
        assert "http" not in words
        assert url in one.rendered.text, "text readers have it too"
        assert f"{words}:\n{url}" in one.rendered.text


def test_colours_stand_out_in_light_and_in_dark_and_are_never_alone() -> None:
    page = Page(EVERYTHING[0].rendered.html)
    style = next(iter(page.words["style"]))
    found = contrasts(style)
    assert {mode.split()[0] for mode in found} == {"light", "dark"}
    assert len(found) >= 6
    assert {rule: round(ratio, 1) for rule, ratio in found.items() if ratio < 4.5} == {}
    assert re.search(r"\ba \{[^}]*text-decoration: underline", style)
    assert ("meta", {"name": "color-scheme", "content": "light dark"}) in page.tags


def test_a_pale_colour_would_be_found() -> None:
    assert round(contrast("#000000", "#ffffff")) == 21
    style = "body { background: #ffffff; color: #1c1c1c; } a { color: #a0a0a0; } "
    dark = "@media (prefers-color-scheme: dark) { body { background: #16191d; color: #f0f0f0; } } "  # and no more
    assert [rule for rule, ratio in contrasts(style + dark).items() if ratio < 4.5] == ["light a"]


def test_a_page_that_does_not_nest_would_be_found() -> None:
    assert Page("<p><a href='x'>y</p></a>").faults
    assert Page("<p>").faults
    assert Page("<p><!-- x --></p>").faults


# --- for programs ---


def test_headers_say_who_what_and_how_to_stop() -> None:
    item = samples.samples(NoticeKind.PLACE)[0].items[0]
    sent = mailed((item,))
    found = read(sent.content)
    assert [name for name, _ in found.items()] == HEADERS
    assert found["From"] == "Lindhamns kontorshotell <no-reply@foci.example>"
    assert found["To"] == "Kim Öberg <kim@example.org>"
    assert found["Subject"] == "Du har en plats på ”Frukost med stadsarkitekten”"
    assert found["Date"].datetime == AT
    assert found["Message-ID"] == sent.message_id == f"<{MESSAGE}@foci.example>"
    assert found["List-Id"] == "<place.lindhamn.foci.example>"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Content-Language"] == "sv"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"List-Unsubscribe:{' '}\r\n <{UNSUBSCRIBE}>\r\n".encode() in sent.content, "as it is, RFC 8058"
    assert (sent.sender, sent.to) == ("no-reply@foci.example", "kim@example.org")
    assert sent.ascii


def test_what_is_always_sent_has_no_way_to_stop_it() -> None:
    for kind in ALWAYS:
        for sample in samples.samples(kind):
            found = read(mailed(sample.items).content)
            assert not [name for name, _ in found.items() if name.startswith("List-Unsubscribe")]


def test_a_digest_of_several_kinds_is_a_list_of_its_own() -> None:
    items = (
        samples.samples(NoticeKind.BOOKING)[0].items[0],
        samples.samples(NoticeKind.PROGRAMME)[0].items[0],
    )
    assert read(mailed(items).content)["List-Id"] == "<digest.lindhamn.foci.example>"
    assert read(mailed(items[:1]).content)["List-Id"] == "<booking.lindhamn.foci.example>"


def test_the_same_message_is_the_same_bytes() -> None:
    items = samples.samples(NoticeKind.BOOKING)[0].items
    assert mailed(items).content == mailed(items).content


@pytest.mark.parametrize("one", EVERYTHING, ids=_NAMES)
def test_every_mail_is_read_back_as_it_was_rendered(one: Shown) -> None:
    found = read(one.mail.content)
    assert part_of(found, "text/plain") == one.rendered.text
    assert part_of(found, "text/html") == one.rendered.html
    assert found["Subject"] == one.rendered.subject
    alternatives = next(part for part in found.walk() if part.get_content_type() == "multipart/alternative")
    kinds = [part.get_content_type() for part in alternatives.iter_parts()]
    assert kinds[:2] == ["text/plain", "text/html"], "the plainest first"
    assert all(len(line) <= 998 for line in one.mail.content.split(b"\r\n"))
    assert b"\n" not in one.mail.content.replace(b"\r\n", b"")
    assert one.mail.content.isascii()


@pytest.mark.parametrize(
    ("given_address", "sent_to", "ascii_only"),
    [
        ("kim@smörgås.example", "kim@xn--smrgs-pra0j.example", True),
        ("kim.öberg@example.org", "kim.öberg@example.org", False),
    ],
)
def test_addresses_outside_ascii_go_as_mail_servers_know_them(
    given_address: str, sent_to: str, *, ascii_only: bool
) -> None:
    sent = mailed(samples.samples(NoticeKind.REMINDER)[0].items, to=contact(address=given_address))
    assert (sent.to, sent.ascii) == (sent_to, ascii_only)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "kim",
        "kim@",
        "@example.org",
        "kim@example.org\r\nBcc: all@example.org",
        "kim@example.org, ada@example.org",
        "kim@example.org> <ada@example.org",
        "kim @example.org",
        "kim@exa mple.org",
        "kim@\u202eexample.org",
        "k\u202eim@example.org",
        "kim@example.org\x00",
    ],
)
def test_what_is_no_address_gets_no_mail(address: str) -> None:
    with pytest.raises(ValueError, match=r"address|[Ll]abel|[Cc]odepoint|[Dd]omain"):
        mailed(samples.samples(NoticeKind.REMINDER)[0].items, to=contact(address=address))


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x.example/a b", "https://x.example/>\r\nBcc: a@b.example", ""]
)
def test_only_a_url_stands_where_to_unsubscribe(url: str) -> None:
    sample = samples.samples(NoticeKind.REMINDER)[0]
    rendered = samples._shown(sample, "sv").rendered
    with pytest.raises(ValueError, match="unsubscribe"):
        mail.build(
            MESSAGE,
            rendered,
            sample.items,
            contact(),
            mail_from="no-reply@foci.example",
            mail_domain="foci.example",
            unsubscribe=url,
            at=AT,
        )


# --- whatever people write ---

_NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></head><body onload=alert(1)>",
    "<!-- ",
    "Frukost\r\nBcc: everybody@example.org",
    "Frukost\n\n--=_alternative_x\r\nContent-Type: text/html\r\n\r\n<p>",
    "\u202egnitseretni\u202c",
    "=?utf-8?q?=0D=0ABcc=3A_a=40b.example?=",
    "%(event)s %s %d {{ 7*7 }} {% raw %}",
    "å" * 200,
    "👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿" * 30,
    "a" * 5000,
    "\x00\x1b[2J\x7f\x85\u2028\u2029\ufeff",
    "\ud800 lone",
    "مقهى الصباح",
    '"; drop" <a@b.example>, c',
    ". ",
    "  ",
]
_TEXTS = st.one_of(
    st.sampled_from(_NASTY),
    st.text(max_size=300),
    st.text(st.characters(codec=None), max_size=100),
    st.text(alphabet="<>&\"'=?_-. \r\n\t%(){}:;,@\\\u202e\u2028ö", max_size=120),
)


def _with(title: str, hub: str, space: str) -> tuple[Item, ...]:
    known = next(one for one in samples.samples(NoticeKind.PLACE) if one.news is News.PLACE_TAKEN).items[0]
    assert isinstance(known.now, PlaceState)
    now = known.now.model_copy(update={"titles": {"sv": title}, "space_name": space})
    return (Item(**(vars(known) | {"now": now, "hub_name": hub})),)


HARMLESS = render(
    _with("Frukost", "Hub", "Sal"),
    language="sv",
    zone="Europe/Stockholm",
    name="Kim",
    links={},
    unsubscribe=UNSUBSCRIBE,
)
_PAGE = Page(HARMLESS.html)


@given(title=_TEXTS, hub=_TEXTS, space=_TEXTS, name=_TEXTS)
@example(title=_NASTY[4], hub=_NASTY[4], space=_NASTY[5], name=_NASTY[4])
@example(title=_NASTY[0], hub=_NASTY[1], space=_NASTY[2], name=_NASTY[3])
@example(title=_NASTY[9], hub=_NASTY[10], space=_NASTY[11], name=_NASTY[10])
@settings(max_examples=150, deadline=None)
def test_nothing_people_write_adds_a_header_a_line_or_markup(
    title: str, hub: str, space: str, name: str
) -> None:
    items = _with(title, hub, space)
    rendered = render(
        items, language="sv", zone="Europe/Stockholm", name=name, links={}, unsubscribe=UNSUBSCRIBE
    )
    page = Page(rendered.html)
    assert page.faults == []
    assert page.shape == _PAGE.shape
    assert [url for _, url in page.links] == [url for _, url in _PAGE.links]
    if one_line(name):
        assert len(rendered.text.split("\n")) == len(HARMLESS.text.split("\n"))
    sent = built(rendered, items, to=contact(name=name))
    found = read(sent.content)
    assert [header for header, _ in found.items()] == HEADERS
    assert found["Subject"] == one_line(rendered.subject)
    assert [one.addr_spec for one in found["To"].addresses] == ["kim@example.org"]
    assert [one.addr_spec for one in found["From"].addresses] == ["no-reply@foci.example"]
    assert display_name(sent.content) == one_line(hub)
    assert part_of(found, "text/plain") == rendered.text
    assert part_of(found, "text/html") == rendered.html
    assert len(list(found.walk())) == 6, "mixed, alternative, three readers' parts, the file"
    assert all(len(line) <= 998 for line in sent.content.split(b"\r\n"))
    assert sent.content.isascii()


@given(text=_TEXTS)
@settings(max_examples=150, deadline=None)
def test_given_text_becomes_one_short_line_without_hidden_marks(text: str) -> None:
    line = one_line(text)
    assert len(line) <= LONGEST
    assert line == one_line(line)
    assert len(line.splitlines()) <= 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", line)
    line.encode()


@given(target=_TEXTS, language=st.sampled_from(LANGUAGES))
@settings(max_examples=50, deadline=None)
def test_a_webhooks_name_is_no_way_in_either(target: str, language: str) -> None:
    known = next(one for one in samples.samples(NoticeKind.ALERT) if one.news is News.WEBHOOK_PAUSED).items[0]
    assert isinstance(known.now, HookState)
    item = Item(**(vars(known) | {"now": known.now.model_copy(update={"target": target})}))
    found = read(mailed((item,), language=language).content)
    assert Page(part_of(found, "text/html")).faults == []
    assert found["Subject"] == one_line(wording.tell(item, language=language, zone="UTC", links={}).title)
