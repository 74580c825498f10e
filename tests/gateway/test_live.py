"""Reading along: what happens is told as it happens, and whoever comes back is told what they missed and nothing twice."""

from __future__ import annotations

from tests.gateway.cell import Cell
from tests.gateway.live_readers import listening


def test_what_happens_is_told_as_it_happens(cell: Cell) -> None:
    member = cell.token("here", "member")
    with listening(cell.http, "here", "spaces,bookings,events", token=member) as heard:
        assert heard.headers["content-type"].startswith("text/event-stream")
        assert heard.named("open")[0]["hub"] == "here"
        cell.space("here", "attic")
        opened = heard.tells("space-opened")
        assert (opened["specversion"], opened["source"]) == ("1.0", "/hubs/here/booking")
        assert opened["data"]["space"] == "attic"
        made = cell.book("here", "attic")
        assert heard.tells("booking-confirmed")["subject"] == made["id"]
    cell.meet("here", **cell.slot(day=31))
    with listening(cell.http, "here", "spaces,bookings,events", token=member, last=heard.last_id) as again:
        assert again.tells("event-published")
        assert not {*again.ids} & {*heard.ids}
        assert again.named("reset") == []
