"""Requests in: one short function per operation, which calls a command or a query; put together here."""

from __future__ import annotations

from typing import Any

from services.matching.commands.introductions import TERMS, Terms
from services.matching.index.vocabulary import Vocabulary
from services.matching.queries.export import EXPORTED
from services.matching.rpc import gaps, introductions, matches, members, outcomes, profiles, skills
from shared.contracts.base import Request
from shared.contracts.exporting import ExportMyMatching
from shared.kit.exporting import exports
from shared.kit.ids import Ids
from shared.kit.rpc import Handler


def handlers(
    ids: Ids, terms: Terms = TERMS, vocabulary: Vocabulary | None = None
) -> dict[type[Request[Any]], Handler]:
    """Everything matching answers."""
    return {
        **profiles.handlers(ids),
        **introductions.handlers(ids, terms),
        **members.handlers(),
        **matches.handlers(ids),
        **gaps.handlers(),
        **outcomes.handlers(),
        **exports(ExportMyMatching, EXPORTED),
        **skills.handlers(ids, vocabulary or Vocabulary()),
    }
