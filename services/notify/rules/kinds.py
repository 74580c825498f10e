"""Kinds of notice: what Foci does when nobody has chosen, and what can be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from services.notify.rules.refusals import AlwaysSent, PaceNotPossible
from shared.contracts.notify.words import ALWAYS, Channel, NoticeKind, Pace

QUIET_START, QUIET_END = time(21, 0), time(7, 0)
DIGEST_AT = time(7, 30)
REMIND_MINUTES = 1440

EVERYWHERE = ""
"""Stands for every hub where a hub's slug would stand."""

Choices = Mapping[tuple[str, NoticeKind, Channel], Pace]
"""What one person has chosen, by hub (EVERYWHERE for all), kind and channel."""

DEFAULTS: Mapping[tuple[NoticeKind, Channel], Pace] = {
    **{(kind, channel): Pace.NOW for kind in NoticeKind for channel in Channel},
    (NoticeKind.PROGRAMME, Channel.EMAIL): Pace.WEEKLY,
    (NoticeKind.PROGRAMME, Channel.INBOX): Pace.OFF,
}
"""When somebody hears who has chosen nothing."""

_NOW_OR_NEVER = frozenset({Pace.NOW, Pace.OFF})
_TOO_LATE_LATER = frozenset({NoticeKind.OFFER, NoticeKind.REMINDER})


def allowed(kind: NoticeKind, channel: Channel) -> frozenset[Pace]:
    """The paces a kind can come at: an inbox is looked at when one likes, and what has a deadline cannot wait."""
    if kind in ALWAYS:
        return frozenset({Pace.NOW})
    if channel is Channel.INBOX or kind in _TOO_LATE_LATER:
        return _NOW_OR_NEVER
    return frozenset(Pace)


ALLOWED: Mapping[tuple[NoticeKind, Channel], frozenset[Pace]] = {
    (kind, channel): allowed(kind, channel) for kind in NoticeKind for channel in Channel
}

CHOOSABLE = tuple(kind for kind in NoticeKind if kind not in ALWAYS)


def check(kind: NoticeKind, channel: Channel, pace: Pace | None) -> None:
    """Refuse what cannot be chosen; None, back to the default, always can for what can be chosen at all."""
    if kind in ALWAYS:
        raise AlwaysSent(f"{kind} is always sent, at once: it is about what you count on.", field="kind")
    if pace is not None and pace not in ALLOWED[kind, channel]:
        possible = [one.value for one in Pace if one in ALLOWED[kind, channel]]
        raise PaceNotPossible(
            f"{kind} over {channel} comes {' or '.join(possible)}, not {pace}.",
            field="when",
            possible=possible,
        )


def resolve(choices: Choices, hub: str, kind: NoticeKind, channel: Channel) -> Pace:
    """When somebody hears: as chosen for the hub, else for every hub, else by default; what is always sent is sent now."""
    if kind in ALWAYS:
        return Pace.NOW
    for where in (hub, EVERYWHERE):
        chosen = choices.get((where, kind, channel))
        if chosen is not None:
            return chosen
    return DEFAULTS[kind, channel]
