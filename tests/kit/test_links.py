"""Links in messages: read by the cell that signed them, while they last, and by nobody else."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.contracts.links import LinkPurpose
from shared.contracts.notify.words import ALWAYS, NoticeKind
from shared.kit.ids import new_id, utc_now
from shared.kit.links import ISSUER, LONGEST_TOKEN, Link, LinkInvalid, LinkReader, sign_link
from shared.kit.principal import LIFETIME, Principal, sign

KEY = Ed25519PrivateKey.generate()
NOW = utc_now()
TOMORROW = NOW + timedelta(days=1)
READER = LinkReader(KEY.public_key(), "local")


def link(purpose: LinkPurpose = LinkPurpose.CONFIRM, hub: str = "nordviken") -> Link:
    if purpose is LinkPurpose.UNSUBSCRIBE:
        return Link(purpose, hub, new_id(), kinds=("programme", "reminder"))
    if purpose is LinkPurpose.SIGN_IN:
        return Link(purpose, hub, new_id(), sign_in=new_id())
    return Link(purpose, hub, new_id(), event=new_id(), sign_up=new_id(), version=3)


@pytest.mark.parametrize("purpose", list(LinkPurpose))
def test_what_was_signed_is_read(purpose: LinkPurpose) -> None:
    signed = link(purpose)
    assert READER.read(sign_link(signed, TOMORROW, KEY, "local"), NOW) == signed


def test_a_link_fits_into_a_line_of_mail_whatever_the_hub_is_called() -> None:
    every_kind = Link(
        LinkPurpose.UNSUBSCRIBE, "x" * 63, new_id(), kinds=tuple(sorted(set(NoticeKind) - ALWAYS))
    )
    for longest in (link(hub="x" * 63), every_kind):
        assert len(sign_link(longest, TOMORROW, KEY, "a-cell-with-a-rather-long-name")) <= LONGEST_TOKEN


@pytest.mark.parametrize("purpose", list(LinkPurpose))
def test_a_link_that_does_not_say_to_what_is_never_signed(purpose: LinkPurpose) -> None:
    with pytest.raises(ValueError, match="names"):
        Link(purpose, "nordviken", new_id())


def test_a_link_signed_before_links_could_unsubscribe_is_still_good() -> None:
    """Mails of the release before lie in people's mailboxes."""
    person, event, sign_up = new_id(), new_id(), new_id()
    claims = {
        "iss": ISSUER,
        "aud": "local",
        "sub": person.hex,
        "exp": int(TOMORROW.timestamp()),
        "do": "leave",
        "hub": "nordviken",
        "on": event.hex,
        "id": sign_up.hex,
        "v": 3,
    }
    before = jwt.encode(claims, KEY, algorithm="EdDSA")
    meant = Link(LinkPurpose.LEAVE, "nordviken", person, event=event, sign_up=sign_up, version=3)
    assert READER.read(before, NOW) == meant
    assert sign_link(meant, TOMORROW, KEY, "local") == before


def test_a_link_ends_at_its_moment() -> None:
    token = sign_link(link(), TOMORROW, KEY, "local")
    READER.read(token, TOMORROW - timedelta(seconds=1))
    with pytest.raises(LinkInvalid):
        READER.read(token, TOMORROW)


def test_links_that_are_not_ours_are_all_refused_alike() -> None:
    good = sign_link(link(), TOMORROW, KEY, "local")
    head, claims, signature = good.split(".")
    _, of_another, _ = sign_link(link(), TOMORROW, KEY, "local").split(".")
    said = set()
    for token in (
        sign_link(link(), TOMORROW, Ed25519PrivateKey.generate(), "local"),
        sign_link(link(), TOMORROW, KEY, "another-cell"),
        f"{head}.{of_another}.{signature}",
        f"eyJhbGciOiJub25lIn0.{claims}.",
        f"{head}.{claims}",
        "nonsense",
        "\x00",
        "",
        good + "A" * LONGEST_TOKEN,
    ):
        with pytest.raises(LinkInvalid) as caught:
            READER.read(token, NOW)
        assert (caught.value.status, caught.value.code) == (404, "link-invalid")
        said.add(caught.value.detail)
    assert len(said) == 1


def test_another_signed_word_under_the_same_key_is_no_link() -> None:
    word = sign(Principal(new_id(), "nordviken", "admin"), KEY, cell="local", now=NOW + LIFETIME)
    with pytest.raises(LinkInvalid):
        READER.read(word, NOW)


@pytest.mark.parametrize(
    "changed", [{"do": "erase"}, {"id": "no-uuid"}, {"id": 7}, {"v": "three"}, {"v": None}, {"exp": None}]
)
def test_a_link_that_does_not_say_what_links_say_is_refused(changed: dict[str, object]) -> None:
    claims = {
        "iss": ISSUER,
        "aud": "local",
        "sub": new_id().hex,
        "exp": int(TOMORROW.timestamp()),
        "do": "confirm",
        "hub": "nordviken",
        "on": new_id().hex,
        "id": new_id().hex,
        "v": 1,
    }
    READER.read(jwt.encode(claims, KEY, algorithm="EdDSA"), NOW)
    with pytest.raises(LinkInvalid):
        READER.read(jwt.encode(claims | changed, KEY, algorithm="EdDSA"), NOW)


@pytest.mark.parametrize("kinds", [None, [], "programme", [7], ["programme", None], {"programme": 1}])
def test_unsubscribing_from_what_are_no_words_is_refused(kinds: object) -> None:
    claims = {
        "iss": ISSUER,
        "aud": "local",
        "sub": new_id().hex,
        "exp": int(TOMORROW.timestamp()),
        "do": "unsubscribe",
        "hub": "nordviken",
    }
    READER.read(jwt.encode(claims | {"kinds": ["programme"]}, KEY, algorithm="EdDSA"), NOW)
    with pytest.raises(LinkInvalid):
        READER.read(jwt.encode(claims | {"kinds": kinds}, KEY, algorithm="EdDSA"), NOW)
