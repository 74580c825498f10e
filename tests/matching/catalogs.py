"""The catalogs of matching's reasons: `python -m tests.matching.catalogs` brings them up to date."""

from __future__ import annotations

from pathlib import Path

from babel.messages import Catalog

from services.matching.rules import reasons
from services.matching.rules.reasons import CATALOGS, LANGUAGES, SOURCE
from shared.kit.translations import path_of
from tests.notify import catalogs

TITLE = "Why matching suggests two people to each other."
TRANSLATED = tuple(language for language in LANGUAGES if language != SOURCE)


def words() -> Catalog:
    """Every message the rules say."""
    return catalogs.words_of(Path(reasons.__file__).parent)


def update(language: str, said: Catalog) -> bytes:
    """The catalog with what is new in it, untranslated, and without what is said no more."""
    return catalogs.update(language, said, CATALOGS, TITLE)


if __name__ == "__main__":
    everything = words()
    for each in TRANSLATED:
        place = path_of(CATALOGS, each)
        place.write_bytes(update(each, everything))
        print("\n".join(catalogs.faults(place.read_bytes(), each, everything)) or f"{each}: complete")  # noqa: T201  # a tool
