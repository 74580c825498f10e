"""What there is to tell, in words: one line, some lines, or a whole message as text and as HTML, in the person's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup, escape

from services.notify.rules.differences import Item
from services.notify.rules.given import one_line
from services.notify.rules.languages import clock, day, language_of, same_clock, translations, zone_name
from services.notify.rules.series import Dates, together
from services.notify.rules.states import (
    BookingState,
    HookState,
    IntroductionState,
    OutcomeState,
    PlaceState,
    ReminderState,
    State,
    field_of,
)
from shared.contracts.events.words import SignUpStatus, Way
from shared.contracts.links import LinkPurpose
from shared.contracts.notify.words import ALWAYS, News, NoticeKind

TEMPLATES = Path(__file__).parent / "templates"

Links = Mapping[UUID, Mapping[LinkPurpose, str]]
"""URLs by what they are about (an item's `thing`) and what they do."""

_CHANGES = frozenset({News.MOVED, News.EVENT_CHANGED})
"""News that say how it was before."""


@dataclass(frozen=True)
class Action:
    """A link: words that say what it does, and its URL."""

    words: str
    url: str


@dataclass(frozen=True)
class Told:
    """One item in words; `facts` are pairs of a label and what it says."""

    title: str
    lines: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Rendered:
    """A message in one language."""

    language: str
    subject: str
    text: str
    html: str


def render(
    items: Sequence[Item],
    *,
    language: str,
    zone: str,
    name: str | None,
    links: Links,
    unsubscribe: str | None,
    introductions: str | None = None,
) -> Rendered:
    """The message that tells `items`, at least one and all of one hub.

    `language` is what the person reads, `zone` the one they live in; times are the hub's, and the zone is named where the
    person's clock shows another time. `unsubscribe` is the address that stops such mails, `introductions` the one where
    everybody finds their own.
    """
    spoken = language_of(language)
    given: dict[str, Any] = {"language": spoken, "zone": zone, "introductions": introductions}
    told = [
        _dated(tell(one.item, links=links.get(one.item.thing, {}), **given), one, spoken, zone)
        for one in together(items)
    ]
    words = {
        "language": spoken,
        "subject": told[0].title if len(told) == 1 else _digest_title(items, len(told), spoken),
        "told": told,
        "name": one_line(name or ""),
        "hub": one_line(items[0].hub_name),
        "unsubscribe": unsubscribe,
        "always": all(item.kind in ALWAYS for item in items),
    }
    return Rendered(
        language=spoken,
        subject=str(words["subject"]),
        text=_filled("message.txt.j2", words, _says(spoken)),
        html=_filled("message.html.j2", words, _says_in_html(spoken)),
    )


def line_of(item: Item, language: str | None, zone: str) -> tuple[str, str]:
    """An item for lists: its title, and its lines with when and where."""
    told = tell(item, language=language_of(language), zone=zone, links={})
    return told.title, "\n".join([*told.lines, *(f"{label}: {value}" for label, value in told.facts)])


def tell(
    item: Item,
    *,
    language: str,
    zone: str,
    links: Mapping[LinkPurpose, str],
    introductions: str | None = None,
) -> Told:
    """One item in words, in one of LANGUAGES."""
    title, lines = _news(item.news, language, tuple(_context(item, language, zone).items()))
    return Told(
        title=title,
        lines=lines,
        facts=tuple(_facts(item, language, zone)),
        actions=tuple(_actions(item, language, links, introductions)),
    )


def summary_of(item: Item, language: str) -> str:
    """What the date is called in a calendar."""
    if isinstance(item.now, BookingState):
        words = translations(language_of(language)).gettext("Booking: %(space)s")
        return words % {"space": one_line(item.now.space_name)}
    return _title_of(item, language) or one_line(item.hub_name)


def place_of(item: Item, language: str) -> str:
    """Where it is: the space and the hub, or online."""
    return _where(item.now, item, language_of(language))


# Remembered: whoever is told the same of the same thing, in the same language, reads the same words. No person is named here.
@lru_cache(maxsize=4096)
def _news(news: News, language: str, context: tuple[tuple[str, object], ...]) -> tuple[str, tuple[str, ...]]:
    """The title and the lines of news."""
    template = _template(f"news/{news}.j2")
    filled = template.new_context({**dict(context), "_": _says(language)}, shared=True)
    title = "".join(template.blocks["title"](filled)).strip()
    lines = "".join(template.blocks["lines"](filled)).split("\n")
    return title[:1].upper() + title[1:], tuple(line.strip() for line in lines if line.strip())


def _filled(name: str, words: Mapping[str, object], says: _Says) -> str:
    """A template filled in; the names it may use are those of `words` and no others."""
    template = _template(name)
    # Not `render`: copying Jinja's global names into every message takes as long as writing it.
    return "".join(template.root_render_func(template.new_context({**words, "_": says}, shared=True)))


@cache
def _template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


_Says = Callable[..., str]
"""`_` of the templates: words in the person's language, with what they name put in. Jinja's own finds its way anew each time."""


@cache
def _says(language: str) -> _Says:
    gettext = translations(language).gettext

    def says(words: str, **named: str) -> str:
        return gettext(words) % named

    return says


@cache
def _says_in_html(language: str) -> _Says:
    gettext = translations(language).gettext

    def says(words: str, **named: str) -> str:
        safe = {name: escape(value) for name, value in named.items()}
        return Markup(gettext(words) % safe)  # noqa: S704  # the catalogs are ours

    return says


def _digest_title(items: Sequence[Item], number: int, language: str) -> str:
    words = translations(language).ngettext(
        "News from %(hub)s: %(num)s message", "News from %(hub)s: %(num)s messages", number
    )
    return words % {"hub": one_line(items[0].hub_name), "num": number}


def _dated(told: Told, dates: Dates, language: str, zone: str) -> Told:
    """The same for all of the dates it stands for: how many, and the next of them."""
    if dates.number == 1:
        return told
    item, catalog = dates.item, translations(language)
    next_on = _when(field_of(item.now, "start"), field_of(item.now, "end"), item.hub_zone, language, zone)
    words = catalog.gettext("%(num)s dates, next on %(when)s") % {"num": dates.number, "when": next_on}
    instead = _labels(language)["when"][:2]
    facts = tuple(fact for fact in told.facts if fact[0] not in instead)
    return replace(told, facts=((catalog.gettext("Dates"), words), *facts))


def _context(item: Item, language: str, zone: str) -> dict[str, Any]:
    """Every name a template of news may use; what an item has not is None, what is not here is an error."""
    now, before = item.now, item.before
    until = field_of(now, "until")
    space = field_of(now, "space_name")
    return {
        "about": item.about.value,
        "hub": one_line(item.hub_name),
        "today": item.kind is NoticeKind.SAFETY,
        "by_host": bool(field_of(now, "by_host")),
        "by_other": bool(field_of(now, "by_other")),
        "event": _quoted(item, language),
        "space": None if space is None else one_line(space),
        "status": field_of(now, "status"),
        "was": field_of(before, "status"),
        "until": None if until is None else _deadline(until, item.hub_zone, language, zone),
        "what": now.what if isinstance(now, ReminderState) else None,
        "webhook": one_line(now.target) if isinstance(now, HookState) else None,
        "because": now.because if isinstance(now, HookState) else None,
    }


def _title_of(item: Item, language: str) -> str | None:
    """The event's title in the language, a sister of it, English or any; the one told last while it is hidden."""
    titles: Mapping[str, str] = field_of(item.now, "titles") or field_of(item.before, "titles") or {}
    base = language.partition("-")[0]
    sisters = sorted(one for one in titles if one.partition("-")[0] == base)
    found = next((one for one in (language, *sisters, "en", *sorted(titles)) if one in titles), None)
    return None if found is None else one_line(titles[found])


def _quoted(item: Item, language: str) -> str:
    title, catalog = _title_of(item, language), translations(language)
    if not title:
        return catalog.gettext("the event")
    return catalog.gettext("“%(title)s”") % {"title": title}


def _when(start: datetime, end: datetime, here: str, language: str, zone: str) -> str:
    catalog = translations(language)
    first, last = day(start, here, language), day(end, here, language)
    times = {"start": clock(start, here, language), "end": clock(end, here, language)}
    if first == last:
        when = catalog.gettext("%(day)s, %(start)s–%(end)s") % {"day": first, **times}
    else:
        whole = catalog.gettext("%(first)s at %(start)s until %(last)s at %(end)s")
        when = whole % {"first": first, "last": last, **times}
    return _zoned(when, start, here, language, zone)


def _deadline(until: datetime, here: str, language: str, zone: str) -> str:
    words = translations(language).gettext("%(day)s at %(time)s")
    told = words % {"day": day(until, here, language), "time": clock(until, here, language)}
    return _zoned(told, until, here, language, zone)


def _zoned(when: str, moment: datetime, here: str, language: str, zone: str) -> str:
    return when if same_clock(moment, here, zone) else f"{when} ({zone_name(moment, here, language)})"


def _where(state: State, item: Item, language: str) -> str:
    catalog = translations(language)
    hub, space = one_line(item.hub_name), field_of(state, "space_name")
    online = field_of(state, "online")
    if isinstance(state, PlaceState) and state.way is Way.ONLINE:
        return catalog.gettext("online")
    if space is None:
        return catalog.gettext("online") if online else hub
    place = f"{one_line(space)}, {hub}"
    if online and not isinstance(state, PlaceState):
        return catalog.gettext("%(place)s, and online") % {"place": place}
    return place


def _facts(item: Item, language: str, zone: str) -> list[tuple[str, str]]:
    """Labels and what they say: how it is, and after a change how it was."""
    if isinstance(item.now, HookState):
        return []
    was = _said(item.before, item, language, zone) if item.news in _CHANGES else {}
    labels = _labels(language)
    facts = []
    for what, value in _said(item.now, item, language, zone).items():
        label, new, old = labels[what]
        before = was.get(what, value)
        if before != value:
            facts += [(new, value), (old, before)]
        elif what != "seats" or value != "1":
            facts.append((label, value))
    return facts


@cache
def _labels(language: str) -> Mapping[str, tuple[str, str, str]]:
    catalog = translations(language)
    return {
        "when": (catalog.gettext("When"), catalog.gettext("New time"), catalog.gettext("Old time")),
        "where": (catalog.gettext("Where"), catalog.gettext("New place"), catalog.gettext("Old place")),
        "seats": (catalog.gettext("Seats"), catalog.gettext("Seats now"), catalog.gettext("Seats before")),
    }


def _said(state: State | None, item: Item, language: str, zone: str) -> dict[str, str]:
    start, end = field_of(state, "start"), field_of(state, "end")
    if state is None or start is None or end is None:
        return {}
    said = {
        "when": _when(start, end, item.hub_zone, language, zone),
        "where": _where(state, item, language),
    }
    if isinstance(state, BookingState):
        said["seats"] = str(state.seats)
    return said


def _actions(
    item: Item, language: str, links: Mapping[LinkPurpose, str], introductions: str | None
) -> list[Action]:
    catalog = translations(language)
    if isinstance(item.now, IntroductionState | OutcomeState) and introductions is not None:
        return [Action(catalog.gettext("See your introductions"), introductions)]
    waiting = isinstance(item.now, PlaceState) and item.now.status is SignUpStatus.WAITING
    words = {
        LinkPurpose.CONFIRM: catalog.gettext("Confirm my place"),
        LinkPurpose.ACCEPT: catalog.gettext("Yes, I take the place"),
        LinkPurpose.DECLINE: catalog.gettext("No, let the next in line have it"),
        LinkPurpose.LEAVE: catalog.gettext("Leave the waiting list")
        if waiting
        else catalog.gettext("Give my place back"),
        LinkPurpose.SIGN_IN: catalog.gettext("Sign in"),
    }
    return [Action(words[purpose], links[purpose]) for purpose in words if purpose in links]
