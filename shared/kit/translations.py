"""Catalogs of translations as translators keep them: gettext's .po files, read as they are."""

from __future__ import annotations

import gettext
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def path_of(catalogs: Path, language: str) -> Path:
    """Where a language's catalog is below `catalogs`."""
    return catalogs / language / "LC_MESSAGES" / "messages.po"


def read_catalog(catalogs: Path, language: str) -> gettext.NullTranslations:
    """A language's catalog; raises when it is not there or not well-formed."""
    with path_of(catalogs, language).open("rb") as file:
        catalog = read_po(file, locale=language, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
