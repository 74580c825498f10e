"""The receipt of an erasure for people: what each part has erased, goes on without them, or is kept and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from babel.lists import format_list
from babel.numbers import format_decimal

from services.gateway.pages import Group, Page, Section, moment
from services.gateway.pages.receipt_words import RECEIPT, ReceiptWords
from services.gateway.pages.words import LANGUAGES
from shared.contracts.directory.erasure import Receipt, ServiceReceipt
from shared.contracts.forgetting import Deed, Reason, Thing, Told

ZONE = "UTC"
"""Nothing tells where somebody is of whom nothing is known."""


def receipt_page(receipt: Receipt, language: str) -> Page:
    """What became of everything that was held of somebody, and what to do while it is not complete."""
    words = RECEIPT[language]
    common = _common(receipt.services)
    sections = [_section(one, common, words, language) for one in receipt.services]
    if common:
        sections.append(Section(words.everywhere, groups=[*_groups(common, words, language)]))
    sections.append(Section(words.more, [words.keep_it, words.complain]))
    title = words.complete if receipt.complete else words.under_way
    return Page(title, [*_standing(receipt, words, language)], sections)


def no_receipt(language: str) -> Page:
    """That there is none, and what may be wrong."""
    title, sentence = RECEIPT[language].missing
    return Page(title, [sentence])


def _standing(receipt: Receipt, words: ReceiptWords, language: str) -> Iterator[str]:
    of_all = LANGUAGES[language]
    yield words.erased.format(moment=moment(receipt.erased_at, ZONE, of_all))
    if receipt.completed_at is not None:
        yield words.completed.format(moment=moment(receipt.completed_at, ZONE, of_all))
    silent = [_part(one.service, words) for one in receipt.services if one.answered_at is None]
    if silent:
        yield words.waiting.format(parts=format_list(silent, locale=of_all.locale))
    if not receipt.complete:
        yield words.be_patient


def _common(services: Sequence[ServiceReceipt]) -> list[Told]:
    """What all that have answered keep for the same reason: said once it is read."""
    answered = [one.told for one in services if one.answered_at is not None]
    if not answered:
        return []
    return [line for line in answered[0] if line.deed is Deed.KEPT and all(line in told for told in answered)]


def _section(one: ServiceReceipt, common: list[Told], words: ReceiptWords, language: str) -> Section:
    own = [line for line in one.told if line not in common]
    lines = [words.silent] if one.answered_at is None else [] if own else [words.nothing]
    return Section(_part(one.service, words), lines, [*_groups(own, words, language)])


def _groups(told: Sequence[Told], words: ReceiptWords, language: str) -> Iterator[Group]:
    for deed in Deed:
        entries = [_entry(line, words, language) for line in told if line.deed is deed]
        if entries:
            yield Group(words.deeds[deed], entries)


def _entry(line: Told, words: ReceiptWords, language: str) -> str:
    thing = words.things[Thing(line.what)] if line.what in [*Thing] else words.other.format(code=line.what)
    if line.because is not None:
        return f"{thing}. {_reason(line.because, words)}"
    if line.count is None:
        return thing
    return f"{thing}: {format_decimal(line.count, locale=LANGUAGES[language].locale)}"


def _reason(code: str, words: ReceiptWords) -> str:
    return words.reasons[Reason(code)] if code in [*Reason] else f"{words.other.format(code=code)}."


def _part(service: str, words: ReceiptWords) -> str:
    return words.parts.get(service) or words.other.format(code=service)
