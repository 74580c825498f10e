"""`foci import skills`: ESCO's files come in as they are, twice is once, and a broken file changes nothing."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import BaseModel
from rich.console import Console
from typer.testing import CliRunner

from services.cli.app import app
from services.cli.import_skills import LARGEST_REQUEST, _fitting, _read, carry_out
from services.cli.skills.esco import BrokenFileError, Left, look, read_links, read_skills
from shared.contracts.base import Request
from shared.contracts.matching.facts import ConceptsChangedV1
from shared.contracts.matching.skills import (
    FindSkills,
    GetSkill,
    ImportCount,
    ImportedSkill,
    ImportSkills,
    SkillKind,
)
from tests.cli.esco import (
    BROADER_COLUMNS,
    SKILL_COLUMNS,
    concept,
    large_set,
    skill,
    small_set,
    uri,
    write,
)
from tests.connections import Connections
from tests.matching.test_vocabulary import bring_in
from tests.matching.world import World, make_world
from tests.servers import Databases


@pytest.fixture(scope="module")
def matching_database(postgres: str) -> Iterator[str]:
    """One migrated database for these stories."""
    databases = Databases(postgres)
    yield databases.fresh("matching")
    databases.drop()


@pytest_asyncio.fixture
async def world(connections: Connections, matching_database: str) -> AsyncIterator[World]:
    """A matching service that has heard of nothing."""
    engine = await connections.emptied(matching_database)
    async with make_world(matching_database, engine=engine) as made:
        yield made


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Six invented skills."""
    return small_set(tmp_path)


async def brought_in(world: World, folder: Path) -> dict[str, ImportCount]:
    """What the command does, without the bus between."""
    found = look(folder)
    known, links = _read(found, Left())

    async def send(request: Request) -> BaseModel:  # type: ignore[type-arg]
        assert len(request.model_dump_json().encode()) < 1_000_000
        view: BaseModel = await world.ask(request, None)
        return view

    counts, _ = await carry_out(send, found, sorted(known), links, Console(file=io.StringIO()))
    return counts


def run(folder: Path, *words: str) -> tuple[int, str]:
    """The command as it is typed; nothing runs, so whatever reaches for the bus ends with 1."""
    result = CliRunner().invoke(app, ["import", "skills", str(folder), *words])
    return result.exit_code, " ".join(result.output.split())


async def test_the_files_come_in_as_concepts_with_names_and_neighbours(world: World, files: Path) -> None:
    await bring_in(world)
    counts = await brought_in(world, files)
    assert (counts["en"].added, counts["sv"].added, counts["sv"].changed) == (5, 0, 5)
    painting = await world.ask(GetSkill(concept=concept(1), language="sv"))
    assert (painting.label, painting.origin, painting.kind, painting.reviewed) == (
        "måla fyrar",
        "esco",
        "skill",
        False,
    )
    names = {one.language: (one.preferred, one.alternatives) for one in painting.labels}
    assert names == {
        "en": ("paint lighthouses", ("coat lighthouses", "lighthouse painting")),
        "sv": ("måla fyrar", ("fyrmålning", "måla en fyr")),
    }
    assert [one.id for one in painting.broader] == [concept(2)]
    keeping = await world.ask(GetSkill(concept=concept(2)))
    assert (keeping.kind, [one.id for one in keeping.narrower]) == (SkillKind.KNOWLEDGE, [concept(1)])
    assert [one.id for one in keeping.related] == [concept(1), concept(6)]
    refused = await world.refusal(GetSkill(concept=concept(5)))
    assert refused.status == 404, "a draft is not taken over"


async def test_what_we_have_already_is_shown_as_ours(world: World, files: Path) -> None:
    await bring_in(world)
    await brought_in(world, files)
    ours = await world.ask(GetSkill(concept="bookkeeping"))
    assert ours.exact_match == uri(4), "the same name in two languages is no accident"
    found = await world.ask(FindSkills(text="bokföring"))
    assert [one.id for one in found.items if one.confidence > 0.9] == ["bookkeeping"]
    theirs = await world.ask(FindSkills(text="fyrmålning", language="en"))
    assert (theirs.items[0].id, theirs.items[0].label) == (concept(1), "paint lighthouses")


