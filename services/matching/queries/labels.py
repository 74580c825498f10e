"""What a concept is called in a reader's language, as a part of other statements."""

from __future__ import annotations

LANGUAGES = ("en", "sv", "da")
"""Where the reader's own language has no word, the first of these that has one is taken."""


def label_of(concept: str, language: str = ":language") -> str:
    """An SQL expression: the preferred label of `concept` for a reader of `language` (`sv`, `en-GB`, null), or its id.

    Both are SQL: columns, parameters or casts, never what somebody has sent.
    """
    ranks = " ".join(f"WHEN '{one}' THEN {place}" for place, one in enumerate(LANGUAGES, start=2))
    return f"""coalesce((
        SELECT l.label FROM label l WHERE l.concept = {concept} AND l.kind = 'preferred'
        ORDER BY CASE l.language WHEN CAST({language} AS text) THEN 0 WHEN split_part(CAST({language} AS text), '-', 1) THEN 1
                 {ranks} ELSE 9 END, l.language
        LIMIT 1), {concept})"""  # noqa: S608  # constants and columns
