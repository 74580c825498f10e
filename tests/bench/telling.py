"""The measurements of notify, each on a stack of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.notify.senders.webhooks import PER_PLACE
from tests.bench import hooks, notices
from tests.bench.pages_notify import notice_memory_section, notices_section, webhooks_section
from tests.bench.report import Say, Section

EVERY = 10
"""Of the people in the measurement of memory, every so many has an address."""
STEPS = 10


@dataclass(frozen=True)
class Size:
    """How many rounds, how many mails and webhooks in one, how many notices to see memory stay flat over."""

    rounds: int
    mails: int
    webhooks: int
    notices: int


FULL = Size(rounds=5, mails=16_000, webhooks=8000, notices=1_000_000)
QUICK = Size(rounds=2, mails=300, webhooks=400, notices=4000)


def told(folder: Path, size: Size, say: Say) -> Section:
    """Notices a second."""
    say("starting the stack for notices")
    rounds, floors = [], []
    with notices.telling(_own(folder, "told"), people=size.mails, replicas=notices.REPLICAS) as telling:
        telling.run(max(size.mails // 4, 1))
        for number in range(1, size.rounds + 1):
            rounds.append(telling.run(size.mails))
            floors.append(telling.alone(size.mails, folder / "kept"))
            cpu = sum(rounds[-1].cpu_us().values())
            say(
                f"round {number} of {size.rounds}: told {rounds[-1].rate:.0f}/s, SMTP client alone {floors[-1].rate:.0f}/s, "
                f"CPU {cpu:.0f} µs a mail"
            )
    return notices_section(rounds, floors)


def hooked(folder: Path, size: Size, say: Say) -> Section:
    """Webhooks a second."""
    say("starting the stack for webhooks")
    rounds, floors = [], []
    with hooks.posting(_own(folder, "hooked")) as posting:
        posting.run(max(size.webhooks // 4, 1))
        for number in range(1, size.rounds + 1):
            rounds.append(posting.run(size.webhooks))
            floors.append(posting.alone(size.webhooks))
            say(
                f"round {number} of {size.rounds}: notify {rounds[-1].rate:.0f}/s, bare client {floors[-1].rate:.0f}/s"
            )
    return webhooks_section(rounds, floors, PER_PLACE)


def remembered(folder: Path, size: Size, say: Say) -> Section:
    """Memory over many notices."""
    say(f"starting the stack for {size.notices} notices")
    part = size.notices // STEPS
    resident: list[tuple[int, float]] = []
    with notices.telling(_own(folder, "many"), people=min(part // 2, 20_000), every=EVERY) as telling:
        for step in range(1, STEPS + 1):
            telling.state(part // 2)
            resident.append((step * part, telling.resident_mb))
            say(f"{step * part} notices: {resident[-1][1]:.1f} MB")
        messages = telling.told()
    return notice_memory_section(resident, messages)


def _own(folder: Path, name: str) -> Path:
    """A stack's folder, beside which its other processes keep their files."""
    own = folder / name
    own.mkdir()
    return own / "home"
