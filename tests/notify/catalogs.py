"""The catalogs of translations: what is wrong with one, and `python -m tests.notify.catalogs` brings them up to date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from services.notify.rules import wording
from services.notify.rules.languages import CATALOGS, LANGUAGES, SOURCE
from shared.kit.translations import path_of

TITLE = "What notify tells people."
RULES = Path(wording.__file__).parent
METHODS = [("**.py", "python"), ("templates/**.j2", "jinja2.ext.babel_extract")]
OPTIONS = {
    "templates/**.j2": {
        "newstyle_gettext": "true",
        "silent": "false",
        "trim_blocks": "true",
        "lstrip_blocks": "true",
    }
}
_VARIABLE = re.compile(r"%\((\w+)\)s")
_STRAY = re.compile(r"%(?!\(\w+\)s|%)")


def translated() -> tuple[str, ...]:
    """The languages that have a catalog."""
    return tuple(language for language in LANGUAGES if language != SOURCE)


def words_of(folder: Path = RULES) -> Catalog:
    """Every message the code and the templates below `folder` say."""
    catalog = Catalog(project="foci", header_comment=f"# {TITLE}")
    for file, _, message, comments, context in extract_from_dir(folder, METHODS, OPTIONS):
        catalog.add(message, locations=[(file, 1)], auto_comments=comments, context=context)
    return catalog


def faults(raw: bytes, language: str, said: Catalog) -> list[str]:
    """What is wrong with a catalog: a sentence each."""
    catalog = read_po(BytesIO(raw), locale=language, abort_invalid=True)
    found = [f"{language}: {one.id!r} is not translated" for one in said if one.id and one.id not in catalog]
    for one in catalog:
        if one.id:
            found += [f"{language}: {one.id!r} {fault}" for fault in _faults(one, catalog.num_plurals, said)]
    found += [f"{language}: {key!r} is obsolete" for key in catalog.obsolete]
    return found


def _faults(one: Message, plurals: int, said: Catalog) -> Iterator[str]:
    if one.id not in said:
        yield "is said nowhere"
    if one.fuzzy:
        yield "is fuzzy"
    forms = _strings(one.string)
    if len(forms) != (plurals if one.pluralizable else 1):
        yield "has not all plural forms"
    sources = _strings(one.id)
    wanted = {name for source in sources for name in _VARIABLE.findall(source)}
    for form in forms:
        if not form.strip():
            yield "is empty"
        elif set(_VARIABLE.findall(form)) != wanted:
            yield f"has not the variables {sorted(wanted)}: {form!r}"
        elif _STRAY.search(form):
            yield f"has a stray %: {form!r}"


def _strings(said: object) -> list[str]:
    if isinstance(said, list | tuple):
        return [str(form or "") for form in said]
    return [str(said or "")]


def update(language: str, said: Catalog, catalogs: Path = CATALOGS, title: str = TITLE) -> bytes:
    """The catalog with what is new in it, untranslated, and without what is said no more."""
    path = path_of(catalogs, language)
    catalog = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=language)
    catalog.update(said, no_fuzzy_matching=True)
    made = Catalog(locale=language, project="foci", header_comment=f"# {title}", fuzzy=False)
    for one in catalog:
        if one.id:
            made.add(one.id, one.string, locations=[(file, 1) for file, _ in one.locations])
    out = BytesIO()
    write_po(out, made, width=0, sort_by_file=True, include_lineno=False, omit_header=True)
    head = (
        f"# {title}\n"
        f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n'
        f'"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {made.plural_forms}\\n"\n\n'
    )
    return head.encode() + out.getvalue().strip() + b"\n"


if __name__ == "__main__":
    everything = words_of()
    for each in translated():
        place = path_of(CATALOGS, each)
        place.write_bytes(update(each, everything))
        print("\n".join(faults(place.read_bytes(), each, everything)) or f"{each}: complete")  # noqa: T201  # a tool
