"""The command line's client is patient within bounds, follows pages, tells refusals plainly, and keeps the token home."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from services.cli.gateway import Gateway, GatewayError, Patience, RefusalError, Whereabouts
from tests.cli.paper_hub import PaperHub

FROM, UNTIL = "2027-03-01T10:00:00Z", "2027-03-01T11:00:00Z"
WISH = {"space": "room", "start": FROM, "end": UNTIL}


def test_a_busy_gateway_is_asked_again_when_it_says() -> None:
    waited: list[float] = []
    with PaperHub(busy=2).open() as hub, Gateway(hub.url, "operator", wait=waited.append) as gateway:
        assert gateway.get("/v1/hubs/h").body["time_zone"] == "Europe/Berlin"
    assert waited == [7, 7]


def test_patience_has_an_end_and_a_reason() -> None:
    waited: list[float] = []
    patience = Patience(tries=20, total_wait_s=30)
    with (
        PaperHub(busy=100).open() as hub,
        Gateway(hub.url, "operator", wait=waited.append, patience=patience) as gateway,
        pytest.raises(RefusalError, match="unavailable"),
    ):
        gateway.get("/v1/hubs/h")
    assert sum(waited) <= 30


def test_a_lost_answer_never_books_twice() -> None:
    with PaperHub(lose_answers=2).open() as hub, Gateway(hub.url, "operator", wait=lambda _: None) as gateway:
        answer = gateway.post("/v1/hubs/h/bookings", WISH)
    assert (answer.status, answer.etag) == (201, '"1"')
    assert len(hub.bookings) == 1
    assert len(hub.log) == 3


def test_pages_are_followed_at_home_only() -> None:
    source = {"calendar": "c", "recurrence_id": ""}
    with PaperHub(page=2).open() as hub, Gateway(hub.url, "operator") as gateway:
        for hour in range(5):
            hub.book(
                f"2027-03-01T{hour:02}:00:00Z",
                f"2027-03-01T{hour:02}:30:00Z",
                source={**source, "uid": str(hour)},
            )
        query = {"calendar": "c", "status": ["held", "confirmed"]}
        found = list(
            gateway.items("/v1/hubs/h/bookings", query)
        )  # `next` names another host; nobody goes there
    assert [one["source"]["uid"] for one in found] == ["0", "1", "2", "3", "4"]


def test_pages_that_go_round_in_a_circle_are_left() -> None:
    with PaperHub(page=0).open() as hub, Gateway(hub.url, "operator") as gateway:
        hub.book(FROM, UNTIL, source={"calendar": "c", "uid": "u", "recurrence_id": ""})
        with pytest.raises(GatewayError, match="circle"):
            list(gateway.items("/v1/hubs/h/bookings", {"calendar": "c", "status": ["confirmed"]}))


def test_refusals_are_told_in_a_sentence() -> None:
    with PaperHub().open() as hub, Gateway(hub.url) as gateway, pytest.raises(RefusalError) as refused:
        gateway.get("/v1/hubs/h")
    assert (refused.value.status, refused.value.code, str(refused.value)) == (
        401,
        "unauthenticated",
        "unauthenticated.",
    )
    fields = [{"field": "start", "detail": "must be a time"}, {"field": "end", "detail": "is missing"}]
    both = RefusalError(422, {"detail": "start: must be a time", "errors": fields})
    assert str(both) == "start: must be a time; end: is missing"
    assert str(RefusalError(502)) == "the gateway answered 502"


def test_a_gateway_that_is_not_there_is_named() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        gateway = Gateway(url, wait=lambda _: None, patience=Patience(tries=2))
        with gateway, pytest.raises(GatewayError, match=f"the gateway at {url} cannot be reached"):
            gateway.get("/v1/hubs/h")


def test_where_the_gateway_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FOCI_URL", "FOCI_PORT", "FOCI_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FOCI_HOME", str(tmp_path))
    assert Whereabouts().base_url() == "http://127.0.0.1:8080"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state.json").write_text('{"urls": {"gateway": "http://127.0.0.1:9999"}}')
    assert Whereabouts().base_url() == "http://127.0.0.1:9999"
    monkeypatch.setenv("FOCI_PORT", "8181")
    assert Whereabouts().base_url() == "http://127.0.0.1:8181"
    monkeypatch.setenv("FOCI_URL", "https://foci.example/v1/")
    assert Whereabouts().base_url() == "https://foci.example"
