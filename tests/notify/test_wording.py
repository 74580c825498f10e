"""Every message in every language: nothing untranslated, nothing unknown, everything that matters said."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from jinja2 import UndefinedError, meta

from services.notify.rules import languages, samples, wording
from services.notify.rules.differences import Item
from services.notify.rules.languages import CATALOGS, LANGUAGES
from services.notify.rules.samples import Shown, shown
from services.notify.rules.states import BookingState, OrganisedState, PlaceState
from services.notify.rules.wording import line_of, render
from shared.contracts.events.words import SignUpStatus
from shared.contracts.notify.words import ALWAYS, About, News, NoticeKind
from shared.kit.translations import path_of
from tests.notify import catalogs

EVERYTHING = [one for kind in NoticeKind for one in shown(kind)]
_NAMES = [f"{one.sample.kind}-{one.sample.news}-{one.rendered.language}" for one in EVERYTHING]


@pytest.fixture
def other_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the templates to plant faults in."""
    folder = tmp_path / "rules"
    shutil.copytree(catalogs.RULES, folder)
    monkeypatch.setattr(wording, "TEMPLATES", folder / "templates")
    _forget_templates()
    yield folder / "templates"
    _forget_templates()


def _forget_templates() -> None:
    for known in (wording._environment, wording._template, wording._news):
        known.cache_clear()


# --- catalogs ---


@pytest.mark.parametrize("language", catalogs.translated())
def test_every_word_is_translated_with_its_variables_and_plurals(language: str) -> None:
    raw = path_of(CATALOGS, language).read_bytes()
    assert catalogs.faults(raw, language, catalogs.words_of()) == []
    assert catalogs.update(language, catalogs.words_of()) == raw, "run `python -m tests.notify.catalogs`"


_PLANTED = (
    ('msgstr "Din bokning är klar. Välkommen!"', 'msgstr ""', "is empty"),
    ('msgid "Your booking is made. Welcome!"', 'msgid "Your booking is made."', "is not translated"),
    ('msgid "Your booking is made. Welcome!"', 'msgid "Your booking is made."', "is said nowhere"),
    ('msgstr "Inställt: %(event)s"', 'msgstr "Inställt"', "has not the variables ['event']"),
    ('msgstr "Inställt: %(event)s"', 'msgstr "Inställt: %(evnt)s"', "has not the variables ['event']"),
    ('msgstr "Inställt: %(event)s"', 'msgstr "100 % inställt: %(event)s"', "has a stray %"),
    ('msgstr[1] "Nytt från %(hub)s: %(num)s meddelanden"', 'msgstr[1] ""', "is empty"),
    (
        'msgstr[1] "Nytt från %(hub)s: %(num)s meddelanden"',
        'msgstr[1] "Nytt: %(num)s"',
        "has not the variables",
    ),
    ('#, python-format\nmsgid "%(event)s is', '#, fuzzy, python-format\nmsgid "%(event)s is', "is fuzzy"),
    ('msgid "Hello,"', '#~ msgid "Bye"\n#~ msgstr "Hej då"\n\nmsgid "Hello,"', "is obsolete"),
)


@pytest.mark.parametrize(("there", "instead", "fault"), _PLANTED)
def test_a_fault_in_a_catalog_is_found(there: str, instead: str, fault: str) -> None:
    raw = path_of(CATALOGS, "sv").read_text("utf-8")
    assert there in raw
    found = catalogs.faults(raw.replace(there, instead).encode(), "sv", catalogs.words_of())
    assert any(fault in one for one in found), found


def test_a_word_that_joins_a_template_or_the_code_must_be_translated(other_templates: Path) -> None:
    news = other_templates / "news" / "soon.j2"
    news.write_text(news.read_text().replace("{% block lines %}", '{% block lines %}{{ _("Bring cake.") }}'))
    code = other_templates.parent / "wording.py"
    code.write_text(f'{code.read_text()}\nPLANTED = translations("sv").gettext("And tea.")\n')
    said = catalogs.words_of(other_templates.parent)
    for language in catalogs.translated():
        found = catalogs.faults(path_of(CATALOGS, language).read_bytes(), language, said)
        assert sorted(found) == [
            f"{language}: 'And tea.' is not translated",
            f"{language}: 'Bring cake.' is not translated",
        ]


# --- templates ---


def _unknown_names() -> list[str]:
    """Names that a template uses and nobody gives it, also in branches that no sample takes."""
    item = samples.samples(NoticeKind.BOOKING)[0].items[0]
    given = {
        "news/": {"_", *wording._context(item, "en", "Europe/Stockholm")},
        "message.": {"_", "language", "subject", "told", "name", "hub", "unsubscribe", "always"},
    }
    environment = wording._environment()
    found = []
    for path in sorted(wording.TEMPLATES.rglob("*.j2")):
        name = path.relative_to(wording.TEMPLATES).as_posix()
        known = next(names for start, names in given.items() if name.startswith(start))
        used = meta.find_undeclared_variables(environment.parse(path.read_text("utf-8")))
        found += [f"{name}: {one}" for one in sorted(used - known)]
    return found


