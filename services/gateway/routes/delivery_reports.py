"""What a mail server's report says (RFC 3464): which message came back, and how final that is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message

from shared.kit.errors import Invalid

MOST_PARTS = 60
"""A report has three parts. Nesting costs the parser a stack frame each, and strangers write what comes back."""
MOST_BREAKS = 4_000
"""Blank lines and delimiters, each of which may begin a part or a block of fields with an object of its own."""
_BREAK = re.compile(rb"^(?:--|\r?$)", re.MULTILINE)
_PART = re.compile(rb"(?:multipart|message)/", re.IGNORECASE)
_FIELDS = ("message/delivery-status", "message/global-delivery-status")
_RETURNED = (
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global-headers",
)
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,298}>")
_STATUS = re.compile(r"\s*([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")


class ReportNotUnderstood(Invalid):
    """What was sent is no delivery status report, or does not say which message it is about."""

    code = "report-not-understood"
    title = "This is no report that can be read"


def read_report(raw: bytes) -> tuple[str, str]:
    """The Message-ID and the status code of a report; ReportNotUnderstood when they are not in it.

    Who the report says the recipient was is not read: the message knows to whom it went, and a report could name
    anybody. Of several recipients the least final status counts: somebody still gets mail at that address.
    """
    if len(_PART.findall(raw)) > MOST_PARTS:
        raise ReportNotUnderstood(f"A report has three parts; this message names more than {MOST_PARTS}.")
    if len(_BREAK.findall(raw)) > MOST_BREAKS:
        raise ReportNotUnderstood(f"It has more than {MOST_BREAKS} blank lines and delimiters.")
    report = message_from_bytes(raw)
    statuses = [status for part in report.walk() if _is(part, _FIELDS) for status in _statuses(part)]
    if not statuses:
        raise ReportNotUnderstood(
            "No recipient's `Status` (RFC 3464) is in it. Send the whole message, with its headers."
        )
    ids = [named for part in report.walk() if _is(part, _RETURNED) for named in _returned_id(part)]
    if not ids:
        raise ReportNotUnderstood(
            "It does not return the message's headers with their Message-ID. Have them returned (RET=HDRS)."
        )
    return ids[0], min(statuses, key=_class_of)


def _is(part: Message, kinds: tuple[str, ...]) -> bool:
    return part.get_content_type() in kinds


def _statuses(part: Message) -> Iterator[str]:
    # Blocks of fields: the first about the report, one about each recipient after it (RFC 3464, 2.1).
    blocks = part.get_payload()
    for block in blocks if isinstance(blocks, list) else ():
        found = _STATUS.match(str(block.get("Status", ""))) if isinstance(block, Message) else None
        if found is not None:
            yield found[1]


def _returned_id(part: Message) -> Iterator[str]:
    inner = part.get_payload()
    if isinstance(inner, list):
        headers = inner[0] if inner else None
    else:
        text = part.get_payload(decode=True)
        headers = message_from_bytes(text) if isinstance(text, bytes) else None
    found = _MESSAGE_ID.search(str(headers.get("Message-ID", ""))) if isinstance(headers, Message) else None
    if found is not None:
        yield found[0]


def _class_of(status: str) -> str:
    # 2 delivered, 4 not now, 5 never (RFC 3463): in the order of how final they are.
    return status[0]
