"""Titles and texts in several languages, and what people write into them."""

from __future__ import annotations

import pytest

from shared.contracts.events.facts import EventChangedV1
from shared.contracts.events.requests import GetEvent
from shared.contracts.events.words import EventPart
from tests.events.world import HUB, World, change


async def test_texts_are_shown_in_the_language_asked_for_or_the_next_best(world: World) -> None:
    texts = {
        "sv": {"title": "Frukost", "text": "Med bröd"},
        "da": {"title": "Morgenmad"},
        "en": {"title": "Breakfast", "text": "With bread"},
    }
    event = await world.event(texts=texts, language="da")
    assert (event.title, event.language) == ("Morgenmad", "da")
    for wanted, shown in (("sv", "sv"), ("en-GB", "en"), ("fi", "da"), (None, "da")):
        seen = await world.ask(GetEvent(hub=HUB, event=event.id, language=wanted), None)
        assert (seen.language, seen.title) == (shown, texts[shown]["title"])
        assert seen.texts.keys() == texts.keys()
    changed = await world.ask(change(event, title="Morgenmad ved havnen"))
    assert changed.texts["da"].title == "Morgenmad ved havnen"
    changed = await world.ask(change(changed, title="Aamiainen", language="fi"))
    assert (changed.title, changed.texts["fi"].title) == ("Morgenmad ved havnen", "Aamiainen")
    changed = await world.ask(change(changed, language="sv"))
    assert (changed.title, changed.language) == ("Frukost", "sv")
    fact = (await world.facts(EventChangedV1))[-1]
    assert isinstance(fact, EventChangedV1)
    assert fact.titles["fi"] == "Aamiainen"
    assert fact.changed == (EventPart.TEXTS,)


async def test_the_own_language_must_be_one_of_the_texts(world: World) -> None:
    refused = await world.refusal(world.wish(texts={"sv": {"title": "Frukost"}}, language="de"))
    assert (refused.status, refused.problem["field"]) == (422, "language")
    event = await world.event()
    assert (await world.refusal(change(event, language="de"))).status == 422
    assert (await world.refusal(change(event, title=None))).problem["field"] == "title"
    assert (await world.refusal(change(event, title="A", texts={"sv": {"title": "B"}}))).status == 422


async def test_what_people_write_stays_text(world: World) -> None:
    hostile = "<script>alert(1)</script>\x00\u202e"
    event = await world.event(hostile, text="a\x07b <b>c</b>")
    assert event.title == "<script>alert(1)</script>\u2400\ufffd"
    assert event.text == "a\u2407b <b>c</b>"


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ("\x1c", "\u241c"),
        ("\x1d\x1e", "\u241d\u241e"),
        ("a\r\nb\u2028c", "a b c"),
        ("a\rb", "a\u240db"),
        ("&lt;", "&lt;"),
    ],
)
async def test_a_title_is_one_line_and_never_empty(world: World, given: str, title: str) -> None:
    event = await world.event(given, kind=given, text="One\r\ntwo\n")
    assert (event.title, event.kind, event.text) == (title, title, "One\ntwo")
    assert (await world.seen(event, None)).title == title
