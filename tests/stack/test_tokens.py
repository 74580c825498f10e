"""Made-up people have made-up addresses: always the same, never shared, never anybody's."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import EmailStr, TypeAdapter

from deploy.local.demo import people_of
from deploy.local.demo_data import HUBS
from deploy.local.tokens import made_up_address

NAMES = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=120)


@given(NAMES, NAMES)
@example("Åke Ödman", "Ake Odman")
@example("Anna-Lena", "Anna Lena")
@example("anna lena", "Anna  Lena")
@example("Öst", "Ost")
@example("!", "?")
@example("x" * 100 + "a", "x" * 100 + "b")
@example("A" * 58 + " " + "b" * 60, "C" * 58 + " " + "b" * 60)
def test_no_two_names_share_an_address(one: str, other: str) -> None:
    """Names that differ in nothing but capitals are one."""
    same = one.casefold() == other.casefold()
    assert (made_up_address(one) == made_up_address(other)) == same


@given(NAMES)
def test_it_is_an_address_that_reaches_nobody(name: str) -> None:
    address = made_up_address(name)
    assert address.endswith("@people.example")
    assert TypeAdapter(EmailStr).validate_python(address) == address
    assert address == made_up_address(name)


def test_the_demo_people_have_one_each() -> None:
    names = {name for hub in HUBS for name, _ in people_of(hub)}
    assert len({made_up_address(name) for name in names}) == len(names)
    assert made_up_address("Nora Nyvik") == "nora.nyvik@people.example"