def test_templates_use_no_name_that_nobody_gives() -> None:
    assert _unknown_names() == []


def test_an_unknown_name_is_found_before_and_while_it_is_used(other_templates: Path) -> None:
    news = other_templates / "news" / "waiting.j2"
    news.write_text(news.read_text() + "{% if by_other %}{{ evnt }}{% endif %}")
    layout = other_templates / "message.html.j2"
    layout.write_text(layout.read_text().replace("{{ subject }}</h1>", "{{ headline }}</h1>"))
    assert _unknown_names() == ["message.html.j2: headline", "news/waiting.j2: evnt"]
    with pytest.raises(UndefinedError, match="headline"):
        shown(NoticeKind.PLACE)


def test_a_message_without_its_variable_is_an_error(other_templates: Path) -> None:
    news = other_templates / "news" / "waiting.j2"
    news.write_text(news.read_text().replace(", event=event", ""))
    with pytest.raises(KeyError, match="event"):
        shown(NoticeKind.PLACE)


def test_every_news_and_every_kind_has_a_template_and_a_sample() -> None:
    assert {path.name.removesuffix(".j2") for path in (wording.TEMPLATES / "news").iterdir()} == set(News)
    assert {one.sample.news for one in EVERYTHING} == set(News)
    assert {one.sample.kind for one in EVERYTHING} == set(NoticeKind)
    assert {one.rendered.language for one in EVERYTHING} == set(LANGUAGES)
    assert any(len(one.sample.items) > 1 for one in EVERYTHING), "a digest"


@pytest.mark.parametrize("one", EVERYTHING, ids=_NAMES)
def test_every_message_says_what_when_where_and_what_to_do(one: Shown) -> None:
    rendered, language = one.rendered, one.rendered.language
    assert rendered.subject
    assert "\n" not in rendered.subject
    for item in one.sample.items:
        title, text = line_of(item, language, "Europe/Stockholm")
        assert title in rendered.text
        assert all(line in rendered.text for line in text.split("\n"))
        assert len(text.split("\n")) >= 2
        start = getattr(item.now, "start", None)
        if start is not None:
            for said in (
                languages.day(start, item.hub_zone, language),
                languages.clock(start, item.hub_zone, language),
                wording.place_of(item, language),
            ):
                assert said in rendered.text
    for url in (url for links in samples.links_of(one.sample).values() for url in links.values()):
        assert url in rendered.text
    assert ("sample-unsubscribe" in rendered.text) is (one.sample.kind not in ALWAYS)
    assert "%(" not in rendered.text + rendered.html
    assert "None" not in rendered.text


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_no_message_is_the_same_in_two_languages(kind: NoticeKind) -> None:
    for sample in samples.samples(kind):
        texts = {samples._shown(sample, language).rendered.text for language in LANGUAGES}
        assert len(texts) == len(LANGUAGES)


# --- what is said ---

START = datetime(2027, 3, 27, 22, 30, tzinfo=UTC)


def booking(**otherwise: object) -> BookingState:
    """A booking in the evening before the clocks change."""
    known = BookingState(
        status="confirmed",
        space="bryggan",
        space_name="Bryggan",
        start=START,
        end=START + timedelta(minutes=20),
        seats=1,
        by_other=False,
    )
    return known.model_copy(update=otherwise)


def told(now: BookingState | PlaceState | OrganisedState, before: object = None, **otherwise: object) -> Item:
    """An item of the hub in Lindhamn."""
    known: dict[str, object] = {
        "about": now.about,
        "thing": UUID(int=7),
        "hub": "lindhamn",
        "hub_name": "Lindhamn",
        "hub_zone": "Europe/Stockholm",
        "news": News.BOOKED,
        "kind": NoticeKind.BOOKING,
        "now": now,
        "before": before,
        "sequence": 0,
    }
    return Item(**(known | otherwise))  # type: ignore[arg-type]


def _facts(item: Item, language: str, zone: str) -> dict[str, str]:
    return dict(wording.tell(item, language=language, zone=zone, links={}).facts)


def test_when_is_said_as_people_say_it() -> None:
    item = told(booking())
    assert _facts(item, "sv", "Europe/Stockholm")["När"] == "lördag 27 mars 2027 kl. 23:30–23:50"
    assert _facts(item, "da", "Europe/Stockholm")["Hvornår"] == "lørdag den 27. marts 2027 kl. 23.30–23.50"
    assert _facts(item, "en", "Europe/Stockholm")["When"] == "Saturday, 27 March 2027, 23:30–23:50"


def test_a_night_over_the_change_of_clocks_has_two_days_and_the_right_hours() -> None:
    item = told(booking(end=START + timedelta(hours=4)))
    assert _facts(item, "sv", "Europe/Stockholm")["När"] == (
        "lördag 27 mars 2027 kl. 23:30 till söndag 28 mars 2027 kl. 04:30"
    )


