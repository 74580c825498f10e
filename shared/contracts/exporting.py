"""Requests for everything a service holds of the person who asks: one for each service, answered a part at a time."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from shared.contracts.base import Page, Plain, Request, Slug, View, described


class ExportedRow(View):
    """One thing that is held of the person."""

    table: Slug = described("What kind of thing: the table it stands in, with hyphens.")
    line: str = described("The thing itself, as one line of JSON.")


class ExportPage(Page):
    """The next things, table by table."""

    items: tuple[ExportedRow, ...]


class _Export(Request[ExportPage]):
    reply = ExportPage

    cursor: Annotated[Plain, StringConstraints(max_length=200)] | None = None


class ExportMe(_Export):
    """What directory holds of the person who asks."""

    service = "directory"
    operation = "export-me"


class ExportMyBookings(_Export):
    """What booking holds of the person who asks."""

    service = "booking"
    operation = "export-my-bookings"


class ExportMyAttendance(_Export):
    """What events holds of the person who asks."""

    service = "events"
    operation = "export-my-attendance"


class ExportMyMatching(_Export):
    """What matching holds of the person who asks."""

    service = "matching"
    operation = "export-my-matching"


class ExportMyNotices(_Export):
    """What notify holds of the person who asks."""

    service = "notify"
    operation = "export-my-notices"
