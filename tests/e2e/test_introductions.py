"""On a real stack: two people are introduced by mail and inbox, named to each other when both have said yes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from tests.stack.console import eventually
from tests.stack.mails import text_of
from tests.stack.plain import PlainStack

HUB = "introductions"
ME = "/v1/me"


@pytest.fixture(scope="module")
def two(plain_stack: PlainStack) -> Iterator[dict[str, tuple[httpx2.Client, str]]]:
    """Somebody who needs what another offers, both open to their hub, who want to hear at any hour."""
    plain_stack.hub(HUB)
    with ExitStack() as stack:
        found = {}
        for side, name, language in (
            ("needs", "Ylva Ekströmsdotter", "sv"),
            ("offers", "Aksel Østerbro", "da"),
        ):
            client, address = plain_stack.person(HUB, "member", name, language)
            found[side] = stack.enter_context(client), address
            eventually("matching has heard of them", lambda one=client: open_to_hub(one))
            done = client.put(f"{ME}/profile/{side}/bookkeeping", json={"level": "practised"})
            assert done.is_success, done.text
            changed(client, "profile", {"visibility": "hub"})
            changed(client, "choices", {"quiet": {"start": "00:00", "end": "00:00"}})
        yield found


def open_to_hub(client: httpx2.Client) -> bool:
    # Who does not belong to a hub as far as matching has heard has no profile yet, and no consent to give.
    stated = client.put(f"{ME}/profile/offers/skiing")
    assert stated.status_code in (403, 404), stated.text
    return stated.status_code == 404 and client.put(f"{ME}/consents/{HUB}").is_success


def changed(client: httpx2.Client, what: str, values: dict[str, Any]) -> None:
    """Say something else of oneself, as of what stands there now."""
    version = client.get(f"{ME}/{what}").headers["etag"]
    done = client.patch(f"{ME}/{what}", json=values, headers={"If-Match": version})
    assert done.is_success, done.text


def mailed(plain_stack: PlainStack, address: str, subject: str) -> str:
    """The text of the one mail with that subject, when it has come."""

    def found() -> list[str]:
        return [text_of(mail) for mail in plain_stack.mails.to(address) if str(mail["Subject"]) == subject]

    eventually(f"{subject!r} is mailed", found)
    [text] = found()
    return text


def test_a_match_becomes_a_meeting(
    plain_stack: PlainStack, two: dict[str, tuple[httpx2.Client, str]]
) -> None:
    (ylva, at_ylva), (aksel, at_aksel) = two["needs"], two["offers"]

    def matches() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = ylva.get(f"{ME}/matches").json()["items"]
        return items

    eventually("the index has heard of both", matches)
    [match] = matches()
    assert match["reasons"] == ["erbjuder bokföring, som du behöver"]
    asked = ylva.post(f"{ME}/introductions", json={"match": match["id"]})
    assert asked.status_code == 201, asked.text
    suggested = mailed(plain_stack, at_aksel, f"En på {HUB.title()} kan måske hjælpe dig, eller du dem")
    assert "Ylva" not in suggested
    assert not plain_stack.mails.to(at_ylva), "who asked is not told of the asking"

    here = f"{ME}/introductions/{asked.json()['id']}"
    seen = aksel.get(here).json()
    assert (seen["named"], seen["name"], seen["reasons"]) == (
        False, None, ["søger bogføring, som du tilbyder"],
    )  # fmt: skip
    agreed = aksel.post(f"{here}/reply", json={"answer": "yes"}).json()
    assert (agreed["status"], agreed["name"]) == ("agreed", "Ylva Ekströmsdotter")
    assert ylva.get(here).json()["name"] == "Aksel Østerbro"
    for address in (at_ylva, at_aksel):
        eventually("both are told", lambda to=address: len(plain_stack.mails.to(to)) == 1 + (to == at_aksel))
    assert not [mail for mail in plain_stack.mails.to(at_ylva) if "Aksel" in str(mail)]
    assert ylva.post(f"{here}/outcome", json={"outcome": "help"}).json()["status"] == "closed"
