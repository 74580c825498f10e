"""How an introduction goes: who may say what when, and how it stands for those it is shown to."""

from __future__ import annotations

from datetime import timedelta

from services.matching.rules.refusals import IntroductionOver, IntroductionState
from shared.contracts.matching.introductions import Standing
from shared.contracts.matching.words import IntroductionStatus, Outcome, Reply

WAITING = frozenset({IntroductionStatus.SUGGESTED, IntroductionStatus.AGREED})
"""Ends when the two may not see each other any more."""
OPEN = frozenset({*WAITING, IntroductionStatus.MET})
"""A pair has at most one of these."""
NAMED = frozenset({IntroductionStatus.AGREED, IntroductionStatus.MET, IntroductionStatus.CLOSED})
"""Both have said yes."""
OVER = frozenset({IntroductionStatus.DECLINED, IntroductionStatus.LAPSED, IntroductionStatus.WITHDRAWN})

NOT_AGAIN_FOR = timedelta(days=90)
"""So long after an introduction was suggested that did not come about the two are not asked again.

However it ended: if a no counted for longer than silence, asking again would tell them apart.
"""
SENTENCE = "The introduction did not come about."


def standing(status: IntroductionStatus, *, seen: bool) -> Standing:
    """How it stands for one of the two; `seen` is whether they may be shown the other now.

    Before the row says so: who has taken a consent back is gone at once.
    """
    if status in OVER or (status in WAITING and not seen):
        return Standing.OVER
    return Standing(status.value)


def after_reply(
    status: IntroductionStatus, mine: Reply | None, theirs: Reply | None, reply: Reply
) -> IntroductionStatus:
    """What becomes of it when one of the two answers.

    A yes may become a no until both have said yes. A no to what is over changes nothing, and does not tell why it is;
    a yes to it comes too late. Raises IntroductionOver and IntroductionState.
    """
    if status in OVER:
        if reply is Reply.NO:
            return status
        raise IntroductionOver(SENTENCE)
    if status is not IntroductionStatus.SUGGESTED:
        if reply is mine:
            return status
        raise IntroductionState("Both have said yes already. If you do not want to meet, tell each other.")
    if reply is Reply.NO:
        return IntroductionStatus.DECLINED
    return IntroductionStatus.AGREED if theirs is Reply.YES else status


def after_meeting(status: IntroductionStatus) -> IntroductionStatus:
    """What becomes of it when one of the two says that they have met."""
    if status in OVER:
        raise IntroductionOver(SENTENCE)
    if status is IntroductionStatus.SUGGESTED:
        raise IntroductionState("Both must say yes first.")
    return IntroductionStatus.MET if status is IntroductionStatus.AGREED else status


def after_outcome(status: IntroductionStatus, outcome: Outcome) -> tuple[IntroductionStatus, bool]:
    """What becomes of it when one of the two says what came of it, and whether that says they have met, too."""
    if status in OVER:
        raise IntroductionOver(SENTENCE)
    if status is IntroductionStatus.SUGGESTED:
        raise IntroductionState("Both must say yes first.")
    # Nothing can also come of never having met.
    met = status is IntroductionStatus.AGREED and outcome is not Outcome.NOTHING
    return IntroductionStatus.CLOSED, met
