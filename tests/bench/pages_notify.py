"""What the measurements of notify are reported as."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.hooks import WEBHOOKS
from tests.bench.notices import CONNECTIONS, DOMAINS, REPLICAS, Floor, Round
from tests.bench.report import Goal, Section, at_most, median, spread, table

GOAL_RATIO = 0.4
MOST_GROWTH = 10.0
"""Per cent, from the tenth part of the notices to all of them."""


def notices_section(rounds: Sequence[Round], floors: Sequence[Floor]) -> Section:
    """Mails a second over those of the SMTP client alone, and what each costs."""
    ratios = _ratios(rounds, floors)
    text = f"""\
{len(rounds)} rounds of {rounds[0].mails} mails in turns with notify's SMTP client alone. *Told*: bookings of distinct people
are stated into the stream BOOKING in batches, as booking's relay does it; {REPLICAS} replicas of notify hear them, ask directory
how each person is reached, freeze each message in PostgreSQL, write the mail in the person's language with its calendar part and
signed links, send it and mark it; as many entries of inboxes come with it and are not counted. Time counts from the first
fact's way into the stream to the acceptance of the last mail. *Alone*: `channels/smtp.py` sends as many of the same mails,
built already. Both over {CONNECTIONS} connections in all to the same mail server, `tests/bench/post.py`: some lines of SMTP that
say 250 when the mail is on disk (a file of its own, fsync). {DOMAINS} domains; rates out of reach, nothing gathers. Booking,
events and their databases' load are left out: the bench states the facts.

{_figures("told, mails/s accepted", "its SMTP client alone, mails/s", rounds, floors, ratios)}

CPU per mail in µs, until all is marked:

{_cpu(rounds)}"""
    goal = _ratio("notices/s, fact to mail server / SMTP client alone", ratios)
    return Section("notices", "Notices a second, from fact to mail server", text, (goal,))


def webhooks_section(rounds: Sequence[Round], floors: Sequence[Floor], at_once: int) -> Section:
    """Webhooks a second over those of the bare HTTP client."""
    ratios = _ratios(rounds, floors)
    text = f"""\
{len(rounds)} rounds of {rounds[0].mails} webhooks in turns with the bare HTTP client. *Notify*: rows that fall due at once, for
{WEBHOOKS} webhooks at one place, are claimed, signed, posted and marked; from the first that is received until all are marked.
*Bare*: httpx2 posts the same bodies. Both {at_once} at once, to the same receiver (`tests/bench/hook_receiver.py`).

{_figures("notify, webhooks/s", "bare HTTP client, webhooks/s", rounds, floors, ratios)}

CPU per webhook in µs, until all is marked:

{_cpu(rounds)}"""
    goal = _ratio("webhooks/s, notify / bare HTTP client", ratios)
    return Section("webhooks", "Webhooks a second", text, (goal,))


def notice_memory_section(resident: Sequence[tuple[int, float]], told: dict[str, int]) -> Section:
    """Resident memory of notify while notices go by."""
    rows = [(f"{notices:,}".replace(",", " "), f"{mb:.1f}") for notices, mb in resident]
    first, last = resident[0][1], resident[-1][1]
    growth = 100 * (last - first) / first
    channels = ", ".join(f"{number} {channel}" for channel, number in sorted(told.items()))
    text = f"""\
Bookings are stated as above; each is two notices, one for the inbox and one by mail, of which nine in ten are dropped because
the person has no address. Messages in the end: {channels}.

{table(("notices", "notify, resident MB"), rows)}"""
    goal = at_most(
        f"memory of notify, growth from {resident[0][0]} to {resident[-1][0]} notices",
        growth,
        MOST_GROWTH,
        " %",
    )
    return Section("notice-memory", "Memory of notify over many notices", text, (goal,))


def _ratios(rounds: Sequence[Round], floors: Sequence[Floor]) -> list[float]:
    return [one.rate / floor.rate for one, floor in zip(rounds, floors, strict=True)]


def _ratio(what: str, ratios: Sequence[float]) -> Goal:
    found = median(ratios)
    return Goal(what, f"≥ {GOAL_RATIO}", f"{found:.2f}", found >= GOAL_RATIO)


def _figures(
    whole: str, alone: str, rounds: Sequence[Round], floors: Sequence[Floor], ratios: Sequence[float]
) -> str:
    rows = [
        (whole, spread([one.rate for one in rounds])),
        (alone, spread([one.rate for one in floors])),
        ("**ratio**, of the same minute", spread(ratios, "{:.2f}")),
        ("marked after the last one, s", spread([one.settled_s for one in rounds], "{:.2f}")),
    ]
    return table(("", "median (least to most)"), rows)


def _cpu(rounds: Sequence[Round]) -> str:
    rows = [(name, spread([one.cpu_us()[name] for one in rounds])) for name in rounds[0].cpu_s]
    rows.append(("**together**", spread([sum(one.cpu_us().values()) for one in rounds])))
    return table(("process", "median (least to most)"), rows)
