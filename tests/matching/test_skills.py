"""From somebody's words to skills: labels, misspellings, compounds, other languages, and words that name no skill."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import text

from services.matching import rpc
from services.matching.index.encoder import Kept
from services.matching.index.vocabulary import Keeper, Vocabulary
from services.matching.queries import skills as queries
from services.matching.rules.finding import Likeness, Match, Wording, combined
from services.matching.rules.folding import alike, fold, kept
from services.matching.rules.meaning import Vectors
from shared.contracts.base import Request
from shared.contracts.matching.skills import FindSkills, Found, GetSkill, SkillsFound
from shared.kit.rpc import Handler
from tests.bench.pages_skills import skills_section
from tests.bench.skills import Letters, Result, Results, accuracy, answered, phrases, result
from tests.connections import Connections
from tests.matching.test_vocabulary import VOCABULARY, bring_in
from tests.matching.world import World, make_world


@pytest_asyncio.fixture(scope="module")
async def town(matching_database: str) -> AsyncIterator[World]:
    """A matching service with the vocabulary that comes with Foci, which nobody changes here."""
    connections = Connections()
    engine = await connections.emptied(matching_database)
    async with make_world(matching_database, engine=engine) as world:
        await bring_in(world)
        yield Town(**vars(world))
    await connections.close()


class Town(World):
    """One that keeps its vocabulary in memory, as a service does."""

    vocabulary_in_memory = None

    def handlers(self) -> Mapping[type[Request[Any]], Handler]:
        if self.vocabulary_in_memory is None:
            self.vocabulary_in_memory = Vocabulary()
        return rpc.handlers(self.ids, vocabulary=self.vocabulary_in_memory)


async def found(world: World, words: str, language: str = "en") -> SkillsFound:
    return await world.ask(FindSkills(text=words, language=language))


def test_words_are_compared_with_and_without_their_marks() -> None:
    assert kept("  Bokföring,\tBOGFØRING ") == "bokföring bogføring"
    assert fold("Bokföring") == fold("BOKFO\u0308RING") == fold("bokfoering") == "bokforing"
    assert fold("rådgivning") == fold("raadgivning")
    assert fold("C#, .NET & e-handel…") == "c# .net e handel"
    assert fold("\uff22ogf\u00f8ring") == "bogforing", "full-width letters are letters"
    assert fold("ab" * 5000) == fold("ab" * 200)


def test_compounds_and_misspellings_are_alike_and_endings_are_not() -> None:
    assert alike("bokforingshjalp", "bokforing") > 0.8
    assert alike("fotograferring", "fotografering") > 0.8
    assert alike("fotografering", "fakturering") < 0.45
    assert alike("wel", "weldding") == alike("weldding", "wel") < 0.6


@pytest.mark.parametrize("text", ["bokföring", "bogføring", "bookkeeping", "BOKFORING", "  bogfoering "])
async def test_bookkeeping_meets_in_every_language(town: World, text: str) -> None:
    answer = await found(town, text, "sv")
    first = answer.items[0]
    assert (first.id, first.label, first.how, first.field) == (
        "bookkeeping",
        "bokföring",
        Found.LABEL,
        "finance",
    )
    assert first.confidence > 0.9
    assert not answer.by_meaning, "it says so when it goes by the letters alone"


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("bogføringshjælp", "bookkeeping"),
        ("I need somebody who can help me with my bookeeping", "bookkeeping"),
        ("fotograferring", "photography"),
        ("weldding", "welding"),
        ("massör", "massage"),
        ("mässor", "trade-fairs"),
        ("C#", "csharp"),
        ("jag söker en pianolärare eller pianolektioner", "piano"),
    ],
)
async def test_misspelt_inflected_and_compound_words_are_found(town: World, text: str, concept: str) -> None:
    answer = await found(town, text)
    assert answer.items[0].id == concept


async def test_two_skills_in_one_sentence_are_both_found(town: World) -> None:
    answer = await found(town, "svetsning och keramik")
    assert {one.id for one in answer.items[:2]} == {"welding", "ceramics"}


@pytest.mark.parametrize(
    "text", ["???", "12345", "asdf qwer zxcv", "hej hej", "\u200b\u200b.", "tack för senast"]
)
async def test_what_is_no_skill_gives_nothing(town: World, text: str) -> None:
    answer = await found(town, text)
    assert not answer.items


async def test_less_likely_ones_are_a_question(town: World) -> None:
    answer = await found(town, "bokförigshjälp")
    assert not answer.items
    assert answer.did_you_mean[0].id == "bookkeeping"
    assert all(one.confidence < 0.5 for one in answer.did_you_mean)
    certain = await found(town, "kodning och svetsning")
    assert all(one.confidence >= 0.5 for one in certain.items)


@pytest.fixture(scope="module")
def letters() -> Result:
    """What is found by letters alone, as the bench measures it."""
    return result(Letters())


def test_letters_alone_find_what_they_found_when_it_was_measured(letters: Result) -> None:
    """Floors a little below what `python -m tests.bench --only skills` shows; to fall below them is a loss."""
    assert len(letters.known) >= 200
    assert accuracy(letters.known, 1) >= 0.50
    assert accuracy(letters.known, 5) >= 0.77
    assert accuracy(letters.foreign, 1) >= 0.28
    assert accuracy(letters.foreign, 5) >= 0.51
    assert answered(letters.nothing) == 0


def test_what_is_tried_is_no_label_and_names_concepts_there_are() -> None:
    labels = {
        fold(label)
        for one in VOCABULARY
        for some in (one.preferred.values(), *one.others.values())
        for label in some
    }
    assert not [one.text for one in phrases() if fold(one.text) in labels]
    assert {concept for one in phrases() for concept in one.right} <= {one.id for one in VOCABULARY}
    assert Counter(one.language for one in phrases()).keys() == {"sv", "da", "en"}


def test_the_section_of_the_bench_says_what_was_found(letters: Result) -> None:
    page = skills_section(Results(ways=[letters]))
    assert all(goal.reached for goal in page.goals)
    assert "`make meaning`" in page.markdown()
    with_meaning = Results(
        ways=[letters, letters], entries=1191, encoded_s=30.0, question_ms=20.0, encoder_mb=60.0
    )
    assert not skills_section(with_meaning).goals[-1].reached, "letters twice are no meaning"


async def test_a_concept_is_shown_with_its_names_and_neighbours(town: World) -> None:
    shown = await town.ask(GetSkill(concept="bookkeeping", language="da"))
    assert (shown.label, shown.origin, shown.kind, shown.reviewed, shown.exact_match) == (
        "bogføring", "foci", "skill", False, None,
    )  # fmt: skip
    assert [one.language for one in shown.labels] == ["da", "en", "sv"]
    assert "keeping the books" in shown.labels[1].alternatives
    assert [one.id for one in shown.broader] == ["finance"]
    assert {"invoicing", "accounting"} & {one.id for one in (*shown.narrower, *shown.related)} == {
        "invoicing",
        "accounting",
    }
    refused = await town.refusal(GetSkill(concept="no-such-thing"))
    assert refused.status == 404
    assert (await town.refusal(GetSkill(concept="bookkeeping"), None)).status == 401
    assert (await town.refusal(FindSkills(text="bookkeeping"), None)).status == 401


class OneLetterEach:
    """Stands in for the encoder where only its place matters: a text is how often it has each letter."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        rows = np.array(
            [[1 + text.count(chr(letter)) for letter in range(97, 123)] for text in texts], dtype=np.float32
        )
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


