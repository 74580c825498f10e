"""Examples of notices, choices, webhooks and mail in the published document, in the same made-up small town."""

from __future__ import annotations

from typing import Any

_EVENT = "01981f0e-5a00-7000-8000-0000000000e1"
_SIGN_UP = "01981f0e-5a00-7000-8000-0000000000d1"
_NOTICE = "01981f0e-5a00-7000-8000-000000000071"
_WEBHOOK = "01981f0e-5a00-7000-8000-000000000041"
_NEW_WEBHOOK = {
    "url": "https://boards.nordviken.example/foci",
    "name": "The board at the entrance",
    "types": ["foci.booking.booking-confirmed.v1", "foci.booking.booking-cancelled.v1"],
}
_WEBHOOK_VIEW = {
    "id": _WEBHOOK,
    "hub": "nordviken",
    **_NEW_WEBHOOK,
    "state": "active",
    "created_at": "2027-02-20T08:00:00Z",
    "version": 1,
}
_DELIVERY = {
    "id": "01981f0e-5a00-7000-8000-000000000042",
    "type": "foci.booking.booking-cancelled.v1",
    "fact": "01981f0e-5a00-7000-8000-0000000000f7",
    "state": "waiting",
    "attempts": 2,
    "created_at": "2027-03-01T09:00:00Z",
    "next_at": "2027-03-01T09:06:00Z",
    "last_at": "2027-03-01T09:01:00Z",
    "last_status": 503,
    "last_ms": 212,
    "last_problem": "It answered 503.",
}
_QUIET = {"start": "22:00", "end": "07:30"}
_BOUNCE = {"message_id": f"<{_NOTICE}@foci.example>", "status": "5.1.1"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "BounceReport": _BOUNCE,
    "BounceTaken": {"stopped": True},
    "ChoicesChange": {
        "choices": [
            {"kind": "programme", "channel": "email", "when": "off"},
            {"hub": "nordviken", "kind": "event", "channel": "email", "when": "daily"},
        ],
        "quiet": _QUIET,
        "remind_minutes": 120,
    },
    "ChoicesView": {
        "choices": [
            {"kind": "programme", "channel": "email", "when": "off", "chosen": True},
            {"kind": "reminder", "channel": "email", "when": "now", "chosen": False},
            {"hub": "nordviken", "kind": "event", "channel": "email", "when": "daily", "chosen": True},
        ],
        "quiet": _QUIET,
        "digest_at": "07:30",
        "remind_minutes": 120,
        "version": 3,
    },
    "DeliveryView": _DELIVERY,
    "NewWebhook": _NEW_WEBHOOK,
    "NoticeView": {
        "id": _NOTICE,
        "hub": "nordviken",
        "title": "En plats är reserverad åt dig: Frukost i hamnen",
        "at": "2027-03-02T16:00:00Z",
        "items": [
            {
                "kind": "offer",
                "news": "place-offered",
                "hub": "nordviken",
                "thing": _SIGN_UP,
                "event": _EVENT,
                "title": "En plats är reserverad åt dig: Frukost i hamnen",
                "text": "Tacka ja senast onsdag 3 mars 06:00.",
                "start": "2027-03-03T08:00:00+01:00",
                "end": "2027-03-03T09:30:00+01:00",
            }
        ],
    },
    "ReadNotices": {"until": _NOTICE},
    "UnreadView": {"unread": 0},
    "UnsubscribeView": {
        "purpose": "unsubscribe",
        "hub": "nordviken",
        "kinds": ["programme"],
        "channel": "email",
        "done": False,
    },
    "WebhookChange": {"types": [], "active": True},
    "WebhookSecretView": {**_WEBHOOK_VIEW, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    "WebhookView": _WEBHOOK_VIEW,
}
BOUNCES: dict[str, dict[str, Any]] = {"an address that never existed": {"value": _BOUNCE}}
"""Bodies of a bounce as JSON."""
_PARTS = f"""\
--b
Content-Type: text/plain

The mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.mail.example

Final-Recipient: rfc822; nobody@mail.example
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: <{_NOTICE}@foci.example>
Subject: Frukost i hamnen

--b--
"""
_HEAD = 'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
RETURNED: dict[str, dict[str, Any]] = {
    "message/rfc822": {"as it came back": {"value": _HEAD + _PARTS}},
    "message/global": {"as it came back": {"value": _HEAD + _PARTS}},
    "multipart/report": {"as it came back": {"value": _PARTS}},
}
"""Bodies of a bounce as mail servers write them."""
_FORM = {"type": "object", "properties": {"List-Unsubscribe": {"type": "string", "enum": ["One-Click"]}}}
ONE_CLICK: dict[str, Any] = {
    "required": False,
    "description": "What mail programs send that unsubscribe with one click (RFC 8058); nobody has to.",
    "content": {
        "application/x-www-form-urlencoded": {"schema": _FORM},
        "multipart/form-data": {"schema": _FORM},
    },
}