async def everything(world: World) -> list[Sequence[Any]]:
    """Every row of the vocabulary with the transaction that wrote it."""
    order = {"concept": "id", "label": "concept, language, kind, folded", "relation": "concept, kind, other"}
    return [
        await world.rows(f"SELECT xmin::text, * FROM {table} ORDER BY {columns}")  # names of tables
        for table, columns in order.items()
    ]


async def test_a_second_run_writes_nothing_and_tells_nobody(world: World, files: Path) -> None:
    await brought_in(world, files)
    before = await everything(world)
    counts = await brought_in(world, files)
    assert {(count.added, count.changed, count.retired) for count in counts.values()} == {(0, 0, 0)}
    after = await everything(world)
    assert before == after
    assert len(await world.facts(ConceptsChangedV1)) == 1


async def test_a_changed_file_changes_what_is_other_and_retires_what_is_gone(
    world: World, files: Path
) -> None:
    await brought_in(world, files)
    file = files / "sv" / "skills_sv.csv"
    file.write_text(file.read_text("utf-8").replace("vissla på sälar", "vissla efter sälar"), "utf-8")
    for language in ("en", "sv"):
        path = files / language / f"skills_{language}.csv"
        kept = [
            row for row in path.read_text("utf-8").split("KnowledgeSkillCompetence,") if uri(6) not in row
        ]
        path.write_text("KnowledgeSkillCompetence,".join(kept), "utf-8")
    counts = await brought_in(world, files)
    assert (counts["en"].changed, counts["sv"].changed, counts["neighbours"].retired) == (0, 1, 1)
    assert (await world.ask(GetSkill(concept=concept(3), language="sv"))).label == "vissla efter sälar"
    assert (await world.ask(GetSkill(concept=concept(6)))).label, "kept, as somebody may offer it"
    (row,) = await world.rows("SELECT count(*) AS found FROM concept WHERE NOT active")
    assert row.found == 1
    assert len(await world.facts(ConceptsChangedV1)) == 2


async def test_an_import_that_ended_half_way_goes_on_when_run_again(world: World, files: Path) -> None:
    found = look(files)
    known, links = _read(found, Left())

    async def send(request: Request) -> BaseModel:  # type: ignore[type-arg]
        if isinstance(request, ImportSkills) and request.language == "sv":
            raise ConnectionError
        view: BaseModel = await world.ask(request, None)
        return view

    with pytest.raises(ConnectionError):
        await carry_out(send, found, sorted(known), links, Console(file=io.StringIO()))
    assert not await world.facts(), "nobody is told of half a vocabulary"
    counts = await brought_in(world, files)
    assert (counts["en"].same, counts["sv"].changed) == (5, 5)
    assert len(await world.facts(ConceptsChangedV1)) == 1


Break = Callable[[Path], object]
_CELL = '"half a cell\n'


def _edited(old: str, new: str) -> Break:
    def edit(file: Path) -> None:
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), "utf-8")

    return edit