async def test_vectors_are_made_once_and_again_only_for_what_is_new(world: World, tmp_path: Path) -> None:
    encoder, file = OneLetterEach(), Kept(tmp_path / "vectors")
    vocabulary = Vocabulary(encoder, file)
    keeper = Keeper(world.database, vocabulary)
    assert await vocabulary.near("tygovf", ()) == {}
    await keeper.follow()
    assert vocabulary.knows_meaning
    assert len(encoder.texts) == len(await world.rows("SELECT DISTINCT concept, language FROM label"))
    near = await vocabulary.near("photograph", ("carpentry",))
    assert max(near, key=lambda one: near[one].standing) == "photography"
    assert "carpentry" in near

    again = Vocabulary(encoder, file)
    encoder.texts.clear()
    await Keeper(world.database, again).follow()
    assert again.knows_meaning
    assert encoder.texts == []

    await world.vocabulary({"knitting": {"en": "knitting", "sv": "stickning"}})
    await next_version(world)
    async with world.database.reading() as session:
        shown = await queries.find(session, FindSkills(text="knitting"), again)
    assert shown.by_meaning
    assert again.wanted.is_set(), "who asks notices that there is a newer vocabulary"
    await Keeper(world.database, again).follow()
    assert encoder.texts == ["knitting", "knitting", "stickning"], "the question, and what is new"
    async with world.database.reading() as session:
        shown = await queries.find(session, FindSkills(text="knitting"), again)
    assert shown.items[0].id == "knitting"


async def next_version(world: World) -> None:
    """As if somebody had brought something in."""
    async with world.database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO vocabulary (version) VALUES (1) ON CONFLICT (one) DO UPDATE SET version = vocabulary.version + 1"
            )
        )


async def test_a_file_of_vectors_that_was_cut_off_is_made_again(world: World, tmp_path: Path) -> None:
    encoder = OneLetterEach()
    await Keeper(world.database, Vocabulary(encoder, Kept(tmp_path))).follow()
    (file,) = tmp_path.iterdir()  # noqa: ASYNC240  # one look into a folder of a test's own
    file.write_bytes(file.read_bytes()[:300])
    encoder.texts.clear()
    for made in (True, False):
        await Keeper(world.database, Vocabulary(encoder, Kept(tmp_path))).follow()
        assert bool(encoder.texts) is made
        encoder.texts.clear()


def test_letters_and_meaning_make_each_other_likelier() -> None:
    letters = [Match("a", 0.6, Found.FUZZY, "a"), Match("b", 0.95, Found.LABEL, "b")]
    meaning = {
        "a": Likeness(4.4, "a"),
        "b": Likeness(1.0, "b"),
        "c": Likeness(6.0, "c"),
        "d": Likeness(1.0, "d"),
    }
    ranked = {one.concept: one for one in combined(letters, meaning)}
    assert [*ranked][0:1] == ["b"], "a label that is all of what was said needs no second witness"
    assert ranked["c"].how is Found.MEANING
    assert ranked["c"].confidence > 0.7 > ranked["a"].confidence > 0.5
    assert ranked["d"].confidence < 0.05


def test_a_long_text_is_looked_at_in_part() -> None:
    wording = Wording.of(" ".join(f"word{number}" for number in range(500)))
    assert len(wording.words) == 12
    assert len(wording.spans) <= 200
    assert Wording.of("").words == ()
