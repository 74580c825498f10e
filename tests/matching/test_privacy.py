"""Nobody appears anywhere beyond consent: every request there is, every fact stated, asked by everybody who might be curious."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.matching.queries.handles import handles_for
from shared.contracts.base import Request
from shared.contracts.catalogue import REQUESTS
from shared.contracts.directory.words import Role
from shared.contracts.exporting import ExportMyMatching
from shared.contracts.matching import gaps, introductions, matches, members, outcomes, profiles, skills
from shared.contracts.matching.words import Level, Outcome, Reply, Side, Visibility
from tests.matching.kept import told_once
from tests.matching.world import HUB, Refused, World, begun

OTHER = "sjobo"
CURIOUS: tuple[tuple[str, Role], ...] = (
    ("ann", Role.MEMBER),
    ("operator", Role.OPERATOR),
    ("guest", Role.VISITOR),
)
"""Who asks; each belongs to the hub of the story."""
SHOWN = ("bo", "far")
"""Opened to the hub, and to the federation from another hub."""
HIDDEN = ("closed", "silent", "elsewhere", "withdrew", "gone", "paused", "erased")
"""Each for another reason; none of them is to be found by anybody in the hub."""
ASIDE = "aside"
"""Whom ann alone has put aside."""


def words_of(name: str) -> dict[str, str]:
    """What somebody says, unlike anybody else."""
    return {"about": f"{name}-says-about", "talk": f"{name}-talks-about", "words": f"{name}-has-words"}


async def _says(world: World, name: str, *hubs: str, visibility: Visibility, side: Side = Side.OFFER) -> None:
    said = words_of(name)
    await world.member(name, *hubs)
    wanted = profiles.State(side=side, concept="bookkeeping", level=Level.EXPERT, words=said["words"])
    await world.ask(wanted, name)
    await world.open_to(name, *hubs, visibility=visibility)
    await world.change(name, about=said["about"], talk_about=(said["talk"],), languages=("sv",))


async def _town(world: World) -> None:
    """People in two hubs who say the same of what they can, and differ in who may know."""
    await begun(world)
    await world.hub(OTHER)
    await _says(world, "ann", HUB, visibility=Visibility.HUB, side=Side.NEED)
    for name, role in CURIOUS[1:]:
        await world.member(name, role=role)
    await _says(world, "bo", HUB, visibility=Visibility.HUB)
    await _says(world, "far", OTHER, visibility=Visibility.FEDERATION)
    for name in (*HIDDEN, ASIDE):
        hub = OTHER if name == "elsewhere" else HUB
        await _says(world, name, hub, visibility=Visibility.HUB)
    await world.change("closed", visibility=Visibility.NOBODY)
    await world.close_to("silent")
    await world.close_to("withdrew")
    await world.hear(world.left("gone"))
    await world.change("paused", paused=True)
    await world.ask(profiles.EraseMyProfile(), "erased")
    await world.ask(matches.StopMatch(match=await handle(world, "ann", ASIDE)), "ann")
    world.now += timedelta(hours=1)


@pytest.fixture
async def town(empty: World) -> World:
    """As it is told above."""
    return await told_once(empty, _town)


async def handle(world: World, reader: str, name: str) -> UUID:
    """The id by which a reader would know somebody."""
    async with world.database.reading() as session:
        return (await handles_for(session, world.person(reader))).of(world.person(name))


Ask = Callable[[UUID, UUID], tuple[Request[Any], ...]]

ASKED: dict[type[Request[Any]], Ask] = {
    profiles.GetMyProfile: lambda who, _: (profiles.GetMyProfile(), profiles.GetMyProfile(organisation=who)),
    profiles.ChangeMyProfile: lambda who, _: (
        profiles.ChangeMyProfile(version=1, organisation=who, about="x"),
    ),
    profiles.EraseMyProfile: lambda who, _: (profiles.EraseMyProfile(organisation=who),),
    profiles.State: lambda who, _: (profiles.State(side=Side.OFFER, concept="carpentry", organisation=who),),
    profiles.TakeBack: lambda who, _: (
        profiles.TakeBack(side=Side.OFFER, concept="carpentry", organisation=who),
    ),
    profiles.GiveConsent: lambda who, _: (profiles.GiveConsent(hub=HUB, organisation=who),),
    profiles.WithdrawConsent: lambda who, _: (profiles.WithdrawConsent(hub=HUB, organisation=who),),
    profiles.ListMyOrganisations: lambda *_: (profiles.ListMyOrganisations(),),
    profiles.MakeOrganisation: lambda *_: (profiles.MakeOrganisation(hub="nowhere", name="x"),),
    matches.ListMyMatches: lambda *_: (
        matches.ListMyMatches(limit=20),
        matches.ListMyMatches(hub=HUB, language="sv"),
        matches.ListMyMatches(hub=OTHER),
    ),
    matches.StopMatch: lambda *_: (),  # would hide who is to be looked for
    members.SearchMembers: lambda _, known: (
        members.SearchMembers(hub=HUB),
        members.SearchMembers(hub=OTHER),
        members.SearchMembers(hub=HUB, text="bookkeeping"),
        members.SearchMembers(hub=HUB, text=str(known)),
    ),
    introductions.ListMyIntroductions: lambda *_: (introductions.ListMyIntroductions(),),
    introductions.GetMyIntroduction: lambda who, _: (introductions.GetMyIntroduction(introduction=who),),
    introductions.AskIntroduction: lambda who, known: (
        introductions.AskIntroduction(match=known),
        introductions.AskIntroduction(match=who),
    ),
    introductions.ReplyToIntroduction: lambda who, _: (
        introductions.ReplyToIntroduction(introduction=who, answer=Reply.YES),
    ),
    introductions.SayMet: lambda who, _: (introductions.SayMet(introduction=who),),
    introductions.SayOutcome: lambda who, _: (
        introductions.SayOutcome(introduction=who, outcome=Outcome.HELP),
    ),
    introductions.SuggestIntroduction: lambda who, known: (
        introductions.SuggestIntroduction(hub=HUB, one=known, other=who),
    ),
    gaps.GetSkillsMissing: lambda *_: tuple(gaps.GetSkillsMissing(hub=HUB, area=area) for area in gaps.Area),
    outcomes.GetOutcomes: lambda *_: tuple(outcomes.GetOutcomes(hub=HUB, area=area) for area in gaps.Area),
    gaps.ListTargets: lambda *_: (gaps.ListTargets(hub=HUB),),
    gaps.GetTarget: lambda *_: (gaps.GetTarget(hub=HUB, concept="carpentry"),),
    gaps.SetTarget: lambda *_: (gaps.SetTarget(hub=HUB, concept="carpentry", wanted=3),),
    gaps.DropTarget: lambda *_: (gaps.DropTarget(hub=HUB, concept="carpentry"),),
    ExportMyMatching: lambda *_: (ExportMyMatching(),),
    skills.FindSkills: lambda *_: (skills.FindSkills(text="bookkeeping"),),
    skills.GetSkill: lambda *_: (skills.GetSkill(concept="bookkeeping"),),
}
"""Every request there is, by the id somebody has and the id the reader would know them by: as many ways in as there are."""


async def heard(world: World, name: str, role: Role, about: str) -> list[str]:
    """Everything somebody can get to hear in the hub, trying every request about somebody; ids they sent are left out."""
    known = await handle(world, name, about)
    said = []
    for request in REQUESTS["matching"]:
        if request.admin:
            continue
        for one in ASKED[request](world.person(about), known):
            answer = await world.answer(one, world.principal(name, role))
            text = json.dumps(answer.problem) if isinstance(answer, Refused) else answer.body
            for sent in (str(world.person(about)), str(known)):
                text = text.replace(sent, "…") if sent in one.model_dump_json() else text
            said.append(f"{request.__name__}: {text}")
    return said


async def traces(world: World, name: str, about: str, said: list[str]) -> list[str]:
    """Where somebody appears in what another has heard, by their words, their id or the id the other knows them by."""
    known = str(await handle(world, name, about))
    signs = [*words_of(about).values(), str(world.person(about)), known]
    return [one[:300] for one in said if any(sign in one for sign in signs)]


def test_every_request_is_tried() -> None:
    assert ASKED.keys() == {request for request in REQUESTS["matching"] if not request.admin}


async def test_whoever_is_not_open_to_somebody_appears_in_nothing_they_are_answered(town: World) -> None:
    for name, role in CURIOUS:
        of_nobody = await heard(town, name, role, "never-been-here")
        for hidden in (*HIDDEN, *((ASIDE,) if name == "ann" else ())):
            said = await heard(town, name, role, hidden)
            assert await traces(town, name, hidden, said) == [], (name, hidden)
            # Nor can it be told that there is somebody: the answers are those about a person who does not exist.
            assert said == of_nobody, (name, hidden)


async def test_who_is_open_appears_until_they_take_it_back_and_in_no_fact_with_what_they_say(
    town: World,
) -> None:
    for shown in SHOWN:
        said = await heard(town, "ann", Role.MEMBER, shown)
        assert await traces(town, "ann", shown, said) != [], f"the walk does not see {shown}"
    as_guest = await heard(town, "guest", Role.VISITOR, "bo")
    assert await traces(town, "guest", "bo", as_guest) == [], "a visitor looks at nobody"
    await town.close_to("bo")
    # Before any fact about that has been heard by anybody.
    assert await traces(town, "ann", "bo", await heard(town, "ann", Role.MEMBER, "bo")) == []
    told = [row.body for row in await town.rows("SELECT body FROM outbox")]
    assert len(told) > 30
    words = {word for name in (*SHOWN, *HIDDEN, "ann") for word in words_of(name).values()}
    assert [body for body in told if any(word in body for word in (*words, "bookkeeping", "expert"))] == []
