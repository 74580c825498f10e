"""The account: who must be told what, when they may be and when they must have been; kept from facts, choices and the clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.notify.anything.chapters import Chapter
from tests.notify.anything.hearing import Hearing, Key
from tests.notify.anything.somebody import ALWAYS, KIND

BACK_OFF = timedelta(minutes=16)
"""What a dead process or a mail server has held up is tried again within this."""
ITEM = ("about", "thing", "news", "kind")


class Wrong(AssertionError):
    """What the service did is not what the account says."""


@dataclass
class Mail:
    """A message as first seen."""

    id: UUID
    who: UUID
    channel: str
    made_at: datetime
    items: tuple[tuple[str, UUID, str, str], ...]
    refused: bool = False
    """Not sent after all: it must never arrive."""

    @property
    def is_urgent(self) -> bool:
        """Whether it may come in the night."""
        return any(kind in ALWAYS for *_, kind in self.items)


@dataclass
class Account(Hearing):
    """What the service says and sends is put before this: `made`, `unmade`, `arrived`, `at_rest`."""

    mails: dict[UUID, Mail] = field(default_factory=dict)
    arrivals: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    held_up: datetime | None = None
    """When something went wrong last that was not the service's fault."""
    _digests: dict[tuple[UUID, str], list[tuple[UUID, datetime]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    # --- what the service does ---

    def made(self, row: Any) -> None:
        """A message has been frozen: each of its items must be due to be told, and true."""
        items = tuple((one["about"], UUID(one["thing"]), one["news"], one["kind"]) for one in row.items)
        mail = self.mails[row.id] = Mail(row.id, row.person, row.channel, row.created_at, items)
        for one, (about, thing, news, kind) in zip(row.items, items, strict=True):
            chapter = self.chapters.get((row.person, about, thing, row.channel))
            if chapter is None:
                raise Wrong(f"{news} of {about} is told to somebody it does not concern")
            self._check_item(chapter, mail, news, kind, one["now"])
            chapter.tell(mail.id, news)
        if row.channel == "email":
            self._check_pace(mail)

    def _check_item(self, chapter: Chapter, mail: Mail, news: str, kind: str, says: dict[str, Any]) -> None:
        who, at = chapter.who, mail.made_at
        if who.left_at is not None and chapter.first <= who.left_at:
            raise Wrong(f"{news} is told to {who.name}, who has left")
        if who.pace(kind) == "off" and mail.channel == "email":
            raise Wrong(f"{news} is told to {who.name}, who wants nothing of the kind")
        truth = chapter.is_now()
        for part in ("status", "start", "hidden"):
            said = (
                datetime.fromisoformat(says["start"])
                if part == "start" and "start" in says
                else says.get(part)
            )
            if part in truth and part in says and said != truth[part]:
                raise Wrong(f"{news} says to {who.name} that {part} is {said}, and it is {truth[part]}")
        if chapter.is_muted or not who.here:
            return
        expected = chapter.expected(at)
        if expected != (news, kind) and not (chapter.may_also(news) and kind in (KIND[news], "safety")):
            raise Wrong(
                f"{news} ({kind}) of {chapter.about} is told to {who.name} by {mail.channel}, not {expected}"
            )

    def _check_pace(self, mail: Mail) -> None:
        """A digest comes with a moment for it, and only one with each."""
        who = self.people[mail.who]
        for pace in {who.pace(kind) for *_, kind in mail.items} & {"daily", "weekly"}:
            before = self._digests[who.id, pace]
            moment = who.next_digest(before[-1][1] if before else self.begun, pace)
            if moment > mail.made_at:
                raise Wrong(f"{pace} news comes to {who.name} at {mail.made_at}, before {moment}")
            before.append((mail.id, mail.made_at))

    def unmade(self, message: UUID) -> None:
        """A message is there no more: the mail server had not taken it."""
        mail = self.mails[message]
        mail.refused = True
        if self.people[mail.who].erased:
            return
        for about, thing, _, _ in mail.items:
            self.chapters[mail.who, about, thing, mail.channel].untell(message)
        for (who, _), digests in self._digests.items():
            if who == mail.who:
                digests[:] = [one for one in digests if one[0] != message]

    def arrived(self, message: UUID, now: datetime) -> None:
        """The mail server has taken it."""
        mail, who = self.mails[message], self.people[self.mails[message].who]
        self.arrivals[message] += 1
        if who.erased:
            raise Wrong(f"{who.name} was erased, and is mailed to")
        if who.left_at is not None and mail.made_at <= who.left_at:
            raise Wrong(f"{who.name} has left, and is mailed to")
        if not mail.is_urgent and who.is_quiet(now):
            raise Wrong(f"{who.name} is mailed to in their quiet hours")

    def at_rest(self, rows: Iterable[Any], now: datetime) -> None:
        """Nothing more is to be done now, and nothing has gone wrong lately: nobody may be waiting for news."""
        if self.held_up is not None and now < self.held_up + BACK_OFF:
            return
        on_their_way: set[Key] = set()
        for row in rows:
            self._check_sent(row, now)
            if row.sent_at is None and row.failed_at is None:
                mail = self.mails[row.id]
                on_their_way |= {(mail.who, about, thing, mail.channel) for about, thing, _, _ in mail.items}
        for key, chapter in self.chapters.items():
            if key in on_their_way:
                chapter.ripe = None  # what came after it is looked at when it has arrived
            elif chapter.who.here and not chapter.is_muted:
                self._check_told(chapter, now)

    def _check_sent(self, row: Any, now: datetime) -> None:
        who = self.people[row.person]
        if row.sent_at is not None:
            if row.channel == "email" and not self.arrivals[row.id]:
                raise Wrong(f"a mail to {who.name} is said to be sent, and has not arrived")
        elif who.here and not who.muted and not who.may_be_put_off(now):
            raise Wrong(f"a mail to {who.name} made at {row.created_at} has not been sent: {row.problem}")

    def _check_told(self, chapter: Chapter, now: datetime) -> None:
        if not chapter.is_ripe(now):
            return
        expected = chapter.expected(now)
        if expected is None:
            chapter.judged()
            return
        chapter.ripe = chapter.ripe or now
        if self._must_be_told(chapter, expected[1], now):
            raise Wrong(
                f"{chapter.who.name} has not been told {expected} of {chapter.about} by {chapter.channel}"
            )

    @staticmethod
    def _must_be_told(chapter: Chapter, kind: str, now: datetime) -> bool:
        who, pace = chapter.who, chapter.who.pace(kind)
        if chapter.channel == "inbox" or kind in ALWAYS:
            return True
        if who.is_quiet(now) or chapter.ripe is None:
            return False
        return pace == "now" or who.next_digest(chapter.ripe, pace) <= now

    def hindered(self, now: datetime) -> None:
        """A process died, or the mail server was in a mood."""
        self.held_up = now
        for chapter in self.chapters.values():
            chapter.ripe = None

    # --- what people choose ---

    def chooses(self, who: UUID, kind: str, pace: str) -> None:
        """Somebody wants mail of a kind at another pace."""
        person = self.people[who]
        person.paces[kind] = pace
        if pace == "off":
            person.muted.add(kind)
        self._judged_anew(who)

    def sleeps(self, who: UUID, quiet: Any, now: datetime) -> None:
        """Somebody sleeps at other hours."""
        self.people[who].quiet, self.people[who].chose_hours_at = quiet, now
        self._judged_anew(who)

    def _judged_anew(self, who: UUID) -> None:
        for chapter in self._of(who):
            chapter.ripe = None

    def _of(self, who: UUID) -> Iterator[Chapter]:
        return (chapter for chapter in self.chapters.values() if chapter.who.id == who)
