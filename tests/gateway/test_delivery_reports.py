"""What came back: reports as mail servers write them are understood, and whatever strangers send costs little."""

from __future__ import annotations

import time
from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.routes.delivery_reports import ReportNotUnderstood, read_report

MESSAGE_ID = "<01981f0e-5a00-7000-8000-000000000071@foci.example>"
RETURNED = f"From: Nordviken <no-reply@foci.example>\r\nMessage-ID: {MESSAGE_ID}\r\nSubject: =?utf-8?q?K=C3=A4lla?=\r\n"
# As Postfix writes it: the returned message whole, folded diagnostics, Swedish around it.
POSTFIX = f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.foci.example (Mail Delivery System)
To: no-reply@foci.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
    boundary="4D0B2401.1700000000/mx.foci.example"
Message-Id: <20270301090000.4D0B2401@mx.foci.example>

This is a MIME-encapsulated message.

--4D0B2401.1700000000/mx.foci.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

--4D0B2401.1700000000/mx.foci.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.foci.example
X-Postfix-Queue-ID: 4D0B2401
Arrival-Date: Mon,  1 Mar 2027 09:59:58 +0100 (CET)

Final-Recipient: rfc822; nobody@mail.example
Original-Recipient: rfc822;nobody@mail.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.mail.example
Diagnostic-Code: smtp; 550 5.1.1 <nobody@mail.example>: Recipient address
    rejected: User unknown. Status: 2.0.0

--4D0B2401.1700000000/mx.foci.example
Content-Description: Undelivered Message
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

Received: by mx.foci.example (Postfix)
Message-ID: {MESSAGE_ID}
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="inner"

--inner
Content-Type: text/plain; charset=utf-8

Hej
--inner--

