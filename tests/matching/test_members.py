"""Searching a hub's members: words in three languages, inside compounds and misspelt; and only what each of them allows."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from services.matching.queries import members
from shared.contracts.directory.words import Role
from shared.contracts.matching.introductions import AskIntroduction, ReplyToIntroduction
from shared.contracts.matching.members import MemberPage, SearchMembers
from shared.contracts.matching.profiles import MakeOrganisation, NewStatement, State
from shared.contracts.matching.words import Level, Reply, Side, Visibility
from tests.matching.kept import told_once
from tests.matching.world import HUB, World, begun


async def offers(world: World, name: str, concept: str, words: str) -> None:
    """Somebody offers something in words of their own."""
    said = NewStatement(level=Level.EXPERT, words=words)
    await world.ask(State(side=Side.OFFER, concept=concept, **said.model_dump()), name)


async def _town(world: World) -> None:
    """Four open members; each says something else."""
    await begun(world)
    for name, about in {
        "ann": "I run a small bakery.",
        "ben": "Bröllopsfotografering och porträtt sedan tio år.",
        "cal": "Jeg bygger møbler af genbrugte materialer.",
        "dan": "Helping companies with their yearly accounts.",
    }.items():
        await world.somebody(name, offers=["carpentry"] if name == "cal" else [])
        await world.change(name, about=about)
    await offers(world, "dan", "bookkeeping", "Deklarationer för enskild firma")
    await world.change("ben", talk_about=("sailing boats",))


@pytest_asyncio.fixture
async def town(empty: World) -> World:
    """As it is told above."""
    return await told_once(empty, _town)


async def found(world: World, text: str | None, by: str = "eve", **more: object) -> list[str]:
    """What those whom somebody finds say of themselves, by name, in order."""
    await world.member("eve")
    page = await world.ask(SearchMembers.model_validate({"hub": HUB, "text": text} | more), by)
    return [await whose(world, one.about) for one in page.items]


async def whose(world: World, about: str) -> str:
    """The name of who says that."""
    [row] = await world.rows("SELECT person FROM profile WHERE about = :about", about=about)
    return next(name for name, person in world.people.items() if person == row.person)


@pytest.mark.parametrize(
    ("text", "language", "who"),
    [
        ("fotograf", None, ["ben"]),  # inside a compound
        ("FOTOGRAFERING", "sv", ["ben"]),
        ("fotografrering", None, ["ben"]),  # a letter too many
        ("porträtten", "sv", ["ben"]),  # inflected
        ("møblerne", "da", ["cal"]),
        ("account", "en", ["dan"]),
        ("helped company", "en", ["dan"]),
        ("sail", None, ["ben"]),
        ("deklaration", None, ["dan"]),
        ("bokföring", None, ["dan"]),  # what the skill is called, in whichever language
        ("snickeri", "en", ["cal"]),
        ("bogføring deklarationer", None, ["dan"]),  # all of the words, wherever they stand
        ("bokföring sail", None, []),
        ("ba", None, []),  # short ones only whole
        ("%", None, ["ann", "ben", "cal", "dan"]),
        ("'; DROP TABLE profile; --", None, []),
        ("a & !b | (c", None, []),
    ],
)
async def test_words_find_who_says_them(town: World, text: str, language: str | None, who: list[str]) -> None:
    assert sorted(await found(town, text, language=language)) == who


async def test_without_a_text_everybody_who_is_open_in_an_order_that_stays(town: World) -> None:
    everybody = await found(town, None)
    assert sorted(everybody) == ["ann", "ben", "cal", "dan"]
    assert await found(town, None) == everybody
    seen: list[str] = []
    cursor = None
    while True:
        page = await town.ask(SearchMembers(hub=HUB, limit=1, cursor=cursor), "eve")
        seen += [await whose(town, one.about) for one in page.items]
        cursor = page.cursor
        if cursor is None:
            break
        assert not any(str(person) in cursor for person in town.people.values())
    assert seen == everybody
    assert (await town.refusal(SearchMembers(hub=HUB, cursor="0_x"), "eve")).status == 422


async def test_the_better_fit_comes_first(town: World) -> None:
    await offers(town, "ann", "photography", "porträtt")
    assert await found(town, "porträtt") in (["ann", "ben"], ["ben", "ann"])
    assert (await found(town, "fotografering"))[0] == "ann"


@pytest.mark.parametrize("role", [None, Role.VISITOR])
async def test_only_members_look(town: World, role: Role | None) -> None:
    assert (await town.refusal(SearchMembers(hub=HUB), "eve", role)).code == "not-a-member"


async def test_who_withdraws_pauses_or_leaves_is_not_found_by_anything(town: World) -> None:
    await town.close_to("ben")
    await town.change("cal", paused=True)
    await town.hear(town.left("dan"))
    for text in (None, "fotograf", "møbler", "bokföring", "snickeri"):
        assert set(await found(town, text)) <= {"ann"}
    await town.change("ann", visibility=Visibility.NOBODY)
    assert await found(town, None) == []


async def test_what_holds_no_longer_is_neither_found_nor_shown(town: World) -> None:
    until = town.now.date() + timedelta(days=3)
    await town.needs("ann", "public-relations", until=until)
    assert await found(town, "relations") == ["ann"]
    town.now += timedelta(days=4)
    assert await found(town, "relations") == []
    page = await town.ask(SearchMembers(hub=HUB, text="bakery"), "eve")
    assert page.items[0].needs == ()


async def test_another_hubs_members_are_not_there(town: World) -> None:
    await town.hub("elsewhere")
    await town.somebody("finn", "elsewhere", offers=["photography"], visibility=Visibility.FEDERATION)
    assert sorted(await found(town, "photography")) == []
    away = SearchMembers(hub="elsewhere", text="photography")
    assert (await town.refusal(away, town.principal("eve"))).code == "not-a-member"


async def page_of(world: World, text: str, by: str = "ann") -> MemberPage:
    """What somebody finds."""
    return await world.ask(SearchMembers(hub=HUB, text=text), by)


async def test_names_only_after_both_have_said_yes(town: World) -> None:
    [ben] = (await page_of(town, "sailing")).items
    assert (ben.named, ben.person, ben.name) == (False, None, None)
    asked = await town.ask(AskIntroduction(match=ben.match))
    assert not (await page_of(town, "sailing")).items[0].named
    await town.ask(ReplyToIntroduction(introduction=asked.id, answer=Reply.YES), "ben")
    [known] = (await page_of(town, "sailing")).items
    assert (known.named, known.person) == (True, town.person("ben"))
    assert not (await page_of(town, "sailing", "cal")).items[0].named


async def test_an_organisation_is_found_by_its_name_and_not_its_keeper(town: World) -> None:
    await town.member("eve")
    made = await town.ask(MakeOrganisation(hub=HUB, name="Nordviken Varv"), "cal")
    await town.open_to("cal", organisation=made.id)
    page = await page_of(town, "varv")
    [yard] = page.items
    assert (yard.name, yard.named, yard.person) == ("Nordviken Varv", True, None)
    assert str(town.person("cal")) not in page.model_dump_json()
    asked = await town.ask(AskIntroduction(match=yard.match))
    said = await town.ask(ReplyToIntroduction(introduction=asked.id, answer=Reply.YES), "cal")
    assert said.named


async def test_an_id_of_the_search_is_nobodys_id(town: World) -> None:
    ids: dict[str, set[UUID]] = {}
    for by in ("ann", "ben"):
        ids[by] = {one.match for one in (await town.ask(SearchMembers(hub=HUB), by)).items}
        assert not ids[by] & set(town.people.values())
    assert not ids["ann"] & ids["ben"]


async def test_a_hub_of_many_is_searched_by_indexes_and_finds_the_same(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("fotograf", "fotografrering", "bokföring", "deklaration", "a_b", "a bakery", "møbel", "nobody")
    looked_at = [await found(town, text) for text in words]
    assert sum(map(bool, looked_at)) >= 5
    monkeypatch.setattr(members, "FEW", 0)
    assert [await found(town, text) for text in words] == looked_at
