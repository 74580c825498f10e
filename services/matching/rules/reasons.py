"""Why two people are suggested to each other, in words of the reader's language; and what of people that rests on."""

from __future__ import annotations

import gettext
from collections.abc import Mapping, Sequence
from pathlib import Path

from babel.lists import format_list

from services.matching.rules.ranking import Found, Meeting
from shared.contracts.matching.matches import Input
from shared.kit.translations import read_catalog

LANGUAGES = ("sv", "da", "en")
SOURCE = "en"
"""The language of the words below, which are the catalogs' keys."""
CATALOGS = Path(__file__).parent / "locale"

_TRANSLATIONS = {
    language: gettext.NullTranslations() if language == SOURCE else read_catalog(CATALOGS, language)
    for language in LANGUAGES
}


# Who reads English in the federation puts no comma before the last.
_LISTS = {"sv": "sv", "da": "da", "en": "en_GB"}

INPUTS: Mapping[str, Input] = {
    "offers": Input.OFFERS,
    "needs": Input.NEEDS,
    "languages": Input.LANGUAGES,
    "belongs": Input.HUBS,
    "found_at": Input.CONSENTS,
    "opened": Input.VISIBILITY,
    "past": Input.PAST,
    "near": Input.OUTCOMES,
    "times": Input.EXPOSURE,
}
"""By the name under which ranking gets it (`Card`, `Context`, `Known`, `rest`): everything of people that counts. A test holds
this against what ranking takes and against the columns the service reads for it; no age, gender, origin, belief, health, name
or picture is among them, and none can be while this is what there is."""


def language_of(wanted: str | None) -> str:
    """The language to write in for somebody who wants `wanted` (BCP 47): one of LANGUAGES, English for all others."""
    base = (wanted or SOURCE).partition("-")[0].lower()
    return base if base in LANGUAGES else SOURCE


def reasons(found: Found, labels: Mapping[str, str], language: str | None) -> tuple[str, ...]:
    """A clause each, the weightiest first; `labels` are what concepts are called in the language.

    What is the same concept on both sides stands in one list, a concept that is only near gets a clause of its own that
    names both.
    """
    spoken = language_of(language)
    _ = _TRANSLATIONS[spoken].gettext
    offers = _("offers %(skills)s, which you need"), _("offers %(skill)s, close to what you need: %(near)s")
    looks = (
        _("looks for %(skills)s, which you offer"),
        _("looks for %(skill)s, close to what you offer: %(near)s"),
    )
    said = [*_clauses(found.got, labels, offers, spoken), *_clauses(found.given, labels, looks, spoken)]
    said.sort(key=lambda one: -one[0])
    return tuple(clause for _points, clause in said)


def _clauses(
    meetings: Sequence[Meeting], labels: Mapping[str, str], words: tuple[str, str], language: str
) -> list[tuple[int, str]]:
    """Clauses with their weights: one for all that is the same on both sides, one for each that is near."""
    exactly, nearly = words
    ordered = sorted(meetings, key=lambda one: (-one.points, one.theirs))
    same = [one for one in ordered if one.theirs == one.mine]
    said = []
    if same:
        names = [labels.get(one.theirs, one.theirs) for one in same]
        skills = format_list(names, style="standard", locale=_LISTS[language])
        said.append((sum(one.points for one in same), exactly % {"skills": skills}))
    for one in ordered:
        if one.theirs != one.mine:
            named = {"skill": labels.get(one.theirs, one.theirs), "near": labels.get(one.mine, one.mine)}
            said.append((one.points, nearly % named))
    return said
