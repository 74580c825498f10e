"""Text that people have given, made harmless where it enters a message: one line, nothing hidden, nothing steering."""

from __future__ import annotations

import re

LONGEST = 200

# Controls, lone surrogates, line and paragraph separators, and the marks that turn the direction of text around:
# what comes here has been checked where it came in; a mail is the last place where a gap there could do harm.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)


def one_line(text: str) -> str:
    """The text in one line of at most LONGEST characters; what cannot be seen becomes U+FFFD."""
    if text.isprintable() and len(text) <= LONGEST and "  " not in text and text == text.strip(" "):
        return (
            text  # as nearly all are, found out in a tenth of the time: nothing printable is replaced below
        )
    line = " ".join(_UNSEEN.sub("\ufffd", text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"
