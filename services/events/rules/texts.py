"""Titles and texts in several languages: which one is shown, and what becomes of them when somebody changes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.contracts.events.given import EventChange, GivenText, NewTexts
from shared.kit.errors import Invalid

Texts = dict[str, dict[str, str]]
"""Per language: `title` and `text`, as stored."""

DEFAULT = "en"


def pick(texts: Mapping[str, Any], wanted: str | None, own: str) -> tuple[str, str, str]:
    """Language, title and text: those asked for, a sister language's (en for en-GB), the event's own, or any."""
    base = None if wanted is None else wanted.partition("-")[0]
    sisters = sorted(one for one in texts if base is not None and one.partition("-")[0] == base)
    for language in (wanted, base, *sisters, own, *sorted(texts)):
        if language is not None and language in texts:
            return language, texts[language]["title"], texts[language].get("text", "")
    raise ValueError("an event has a text in at least one language")


def of_new(given: NewTexts, hub_languages: list[str]) -> tuple[Texts, str]:
    """The texts of something new and its own language; Invalid when `language` is none of `texts`."""
    own = given.language or (hub_languages[0] if hub_languages else DEFAULT)
    if given.texts is None:
        return {own: {"title": str(given.title), "text": given.text or ""}}, own
    texts = _stored(given.texts)
    if given.text is not None:
        raise Invalid("say `text` inside `texts`, per language.", field="text")
    if given.language is not None and given.language not in texts:
        raise _unknown(given.language)
    return texts, own if own in texts else next(iter(texts))


def changed(texts: Texts, own: str, change: EventChange) -> tuple[Texts, str]:
    """The texts after a change: `texts` replaces all, `title` and `text` one language, `language` alone the own one."""
    said = change.model_fields_set
    if change.texts is not None:
        if said & {"title", "text"}:
            raise Invalid("say `title` and `text`, or `texts`, not both.", field="texts")
        return _own_of(_stored(change.texts), change.language, own)
    if not said & {"title", "text"}:
        return _own_of(texts, change.language, own)
    language = change.language or own
    one = dict(texts.get(language, {"text": ""}))
    if "title" in said:
        one["title"] = change.title or ""
    if "text" in said:
        one["text"] = change.text or ""
    if not one.get("title"):
        raise Invalid("An event has a title in every language it has a text in.", field="title")
    return texts | {language: one}, own


def _stored(given: Mapping[str, GivenText]) -> Texts:
    return {language: {"title": one.title, "text": one.text} for language, one in given.items()}


def _own_of(texts: Texts, language: str | None, own: str) -> tuple[Texts, str]:
    if language is not None and language not in texts:
        raise _unknown(language)
    if language is None:
        language = own if own in texts else next(iter(texts))
    return texts, language


def _unknown(language: str) -> Invalid:
    return Invalid(f"There is no text in {language}; say one in `texts`.", field="language")
