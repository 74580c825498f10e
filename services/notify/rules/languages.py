"""Languages: the catalogs of translations, and days, times and zones as people say them (CLDR)."""

from __future__ import annotations

import gettext
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name

from shared.kit.translations import read_catalog

LANGUAGES = ("sv", "da", "en")
SOURCE = "en"
"""The language the templates are written in: its words are the catalogs' keys, so it has no catalog of its own."""

CATALOGS = Path(__file__).parent / "locale"

# Who reads English in the federation reads 24 hours and the day before the month.
_LOCALES = {language: Locale.parse("en_GB" if language == "en" else language) for language in LANGUAGES}


def language_of(wanted: str | None) -> str:
    """The language to write in for somebody who wants `wanted` (BCP 47): one of LANGUAGES, English for all others."""
    base = (wanted or SOURCE).partition("-")[0].lower()
    return base if base in LANGUAGES else SOURCE


def _catalog(language: str) -> gettext.NullTranslations:
    if language == SOURCE:
        return gettext.NullTranslations()
    return read_catalog(CATALOGS, language)


_TRANSLATIONS = {language: _catalog(language) for language in LANGUAGES}


def translations(language: str) -> gettext.NullTranslations:
    """The catalog of one of LANGUAGES, read when the program starts."""
    return _TRANSLATIONS[language]


def day(moment: datetime, zone: str, language: str) -> str:
    """The day with its weekday, where the hub is: `måndag 23 november 2026`."""
    return _day(moment.astimezone(UTC), zone, language)


def clock(moment: datetime, zone: str, language: str) -> str:
    """The time on the wall: `10:00`, in Danish `10.00`."""
    return _clock(moment.astimezone(UTC), zone, language)


def zone_name(moment: datetime, zone: str, language: str) -> str:
    """What the zone's time is called at that moment: `centraleuropeisk normaltid`."""
    return _zone_name(moment.astimezone(UTC), zone, language)


def same_clock(moment: datetime, zone: str, other: str) -> bool:
    """Whether the clocks of two zones show the same at that moment."""
    if zone == other:
        return True
    return moment.astimezone(ZoneInfo(zone)).utcoffset() == moment.astimezone(ZoneInfo(other)).utcoffset()


# Remembered, 20 microseconds each: many are told of one event. Asked in UTC, where no moment equals another.


@lru_cache(maxsize=4096)
def _day(moment: datetime, zone: str, language: str) -> str:
    return format_date(moment.astimezone(ZoneInfo(zone)), "full", _LOCALES[language])


@lru_cache(maxsize=4096)
def _clock(moment: datetime, zone: str, language: str) -> str:
    here = ZoneInfo(zone)
    return format_time(moment.astimezone(here), "short", tzinfo=here, locale=_LOCALES[language])


@lru_cache(maxsize=4096)
def _zone_name(moment: datetime, zone: str, language: str) -> str:
    return get_timezone_name(moment.astimezone(ZoneInfo(zone)), "long", locale=_LOCALES[language])
