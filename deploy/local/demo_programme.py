"""What the demo federation meets for: a whole year of a small town's hub behind it, and some weeks ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

WEEKS = 52


@dataclass(frozen=True)
class Sort:
    """Meetups of one kind, as many as a year had, on a weekday spread over its weeks."""

    kind: str
    weekday: int
    """0 is Monday."""
    starts: str
    ends: str
    people: int
    """How many came to all of them together."""
    titles: tuple[str, ...]
    """What they were about, in turn; as many as there were, or each as often as it takes."""
    meetups: int
    text: str = ""


BREAKFASTS = tuple(
    f"Frukost i tullhuset: {theme}"
    for theme in (
        "ett företag berättar", "nya grannar", "vad händer i hamnen", "månadens fråga", "kundernas tur",
        "lokaler och grannar", "öppet bord", "säsongen som kommer",
    )
)  # fmt: skip
TALKS = (
    "Skärgården som hemmamarknad", "Att sälja till kommunen", "Prissätta tjänster", "Från hobby till firma",
    "Berättelser som säljer", "Export för den lilla", "Cirkulärt på riktigt", "När sonen tar över",
    "Vad kunderna hittar på nätet", "Ett år med fyra dagars vecka", "Fisk, turism och vardag", "Film från fyren",
    "Energi i gamla hus", "Vägen till första anställda",
)  # fmt: skip
TRAININGS = (
    "Bokföring för nya", "Kalkyler som håller", "Fota med telefonen", "Avtal på ett papper", "Webbplatsen på en dag",
    "Bokslut utan tårar", "Nyhetsbrev som läses", "Offerter", "Lön och regler", "Säkra lösenord", "Första hjälpen",
    "Presentera dig på en minut",
)  # fmt: skip
INFORMATION = (
    "Starta företag: första steget", "Bygglov i hamnen", "Sommarens tillstånd", "Nya regler för moms",
    "Bidrag att söka", "Detaljplanen för kajen", "Fiber i skärgården", "Återvinning för företag", "Vägarbeten i vår",
    "Upphandlingar i år", "Brandskydd", "Skolans praktikveckor",
)  # fmt: skip
CULTURE = (
    "Vernissage: tång och ljus", "Visor från kajen", "Bokcirkel i tullhuset", "Film: Norrfyr",
    "Textil av segelduk", "Körens vårkonsert", "Fotovandring", "Sagor vid elden",
)  # fmt: skip
CELEBRATIONS = ("Huset fyller år", "Midsommar på kajen", "Kräftor och grannar", "Glögg och årets företagare")

LAST_YEAR: tuple[Sort, ...] = (
    Sort(
        "breakfast", 2, "07:30", "09:00", 936, BREAKFASTS, 52, "Kaffe, smörgås och en halvtimme om ett ämne."
    ),
    Sort("talk", 3, "17:30", "19:00", 336, TALKS, 14),
    Sort("training", 1, "13:00", "16:00", 168, TRAININGS, 12, "Ta med egen dator."),
    Sort("information", 0, "12:00", "13:00", 192, INFORMATION, 12),
    Sort("culture", 4, "18:00", "20:00", 224, CULTURE, 8),
    Sort("celebration", 4, "16:00", "18:00", 190, CELEBRATIONS, 4),
)
"""102 meetups with 2 046 participants: what a hub in a town of ten thousand had in its first year."""


@dataclass(frozen=True)
class Held:
    """A meetup that has been."""

    uid: str
    kind: str
    title: str
    text: str
    day: date
    starts: str
    ends: str
    came: int


def _came(sort: Sort, number: int) -> int:
    """How many came to the n-th: one a few more, the next as many fewer, all together `people`."""
    share, rest = divmod(sort.people, sort.meetups)
    swing = 1 + number // 2 % 5
    return share + (number < rest) + (swing if number % 2 == 0 else -swing)


def held(year: int) -> Iterator[Held]:
    """Every meetup of the hub's first year."""
    first = date(year, 1, 1)
    for sort in LAST_YEAR:
        begin = first + timedelta(days=(sort.weekday - first.weekday()) % 7)
        for number in range(sort.meetups):
            yield Held(
                f"{sort.kind}-{number + 1}@alvhamn-coffice",
                sort.kind,
                sort.titles[number % len(sort.titles)],
                sort.text,
                begin + timedelta(weeks=number * WEEKS // sort.meetups),
                sort.starts,
                sort.ends,
                _came(sort, number),
            )


@dataclass(frozen=True)
class Ahead:
    """An event to come, started by somebody of the hub."""

    hub: str
    person: str
    day: int
    """Days from today."""
    starts: str
    ends: str
    texts: dict[str, dict[str, str]]
    more: dict[str, Any] = field(default_factory=dict)
    weekday: int | None = None
    """Not before `day`, on this day of the week; 0 is Monday."""
    signed_up: int = 0
    """So many members of the hub sign up, in order."""
    given_back: int = 0
    """So many of those who have a place give it back: to those who wait it is offered."""

    @property
    def language(self) -> str:
        """The language its organiser writes."""
        return next(iter(self.texts))

    def on(self, today: date) -> date:
        """Its day."""
        day = today + timedelta(days=self.day)
        return day if self.weekday is None else day + timedelta(days=(self.weekday - day.weekday()) % 7)


COFFICE, LINDEBY, ONLINE = "alvhamn-coffice", "lindeby-kontorfaellesskab", "natverket-online"

AHEAD: tuple[Ahead, ...] = (
    Ahead(
        COFFICE, "Aina Strandmo", 1, "07:30", "09:00",
        {
            "sv": {"title": "Frukost i hamnen", "text": "Varje onsdag, för alla som är nyfikna."},
            "en": {"title": "Harbour breakfast", "text": "Every Wednesday, for everybody who is curious."},
        },
        {
            "kind": "breakfast", "place": {"address": "Kajgatan 4, Alvhamn"}, "capacity": 40,
            "repeat": {"rule": "FREQ=WEEKLY;BYDAY=WE"},
        },
        weekday=2,
    ),
    Ahead(
        COFFICE, "Hedda Morén", 23, "17:00", "20:00",
        {
            "sv": {"title": "Hamnträff", "text": "Hela golvet är vårt: fem korta föredrag och soppa."},
            "en": {"title": "Harbour meetup", "text": "The whole floor is ours: five short talks and soup."},
        },
        {"kind": "talk", "place": {"space": "floor"}, "capacity": 60},
    ),
    Ahead(
        COFFICE, "Birk Havling", 12, "13:00", "16:00",
        {"sv": {"title": "Fota dina varor", "text": "Åtta platser vid bordet; ta med något att fota."}},
        {"kind": "training", "place": {"address": "Kajgatan 4, Alvhamn"}, "capacity": 8},
        signed_up=11,
        given_back=1,
    ),
    Ahead(
        ONLINE, "Embla Rönnfors", 15, "19:00", "20:30",
        {
            "sv": {"title": "Kvällspass på video", "text": "Arbeta tillsammans, var du än sitter."},
            "da": {"title": "Aftenpas på video", "text": "Arbejd sammen, hvor du end sidder."},
        },
        {
            "kind": "work-session", "place": {"online_url": "https://video.example/evening"},
            "capacity_online": 100, "visibility": "federation",
        },
    ),
    Ahead(
        LINDEBY, "Oskar Lyngby-Holm", 18, "12:00", "13:30",
        {
            "da": {"title": "Fredagsfrokost", "text": "Tag noget med til det lange bord."},
            "sv": {"title": "Fredagslunch", "text": "Ta med något till långbordet."},
            "en": {"title": "Friday lunch", "text": "Bring something for the long table."},
        },
        {"kind": "other", "place": {"address": "Møllevej 27, Lindeby"}, "tags": ["mad"]},
        weekday=4,
    ),
)  # fmt: skip

THEME = Ahead(
    COFFICE, "Tor Lillskär", 28, "", "",
    {
        "sv": {"title": "Sälja utomlands", "text": "En vecka om kunder på andra sidan havet."},
        "en": {"title": "Selling abroad", "text": "A week about customers on the other side of the sea."},
    },
    weekday=0,
)  # fmt: skip
THEME_DAYS = ("Marknaden", "Språket", "Frakten", "Pengarna", "Första kunden")
THEME_HOURS = (
    ("morgonpass", "08:30", "09:30"), ("verkstad", "13:00", "15:00"), ("samtal", "17:00", "18:00"),
)  # fmt: skip


def theme_events() -> Iterator[tuple[int, str, str, str]]:
    """Day of the week, start, end and title of each event of the theme week."""
    for day, topic in enumerate(THEME_DAYS):
        for what, starts, ends in THEME_HOURS:
            yield day, starts, ends, f"{topic}: {what}"