def test_the_zone_is_named_only_to_those_whose_clock_shows_another_time() -> None:
    item = told(booking())
    assert _facts(item, "en", "Europe/Copenhagen")["When"].endswith("23:30–23:50")
    assert _facts(item, "en", "Europe/Helsinki")["When"].endswith("(Central European Standard Time)")
    assert _facts(item, "sv", "Europe/Helsinki")["När"].endswith("(centraleuropeisk normaltid)")
    summer = told(booking(start=START + timedelta(days=1), end=START + timedelta(days=1, hours=1)))
    assert "sommartid" in _facts(summer, "sv", "Europe/Helsinki")["När"]


def test_what_was_moved_says_from_and_to_and_leaves_out_what_stayed() -> None:
    before, now = booking(seats=2), booking(start=START - timedelta(hours=1), seats=4, by_other=True)
    facts = _facts(told(now, before, news=News.MOVED), "en", "Europe/Stockholm")
    assert facts == {
        "New time": "Saturday, 27 March 2027, 22:30–23:50",
        "Old time": "Saturday, 27 March 2027, 23:30–23:50",
        "Where": "Bryggan, Lindhamn",
        "Seats now": "4",
        "Seats before": "2",
    }


def test_somebody_elses_doing_reads_otherwise_than_ones_own() -> None:
    own = line_of(told(booking(status="cancelled"), booking(), news=News.CANCELLED), "en", "UTC")[1]
    other = line_of(
        told(booking(status="cancelled", by_other=True), booking(), news=News.CANCELLED), "en", "UTC"
    )[1]
    assert own.startswith("You have cancelled it")
    assert other.startswith("Lindhamn has had to cancel it")


def test_who_waits_is_not_told_that_they_have_a_place() -> None:
    waiting = [one for one in EVERYTHING if one.sample.news is News.WAITING]
    said = {one.rendered.language: one.rendered.text for one in waiting}
    assert "you do not have one yet" in said["en"]
    assert "du har ingen ännu" in said["sv"]
    assert "du har ikke en endnu" in said["da"]


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [("sv", "sv"), ("sv-FI", "sv"), ("da", "da"), ("en-GB", "en"), ("nb", "en"), ("fi", "en"), (None, "en")],
)
def test_another_language_reads_english(wanted: str | None, spoken: str) -> None:
    assert languages.language_of(wanted) == spoken


@pytest.mark.parametrize(
    ("titles", "language", "title"),
    [
        ({"sv": "Frukost", "en": "Breakfast"}, "sv", "”Frukost”"),
        ({"en-GB": "Breakfast", "sv": "Frukost"}, "en", "“Breakfast”"),
        ({"fi": "Aamiainen", "en": "Breakfast"}, "da", "»Breakfast«"),
        ({"fi": "Aamiainen"}, "da", "»Aamiainen«"),
        ({}, "en", "the event"),
        ({"en": "  "}, "sv", "evenemanget"),
    ],
)
def test_an_event_is_called_as_the_reader_understands_it(
    titles: dict[str, str], language: str, title: str
) -> None:
    organised = next(one for one in EVERYTHING if one.sample.news is News.EVENT_PUBLISHED).sample.items[0].now
    item = told(
        OrganisedState.model_validate(organised.model_dump() | {"titles": titles}),
        news=News.EVENT_PUBLISHED,
        about=About.ORGANISING,
    )
    said = wording.tell(item, language=language, zone="UTC", links={}).title
    assert said.lower().startswith(title.lower()) or said.endswith(title)


def test_a_digest_counts_and_has_each_item_under_its_heading() -> None:
    items = [told(booking(), thing=UUID(int=number)) for number in (1, 2)]
    two = render(items, language="sv", zone="UTC", name=None, links={}, unsubscribe=None)
    assert two.subject == "Nytt från Lindhamn: 2 meddelanden"
    assert two.html.count("<h2>Bokat åt dig: Bryggan</h2>") == 2
    one = render(items[:1], language="sv", zone="UTC", name=None, links={}, unsubscribe=None)
    assert (one.subject, one.html.count("<h2>")) == ("Bokat åt dig: Bryggan", 0)


def test_an_event_taken_part_in_from_afar_is_online() -> None:
    place = next(one for one in EVERYTHING if one.sample.news is News.PLACE_TAKEN).sample.items[0].now
    assert isinstance(place, PlaceState)
    assert place.status is SignUpStatus.ATTENDING
    afar = PlaceState.model_validate(place.model_dump() | {"way": "online", "online": True})
    near = PlaceState.model_validate(place.model_dump() | {"online": True})
    assert wording.place_of(told(afar), "sv") == "på nätet"
    assert wording.place_of(told(near), "sv") == "Stora salen, Lindhamn"