@pytest.mark.parametrize(
    ("spoil", "line", "said"),
    [
        (_edited("preferredLabel", "name"), 1, "no column preferredLabel"),
        (_edited("conceptUri", "uri"), 1, "no column conceptUri"),
        (lambda file: file.write_bytes(file.read_text("utf-8").encode("utf-16")), 1, "UTF-16"),
        (
            lambda file: file.write_text(file.read_text("utf-8"), "iso-8859-1", "replace"),
            4,
            "not UTF-8 at byte",
        ),
        (
            lambda file: file.write_text(file.read_text("utf-8").replace(",", ";"), "utf-8"),
            1,
            "separated by commas",
        ),
        (lambda file: file.write_bytes(b""), 1, "empty"),
        (lambda file: file.write_bytes(b"PK\x03\x04"), 1, "ZIP"),
        (_edited("skill/competence", "talent"), 2, "skillType 'talent'"),
        (_edited("måla fyrar,", ","), 4, "preferredLabel is empty"),
        (_edited(uri(3), "http://example.org/3"), 8, "is no skill of ESCO's"),
        (_edited(uri(3), uri(2)), 8, "comes a second time"),
        (_edited("fyrvaktande,", "fyrvaktande,,"), 6, "14 cells where the top line names 13"),
        (_edited("fyrvaktande", "fyr\x07vaktande"), 6, "control characters"),
        (lambda file: file.write_text(file.read_text("utf-8") + _CELL, "utf-8"), 12, "not readable as CSV"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_file_is_refused_by_name_and_line(files: Path, spoil: Break, line: int, said: str) -> None:
    file = files / "sv" / "skills_sv.csv"
    spoil(file)
    code, output = run(files)
    assert code == 2, output
    assert said in output
    assert f"skills_sv.csv, line {line}:" in output
    assert output.endswith("Nothing was imported.")
    assert "ESCO's download" in output, "it says what to do"


def test_broken_relations_stop_everything_too(files: Path) -> None:
    file = files / "en" / "broaderRelationsSkillPillar_en.csv"
    _edited(uri(2), "lighthouses")(file)
    code, output = run(files)
    assert code == 2
    assert (
        "broaderRelationsSkillPillar_en.csv, line 2: broaderUri 'lighthouses' is no URI of ESCO's" in output
    )


def test_a_folder_without_skills_is_refused(tmp_path: Path) -> None:
    code, output = run(tmp_path)
    assert code == 2
    assert "holds no skills_<language>.csv" in output
    code, output = run(small_set(tmp_path), "--language", "fi")
    assert code == 2
    assert "no skills_fi.csv" in output


def test_a_dry_run_reads_everything_and_sends_nothing(files: Path) -> None:
    code, output = run(files, "--dry-run")
    assert code == 0
    assert "5 skills in en, sv" in output
    assert "1 unreleased skills" in output
    assert "1 labels that are too long" in output


def test_parts_fit_the_bus_however_many_names_there_are() -> None:
    long = ImportedSkill(
        concept=concept(1),
        kind=SkillKind.SKILL,
        preferred="a",
        alternatives=tuple(f"{n:03}" + "å" * 190 for n in range(300)),
    )
    parts = list(_fitting(iter([long] * 20)))
    assert sum(len(part) for part in parts) == 20
    sizes = [len(ImportSkills(language="sv", items=tuple(part)).model_dump_json().encode()) for part in parts]
    assert max(sizes) < 1_000_000
    assert len(parts) < 20, "as many in one part as it carries"
    assert LARGEST_REQUEST * 2 < 1_000_000


def test_a_file_as_large_as_escos_is_read_row_by_row(tmp_path: Path) -> None:
    files = look(large_set(tmp_path, 14_000))
    assert files.skills["en"].stat().st_size > 4_500_000
    known = set()
    for one in read_skills(files.skills["en"], Left()):
        known.add(one.concept)
        if len(known) == 12_000:  # what the last ones take, every earlier one has taken
            tracemalloc.start()
    growth = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(known) == 14_000
    assert growth < 2_000_000, "the ids that are known, and one row"
    assert files.broader is not None
    links = read_links(files, known, Left())
    assert links.of(concept(25)).broader == (concept(2),)


def test_a_broken_row_is_named_by_the_line_it_begins_in(tmp_path: Path) -> None:
    file = write(tmp_path / "broader.csv", BROADER_COLUMNS, [])
    assert look(small_set(tmp_path)).related is not None
    with pytest.raises(BrokenFileError, match=r"broader\.csv, line 1: there is no column skillType"):
        list(read_skills(file, Left()))
    odd = write(
        tmp_path / "odd.csv", SKILL_COLUMNS, [skill(1, "fine"), skill(2, "fine too", skillType="odd")]
    )
    with pytest.raises(BrokenFileError, match="line 4"):
        list(read_skills(odd, Left()))
