"""The receipt of an erasure as a page: words for whatever a service can tell, in each language, also while some are silent."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from string import Formatter

import pytest

from services.gateway.pages import page_response
from services.gateway.pages.receipt import receipt_page
from services.gateway.pages.receipt_words import RECEIPT, ReceiptWords
from services.gateway.pages.words import LANGUAGES
from shared.contracts.directory.erasure import Receipt, ServiceReceipt
from shared.contracts.forgetting import Deed, Reason, Thing, Told
from shared.contracts.streams import FORGETS
from shared.kit.forgetting import KEPT_EVERYWHERE
from tests.gateway.compatibility import ROOT
from tests.gateway.pages import Seen

ERASED_AT = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)


def seen(receipt: Receipt, language: str) -> Seen:
    """What stands in its page."""
    return Seen(bytes(page_response(receipt_page(receipt, language), language).body).decode())


def answered(service: str, *told: Told) -> ServiceReceipt:
    return ServiceReceipt(service=service, answered_at=ERASED_AT, told=(*told, *KEPT_EVERYWHERE))


def under_way(*first: ServiceReceipt) -> Receipt:
    """A receipt for which these have answered and the others have not."""
    known = {one.service for one in first}
    silent = (ServiceReceipt(service=one) for one in ("directory", *FORGETS) if one not in known)
    return Receipt(erased_at=ERASED_AT, complete=False, services=(*first, *silent))


def _braces(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def _sentences(words: ReceiptWords) -> dict[str, str]:
    return {name: value for name, value in vars(words).items() if isinstance(value, str)}


def test_whatever_a_service_can_tell_has_words_in_every_language() -> None:
    assert list(RECEIPT) == list(LANGUAGES)
    for language, words in RECEIPT.items():
        assert set(words.things) == set(Thing), language
        assert set(words.reasons) == set(Reason), language
        assert set(words.deeds) == set(Deed), language
        assert set(words.parts) == {"directory", *FORGETS}, language
        said = [*words.things.values(), *words.reasons.values(), *words.deeds.values(), *words.parts.values()]
        assert all(one.strip() == one and one for one in (*said, *_sentences(words).values(), *words.missing))
        assert len(set(words.things.values())) == len(Thing), "two things called alike cannot be told apart"
        braces = {name: _braces(one) for name, one in _sentences(words).items()}
        assert braces == {name: _braces(one) for name, one in _sentences(RECEIPT["en"]).items()}, language


@pytest.mark.parametrize("language", list(RECEIPT))
def test_while_some_are_silent_the_page_says_who_and_what_to_do(language: str) -> None:
    words = RECEIPT[language]
    bookings = Told(what=Thing.BOOKINGS, deed=Deed.ANONYMISED, count=12345)
    page = seen(under_way(answered("booking", bookings), answered("matching")), language)
    assert page.words["h1"] == [words.under_way]
    waiting, patience = page.words["p"][1:3]
    for service, name in words.parts.items():
        assert (name in waiting) == (service not in ("booking", "matching"))
    assert patience == words.be_patient
    names = [words.parts[one] for one in ("booking", "matching", "directory", "events", "notify")]
    assert page.words["h2"] == [*names, words.everywhere, words.more]
    assert page.words["p"].count(words.silent) == 3
    assert page.words["p"].count(words.nothing) == 1, "matching held nothing but what all hold"
    assert page.words["h3"] == [words.deeds[Deed.ANONYMISED], words.deeds[Deed.KEPT]]
    assert len(page.words["li"]) == 1 + len(KEPT_EVERYWHERE), "what all keep is said once"
    assert page.words["li"][0].startswith(f"{words.things[Thing.BOOKINGS]}: 12")
    assert page.words["li"][1].endswith(words.reasons[Reason.STAYS_FORGOTTEN])


def test_what_a_later_release_tells_is_shown_and_not_lost() -> None:
    new = Told(what="cats", deed=Deed.KEPT, because="they-stay")
    page = seen(under_way(answered("cattery", new), answered("booking")), "en")
    assert page.words["h2"][0] == "Something else (cattery)"
    assert page.words["li"][0] == "Something else (cats). Something else (they-stay)."


def test_headings_stand_in_order_and_lists_hold_nothing_but_entries() -> None:
    page = seen(under_way(answered("booking", Told(what=Thing.BOOKINGS, deed=Deed.ERASED, count=1))), "da")
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {after for (tag, _), (after, _) in pairwise(page.tags) if tag == "ul"} == {"li"}


def test_the_docs_explain_every_reason_a_service_can_give() -> None:
    explained = (ROOT / "docs" / "erasure.md").read_text("utf-8")
    assert [one for one in Reason if f"| `{one}` |" not in explained] == []
