"""`/v1/me/choices`: what somebody wants to hear of, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.notify.words import ALWAYS, Channel, NoticeKind
from tests.gateway.cell import Cell
from tests.gateway.problems import problem

URL = "/v1/me/choices"


def chosen(view: dict[str, Any], kind: str, channel: str, hub: str | None = None) -> tuple[str, bool]:
    """The pace, and whether it was chosen."""
    [one] = [
        one for one in view["choices"] if (one["kind"], one["channel"], one["hub"]) == (kind, channel, hub)
    ]
    return one["when"], one["chosen"]


def test_who_has_chosen_nothing_has_the_defaults(cell: Cell) -> None:
    auth = cell.auth("here", "member", "Has Chosen Nothing")
    answer = cell.http.get(URL, headers=auth)
    assert answer.status_code == 200, answer.text
    view = answer.json()
    named = {(one["kind"], one["channel"]) for one in view["choices"]}
    assert named == {(kind.value, one.value) for kind in set(NoticeKind) - ALWAYS for one in Channel}
    assert not any(one["chosen"] for one in view["choices"])
    assert chosen(view, "programme", "email") == ("weekly", False)
    assert chosen(view, "offer", "email") == ("now", False)
    assert view["quiet"] == {"start": "21:00", "end": "07:00"}
    assert (view["digest_at"], view["remind_minutes"], view["mail_stopped"]) == ("07:30", 1440, None)
    assert answer.headers["etag"] == f'"{view["version"]}"'
    again = cell.http.get(URL, headers={**auth, "If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_a_choice_is_kept_and_what_is_not_named_stays(cell: Cell) -> None:
    auth = cell.auth("here", "member", "Chooses")
    first = cell.http.get(URL, headers=auth).headers["etag"]
    change = {
        "choices": [
            {"kind": "programme", "channel": "email", "when": "off"},
            {"hub": "here", "kind": "event", "channel": "email", "when": "daily"},
        ],
        "quiet": {"start": "22:30", "end": "06:15"},
    }
    done = cell.http.patch(URL, json=change, headers={**auth, "If-Match": first})
    assert done.status_code == 200, done.text
    view = done.json()
    assert chosen(view, "programme", "email") == ("off", True)
    assert chosen(view, "event", "email", "here") == ("daily", True)
    assert chosen(view, "event", "email") == ("now", False)
    assert view["quiet"] == {"start": "22:30", "end": "06:15"}

    version = done.headers["etag"]
    assert version != first
    back = {"choices": [{"kind": "programme", "channel": "email", "when": None}], "remind_minutes": 60}
    done = cell.http.patch(URL, json=back, headers={**auth, "If-Match": version})
    view = done.json()
    assert chosen(view, "programme", "email") == ("weekly", False)
    assert chosen(view, "event", "email", "here") == ("daily", True)
    assert (view["remind_minutes"], view["quiet"]["start"]) == (60, "22:30")
    assert cell.http.get(URL, headers=auth).json() == view


def test_a_choice_says_on_which_version_it_was_made(cell: Cell) -> None:
    auth = cell.auth("here", "member", "Careful With Choices")
    version = cell.http.get(URL, headers=auth).headers["etag"]
    change = {"digest_at": "08:00"}
    problem(cell.http.patch(URL, json=change, headers=auth), 428, "precondition-required")
    for stale in ('"99"', '"nonsense"', "*"):
        answer = cell.http.patch(URL, json=change, headers={**auth, "If-Match": stale})
        problem(answer, 412, "version-mismatch")
    assert cell.http.patch(URL, json=change, headers={**auth, "If-Match": version}).status_code == 200
    answer = cell.http.patch(URL, json={"digest_at": "09:00"}, headers={**auth, "If-Match": version})
    problem(answer, 412, "version-mismatch")


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"choices": [{"kind": "safety", "channel": "email", "when": "off"}]}, 422, "always-sent", "kind"),
        (
            {"choices": [{"kind": "offer", "channel": "email", "when": "weekly"}]},
            422,
            "pace-not-possible",
            "when",
        ),
        ({"choices": [{"hub": "nowhere", "kind": "event", "channel": "email", "when": "off"}]}, 404, "not-found", "hub"),
        ({"choices": [{"kind": "gossip", "channel": "email", "when": "off"}]}, 422, "invalid", "choices.0.kind"),
        ({"choices": [{"kind": "event", "channel": "pigeon", "when": "off"}]}, 422, "invalid", "choices.0.channel"),
        ({"choices": [{"kind": "event", "channel": "email"}]}, 422, "invalid", "choices.0.when"),
        ({"quiet": {"start": "25:00", "end": "07:00"}}, 422, "invalid", "quiet.start"),
        ({"quiet": {"start": "21:00+02:00", "end": "07:00"}}, 422, "invalid", "quiet.start"),
        ({"remind_minutes": 5}, 422, "invalid", "remind_minutes"),
        ({"phone": "+46 1"}, 422, "invalid", "phone"),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_refused_with_its_place(
    cell: Cell, change: dict[str, Any], status: int, code: str, field: str
) -> None:
    auth = cell.auth("here", "member", "Wants Too Much")
    before = cell.http.get(URL, headers=auth)
    answer = cell.http.patch(URL, json=change, headers={**auth, "If-Match": before.headers["etag"]})
    problem(answer, status, code, field=field)
    assert cell.http.get(URL, headers=auth).json() == before.json()


def test_choices_are_ones_own(cell: Cell) -> None:
    auth = cell.auth("here", "member", "Loud")
    version = cell.http.get(URL, headers=auth).headers["etag"]
    off = {"choices": [{"kind": "event", "channel": "inbox", "when": "off"}]}
    assert cell.http.patch(URL, json=off, headers={**auth, "If-Match": version}).status_code == 200
    other = cell.http.get(URL, headers=cell.auth("here", "member", "Quiet")).json()
    assert chosen(other, "event", "inbox") == ("now", False)
    for method in ("GET", "PATCH"):
        problem(cell.http.request(method, URL, json={}), 401, "unauthenticated")