--4D0B2401.1700000000/mx.foci.example--
"""


def report(
    status: str | None = "5.1.1", *more: str, returned: str = RETURNED, as_: str = "text/rfc822-headers"
) -> bytes:
    """A report about a mail, as the standard library puts one together."""
    whole = MIMEMultipart("report")
    whole.set_param("report-type", "delivery-status")
    whole.attach(MIMEText("It could not be delivered.", "plain", "us-ascii"))
    fields = MIMEBase("message", "delivery-status")
    block = EmailMessage()
    block["Reporting-MTA"] = "dns; mx.mail.example"
    blocks: list[Message | str] = [block]
    for one in (status, *more):
        block = EmailMessage()
        block["Final-Recipient"] = "rfc822; somebody.else@mail.example"
        if one is not None:
            block["Status"] = one
        blocks.append(block)
    fields.set_payload(blocks)
    whole.attach(fields)
    main, _, sub = as_.partition("/")
    part = MIMEBase(main, sub)
    if main == "message":
        inner = EmailMessage()
        for line in returned.splitlines():
            name, _, value = line.partition(": ")
            inner[name] = value
        part.set_payload([inner])
    else:
        part.set_payload(returned)
    whole.attach(part)
    return whole.as_bytes()


def test_a_report_of_postfix() -> None:
    for raw in (POSTFIX, POSTFIX.replace("\n", "\r\n")):
        assert read_report(raw.encode()) == (MESSAGE_ID, "5.1.1")


@pytest.mark.parametrize("as_", ["text/rfc822-headers", "message/rfc822", "message/global"])
def test_headers_may_be_returned_alone_or_with_the_message(as_: str) -> None:
    assert read_report(report(as_=as_)) == (MESSAGE_ID, "5.1.1")


@pytest.mark.parametrize(
    ("said", "understood"),
    [("5.1.1 (no such user)", "5.1.1"), ("4.4.7", "4.4.7"), ("2.1.5", "2.1.5"), ("5.7.516", "5.7.516")],
)
def test_a_status_is_taken_as_it_is(said: str, understood: str) -> None:
    assert read_report(report(said)) == (MESSAGE_ID, understood)


def test_of_several_recipients_the_least_final_counts() -> None:
    """An address that leads to several people works as long as it does for one of them."""
    assert read_report(report("5.1.1", "4.2.2"))[1] == "4.2.2"
    assert read_report(report("4.2.2", "5.1.1", "2.0.0"))[1] == "2.0.0"
    assert read_report(report("5.1.1", "5.2.1"))[1].startswith("5.")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe" * 100,
        b"Subject: Out of office\r\n\r\nI am on the island until Monday.",
        report(None),
        report("delivered"),
        report("5.1"),
        report("9.1.1"),
        report("5.1.1.1"),
        report(returned="Subject: none\r\n"),
        report(returned="Message-ID: none\r\n"),
        report(returned=f"Message-ID: <{'x' * 400}@foci.example>\r\n"),
        report(returned="Message-ID: <a\tb@foci.example>\r\n"),
        report().replace(b"message/delivery-status", b"text/plain"),
        report().replace(b"text/rfc822-headers", b"text/plain"),
        report().replace(b"boundary=", b"bounds="),
        b"Content-Type: message/delivery-status\r\n\r\n",
        b"Content-Type: message/rfc822\r\n\r\n",
    ],
)
def test_what_is_no_report_is_refused_with_a_reason(raw: bytes) -> None:
    with pytest.raises(ReportNotUnderstood) as caught:
        read_report(raw)
    assert (caught.value.status, caught.value.code) == (422, "report-not-understood")
    assert caught.value.detail


def test_the_report_decides_nothing_by_whom_it_names() -> None:
    """Whoever writes a report can name anybody in it."""
    assert read_report(report().replace(b"somebody.else", b"the.mayor")) == read_report(report())


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("nested", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 2_600),
        ("messages in messages", b"Content-Type: message/rfc822\r\n\r\n" * 4_000),
        ("digests", b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n" * 2_500),
        ("just below", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 60 + b"x\r\n" * 40_000),
        ("blocks", b"Content-Type: message/delivery-status\r\n\r\n" + b"A: 1\r\n\r\n" * 15_000),
        ("blank blocks", b"Content-Type: message/delivery-status\r\n\r\n" + b"\n" * 130_000),
        ("parts", b"Content-Type: multipart/report; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 12_000),
        ("delimiters", b"Content-Type: multipart/report; boundary=b\r\n\r\n" + b"--b\n" * 32_000),
        ("as many breaks as may be", b"Content-Type: message/delivery-status\r\n\r\n" + b"A: 1\n\n" * 3_990),
        ("headers", b"A: 1\r\n" * 20_000),
        ("folds", b"Content-Type: multipart/report;\r\n" + b" a=b;\r\n" * 15_000),
        ("parameters", b"Content-Type: multipart/report; " + b'a*0*="' * 20_000),
        ("one line", b"Content-Type: multipart/report; boundary=" + b"b" * 130_000),
        ("message ids", report(returned="Message-ID: " + "<" * 100_000)),
        ("status", report(" " * 100_000 + "5")),
    ],
)
def test_hostile_mail_costs_little(name: str, raw: bytes) -> None:
    assert len(raw) < 140_000
    began = time.process_time()
    with pytest.raises(ReportNotUnderstood):
        read_report(raw)
    assert time.process_time() - began < 1.0, name


def test_words_in_another_charset_disturb_nothing() -> None:
    raw = report().replace(b"It could not be delivered.", "Går inte att nå".encode("utf-16"))
    raw = raw.replace(b"us-ascii", b"no-such-charset").replace(b"Subject: =?utf-8", b"Subject: \xe5=?x-none")
    assert read_report(raw) == (MESSAGE_ID, "5.1.1")


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_report_with_anything_changed_is_read_or_refused_and_never_breaks(data: st.DataObject) -> None:
    raw = bytearray(POSTFIX.encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw)))
        length = data.draw(st.integers(0, 40))
        raw[at : at + length] = data.draw(st.binary(max_size=40))
    try:
        message_id, status = read_report(bytes(raw))
    except ReportNotUnderstood:
        return
    assert message_id.startswith("<")
    assert status[0] in "245"
