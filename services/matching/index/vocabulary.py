"""Keeping a replica's vocabulary like the table: labels at once, their meaning in a thread of its own meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.index.encoder import Encoder, Kept
from services.matching.rules.finding import Candidate, Likeness
from services.matching.rules.lexicon import Lexicon
from services.matching.rules.meaning import Entry, Space
from shared.kit.database import Database
from shared.kit.errors import is_passing
from shared.kit.telemetry import logger

log = logger(__name__)

LOOK_EVERY_S = 60.0
_VERSION = text("SELECT coalesce(max(version), 0) FROM vocabulary")
_AT_ONCE = 20_000
"""Labels a statement reads: two hundred thousand at once may take longer than a statement is given."""
_LABELS = text("""
    SELECT l.concept, l.language, l.kind, l.folded, l.label, c.origin <> 'esco' AS own
    FROM label l JOIN concept c ON c.id = l.concept
    WHERE c.active AND (l.concept, l.language, l.kind, l.folded) > (:concept, :language, :kind, :folded)
    ORDER BY l.concept, l.language, l.kind, l.folded LIMIT :most
""")


async def version_of(session: AsyncSession) -> int:
    """Which vocabulary is in the table."""
    version: int = (await session.execute(_VERSION)).scalar_one()
    return version


async def _labels(session: AsyncSession) -> AsyncIterator[Any]:
    """Every label of an active concept, a concept's side by side."""
    after = {"concept": "", "language": "", "kind": "", "folded": ""}
    while True:
        rows = (await session.execute(_LABELS, {**after, "most": _AT_ONCE})).all()
        for row in rows:
            yield row
        if len(rows) < _AT_ONCE:
            return
        after = {name: getattr(rows[-1], name) for name in after}


def _arranged(rows: Sequence[Any]) -> tuple[Lexicon, list[Entry]]:
    """The labels by their letters, and each concept's of a language together, the preferred one first."""
    lexicon = Lexicon([Candidate(row.concept, row.kind, row.label, row.folded, row.own) for row in rows])
    entries = []
    for (concept, _, own), some in groupby(rows, key=lambda row: (row.concept, row.language, row.own)):
        named = sorted((row.kind != "preferred", row.label) for row in some if row.kind != "hidden")
        if named:
            entries.append(Entry(concept, tuple(label for _, label in named), own))
    return lexicon, entries


class Vocabulary:
    """Labels by their letters, and, with an encoder, by what they mean."""

    def __init__(self, encoder: Encoder | None = None, kept: Kept | None = None) -> None:
        self.encoder = encoder
        self._kept = kept or Kept(None)
        self._lexicon: tuple[int, Lexicon] | None = None
        self._entries: list[Entry] = []
        self._space: tuple[int, Space] | None = None
        self.wanted = asyncio.Event()
        """Somebody has seen a vocabulary that is not the one here."""
        self.stopping = False

    @property
    def knows_meaning(self) -> bool:
        """Whether concepts are found by meaning too."""
        return self._space is not None

    async def lexicon(self, session: AsyncSession) -> Lexicon:
        """The labels; the first who asks waits for them, later ones get what is there while a newer one is read."""
        if self._lexicon is None:
            return await self.follow_labels(session)
        version, lexicon = self._lexicon
        if await version_of(session) != version:
            self.wanted.set()
        return lexicon

    async def follow_labels(self, session: AsyncSession) -> Lexicon:
        """Read the labels anew, if they are others."""
        version = await version_of(session)
        if self._lexicon is None or self._lexicon[0] != version:
            rows = [row async for row in _labels(session)]
            await session.rollback()  # what follows may take seconds, and a transaction is given five
            lexicon, self._entries = await asyncio.to_thread(_arranged, rows)
            self._lexicon = (version, lexicon)
        return self._lexicon[1]

    async def follow_meaning(self) -> None:
        """Make the vectors that are missing; without an encoder there are none."""
        encoder = self.encoder
        if encoder is None or self._lexicon is None:
            return
        version, entries = self._lexicon[0], self._entries
        if self._space is not None and self._space[0] == version:
            return
        space = await asyncio.to_thread(self._made, entries, encoder)
        if space is not None:
            self._space = (version, space)
            log.info("skills are found by meaning too", concepts=len(space), vocabulary=version)

    def _made(self, entries: list[Entry], encoder: Encoder) -> Space | None:
        texts = [one.text for one in entries]
        vectors = self._kept.encoded(texts, encoder, going_on=lambda: not self.stopping)
        return None if vectors is None else Space(entries, vectors)

    async def near(self, words: str, also: Collection[str]) -> dict[str, Likeness]:
        """How the likeliest concepts, and those of `also`, mean these words; empty while there are no vectors."""
        if self._space is None or self.encoder is None:
            return {}
        # Some milliseconds of C that let go of Python: others are answered meanwhile.
        vectors = await asyncio.to_thread(self.encoder.encode, [words])
        return self._space[1].near(vectors[0], also)


class Keeper:
    """Follows the table for as long as the service lives; the first who meets a newer vocabulary wakes it."""

    def __init__(self, database: Database, vocabulary: Vocabulary) -> None:
        self._database = database
        self._vocabulary = vocabulary

    def kick(self) -> None:
        """Nothing to do: the vocabulary changes seldom, and whoever asks notices."""

    async def stop(self) -> None:
        """Begin no further batch of vectors."""
        self._vocabulary.stopping = True

    async def run(self) -> None:
        """Follow for ever; without the encoder say so once."""
        if self._vocabulary.encoder is None:
            log.info("skills are found by their letters only: no extra `meaning`, or no MATCHING_VECTORS")
        while True:
            self._vocabulary.wanted.clear()
            try:
                await self.follow()
            except Exception as error:  # noqa: BLE001  # what is in memory goes on answering, and the next look may succeed
                log.warning("vocabulary not followed", error=error, passing=is_passing(error))
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._vocabulary.wanted.wait()
            except TimeoutError:
                continue

    async def follow(self) -> None:
        """Labels, then what they mean."""
        async with self._database.reading() as session:
            await self._vocabulary.follow_labels(session)
        await self._vocabulary.follow_meaning()
