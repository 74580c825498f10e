"""A fictional federation: eight hubs in six towns that do not exist, in sizes real hubs have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

WEEK = ("mon", "tue", "wed", "thu", "fri")
HALF_YEAR = 180


def hours(opens: str, closes: str, *, saturday: tuple[str, str] | None = None) -> dict[str, Any]:
    """Opening hours on working days, and perhaps on Saturday."""
    week: dict[str, Any] = {day: [{"opens": opens, "closes": closes}] for day in WEEK}
    if saturday:
        week["sat"] = [{"opens": saturday[0], "closes": saturday[1]}]
    return week


@dataclass(frozen=True)
class Hub:
    """One hub with everything in it."""

    profile: dict[str, Any]
    spaces: tuple[dict[str, Any], ...]
    staff: dict[str, str]
    """Name of a person, and their role."""
    members: tuple[str, ...]
    organisations: tuple[tuple[str, str], ...] = field(default=())
    """Name and kind."""

    @property
    def slug(self) -> str:
        return str(self.profile["id"])

    def language_of(self, person: str) -> str:
        """What somebody reads: the hub's first language, if it is not another."""
        return READS.get(person, str(self.profile["languages"][0]))


READS = {
    "Faris Nordal": "en", "Hamid Rosenvik": "en", "Quirin Västlund": "en", "Leyla Gjutare": "en", "Amal Skogsta": "en",
    "Vera Sandlöf": "da", "Noor Havlund": "en", "Yusuf Søgaarden": "en", "Clara Birkemose": "sv",
}  # fmt: skip
"""Those who came from elsewhere."""


LIBRARY_HOURS = hours("08:00", "20:00", saturday=("10:00", "15:00"))
OFFICE_HOURS = hours("07:00", "18:00")
SWEDISH = {"country": "SE", "time_zone": "Europe/Stockholm", "languages": ["sv", "en"]}
DANISH = {"country": "DK", "time_zone": "Europe/Copenhagen", "languages": ["da", "en"]}


def _rules(opening: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return {"opening_hours": opening, "days_ahead": HALF_YEAR, **more}


def _room(
    opening: dict[str, Any] | None, name: str, capacity: int, slug: str = "room", **more: Any
) -> dict[str, Any]:
    return {"id": slug, "name": name, "kind": "room", "capacity": capacity, "rules": _rules(opening, **more)}


def _seats(
    opening: dict[str, Any] | None, slug: str, name: str, seats: int, kind: str = "flex", **more: Any
) -> dict[str, Any]:
    return {"id": slug, "name": name, "kind": kind, "seats": seats, "rules": _rules(opening, **more)}


COMPANIES = (
    "Alvhamns Redovisning", "Bryggan Form", "Drivved Snickeri", "Fyrskeppet Film", "Grå Mås Grafik", "Hamnkontoret IT",
    "Ishavet Översättning", "Järnviks Bygglov", "Kajutan Kommunikation", "Lagom Lön", "Måsunge Mode", "Norrfyr Energi",
    "Ostkustens Optik", "Pärlemor Design", "Queda Konsult", "Rosentång Trädgård", "Segelduk Textil", "Tångräkan Mat",
    "Ugglebo Utbildning", "Vindstilla Hälsa", "Westerskär Jurist", "Ylle & Tråd", "Zenit Kartor", "Ålgräs Miljö",
    "Ängsviol Florist", "Öppet Hav Resor", "Blå Boj Bokföring", "Kompassros Coach", "Tidvatten Teknik", "Sandrev Studio",
)  # fmt: skip
FOUNDERS = (
    "Aina Strandmo", "Birk Havling", "Cajsa Lodvik", "David Ekerö-Lund", "Elin Sjöbrandt", "Faris Nordal", "Greta Almstig",
    "Hamid Rosenvik", "Iris Klintberg", "Jonas Tallung", "Kerstin Brovall", "Leo Marklind", "Mira Hagdahl", "Nils Åbrink",
    "Olga Fjärdvik", "Per Stenholt", "Quirin Västlund", "Rut Björkegård", "Samira Holmdal", "Tove Lyngskär", "Ulf Granehed",
    "Vera Sandlöf", "Wilmer Ottesund", "Ylva Mossberg-Ek", "Zara Lindevik", "Åke Tornvall", "Ängla Rydsjö", "Östen Kvarnlid",
    "Malin Dysäter", "Petra Vikmark",
)  # fmt: skip

COFFICE = Hub(
    {
        "id": "alvhamn-coffice", "name": "Alvhamns Coffice", "kind": "association", "address": "Kajgatan 4, Alvhamn",
        "municipality": "Alvhamn", "region": "Västra skärgården", **SWEDISH,
        "offers": ["Fixed and flexible places", "Two conference rooms", "Breakfast every Wednesday", "Advice for starting up"],
        "about": "The old customs house by the harbour: a small town's companies under one roof.",
    },
    (
        # Members have keys, so the rooms know no closing time.
        _room(None, "Tullkammaren", 8, days_ahead=HALF_YEAR),
        _room(None, "Magasinet", 20, "conference-large", buffer_after_minutes=15),
        _seats(None, "flex", "The open floor", 24),
        _seats(None, "desks", "Fixed desks", 5, kind="desk", longest_minutes=44640, shortest_minutes=60),
        {"id": "floor", "name": "The whole floor, for meetups", "kind": "event", "capacity": 60, "made_of": ["flex"],
         "rules": _rules(None, buffer_before_minutes=30, buffer_after_minutes=30, longest_minutes=2880)},
        {"id": "business-advice", "name": "Advice: starting and growing a company", "kind": "advisor", "capacity": 3,
         "rules": _rules(hours("09:00", "16:00"), shortest_minutes=30, longest_minutes=90, buffer_after_minutes=15)},
        _seats(None, "podcast-kit", "Podcast kit", 1, kind="equipment", longest_minutes=4320),
    ),
    {"Hedda Morén": "operator", "Tor Lillskär": "host", "Anneli Storgrund": "coordinator"},
    FOUNDERS,
    (*((name, "company") for name in COMPANIES), ("Alvhamns Handelsförening", "society")),
)  # fmt: skip

HUBS: tuple[Hub, ...] = (
    COFFICE,
    Hub(
        {
            "id": "bjornsunda-bibliotek", "name": "Björnsunda bibliotek", "kind": "library", "address": "Torget 1, Björnsunda",
            "municipality": "Björnsunda", "region": "Mellanbygden", **SWEDISH,
            "offers": ["Work days for solo entrepreneurs", "Quiet reading room", "Help with digital tools"],
        },
        (
            _room(LIBRARY_HOURS, "Släktforskarrummet", 6),
            _seats(LIBRARY_HOURS, "flex", "Långbordet", 12),
            _seats(LIBRARY_HOURS, "laptops", "Laptops to borrow", 4, kind="equipment"),
        ),
        {"Solveig Harmark": "operator", "Jon Pettersvik": "host"},
        ("Moa Trädgren", "Idris Fallgard", "Berit Ulvsand", "Kalle Nyvång"),
    ),
    Hub(
        {
            "id": "granas-kommunhus", "name": "Granås kommunhus", "kind": "municipal", "address": "Skogsvägen 12, Granås",
            "municipality": "Granås", "region": "Mellanbygden", **SWEDISH,
            "offers": ["Drop-in places", "Permits and advice at the same counter"],
        },
        (
            _room(OFFICE_HOURS, "Tallkotten", 10),
            _seats(OFFICE_HOURS, "flex", "The lobby", 8),
            {"id": "permit-advice", "name": "Advice: permits", "kind": "advisor", "capacity": 2,
             "rules": _rules(hours("10:00", "15:00"), shortest_minutes=20, longest_minutes=60)},
        ),
        {"Ronja Fältskog": "operator"},
        ("Sixten Hedmark", "Linnea Myrbäck", "Amal Skogsta"),
    ),
    Hub(
        {
            "id": "havnsted-bibliotek", "name": "Havnsted Bibliotek", "kind": "library", "address": "Fiskertorvet 3, Havnsted",
            "municipality": "Havnsted", "region": "Sydøerne", **DANISH,
            "offers": ["Work days on Tuesdays and Thursdays", "Meeting room", "Makerspace"],
        },
        (
            _room(LIBRARY_HOURS, "Fyrtårnet", 8),
            _seats(LIBRARY_HOURS, "flex", "Læsesalen", 16),
            _seats(LIBRARY_HOURS, "3d-printer", "3D printers", 2, kind="equipment"),
        ),
        {"Birgitte Strandholt": "operator", "Mads Vesterlund": "host"},
        ("Sofie Klitgaardby", "Emil Nordhavn", "Freja Ager", "Noor Havlund"),
    ),
    Hub(
        {
            "id": "lindeby-kontorfaellesskab", "name": "Lindeby Kontorfællesskab", "kind": "association",
            "address": "Møllevej 27, Lindeby", "municipality": "Lindeby", "region": "Sydøerne", **DANISH,
            "offers": ["Fixed desks", "Flex places", "Friday lunch"],
        },
        (
            _room(None, "Møllen", 12),
            _seats(None, "flex", "Laden", 10),
            _seats(None, "desks", "Faste pladser", 8, kind="desk", longest_minutes=44640),
            {"id": "barn", "name": "Laden, hele gulvet", "kind": "event", "capacity": 40, "made_of": ["flex"],
             "rules": _rules(None)},
        ),
        {"Rasmus Engkær": "operator", "Line Bakkedal": "host"},
        ("Oskar Lyngby-Holm", "Ida Fjeldsted", "Yusuf Søgaarden", "Clara Birkemose", "Viggo Rønnebæk"),
        (("Lindeby Lys", "company"), ("Møllevej Medier", "company"), ("Rønnebæk Regnskab", "company")),
    ),
    Hub(
        {
            "id": "natverket-online", "name": "Nätverket online", "kind": "online", **SWEDISH,
            "languages": ["sv", "da", "en"], "offers": ["Work sessions on video", "A contact who can help"],
            "about": "A hub without an address, for those far from the others.",
        },
        (
            {"id": "room", "name": "Video room", "kind": "room", "capacity": 50, "rules": _rules(None)},
            {"id": "first-contact", "name": "First contact: half an hour with a host", "kind": "advisor", "capacity": 2,
             "rules": _rules(hours("09:00", "17:00"), shortest_minutes=30, longest_minutes=30)},
        ),
        {"Embla Rönnfors": "operator"},
        ("Sune Avlägsen", "Karin Fjärran"),
    ),
    Hub(
        {
            "id": "sorvik-foretagshus", "name": "Sörviks företagshus", "kind": "company", "address": "Bruksgatan 8, Sörvik",
            "municipality": "Sörvik", "region": "Västra skärgården", **SWEDISH,
            "offers": ["Office and flexible places", "Workshop", "Studio"],
        },
        (
            _room(OFFICE_HOURS, "Smedjan", 14),
            _room(OFFICE_HOURS, "Kontoret", 4, "room-small"),
            _seats(OFFICE_HOURS, "flex", "Valsverket", 18),
        ),
        {"Gunnar Bruksell": "operator", "Disa Hammarö": "host"},
        ("Pelle Stålvik", "Leyla Gjutare", "Anton Malmskog"),
        (("Sörviks Svets", "company"), ("Hammarö Ljud", "company")),
    ),
    Hub(
        {
            "id": "stadsbiblioteket-alvhamn", "name": "Stadsbiblioteket i Alvhamn", "kind": "library",
            "address": "Kyrkbacken 2, Alvhamn", "municipality": "Alvhamn", "region": "Västra skärgården", **SWEDISH,
            "offers": ["Quiet places", "Language café"],
        },
        (_room(LIBRARY_HOURS, "Läsecirkeln", 8), _seats(LIBRARY_HOURS, "flex", "Fönsterplatserna", 6)),
        {"Signe Bokelund": "operator"},
        ("Otto Paraply", "Farida Bladh"),
    ),
)  # fmt: skip

FIRST_HUB = min(hub.slug for hub in HUBS)


@dataclass(frozen=True)
class Wish:
    """A booking to make at the first start, so that there is something to see."""

    hub: str
    space: str
    member: int
    day: int
    """Days from today."""
    start: str
    end: str
    seats: int = 1
    title: str | None = None
    days: int = 0
    """Ends so many days later."""


WISHES: tuple[Wish, ...] = (
    # Three of the five fixed desks are taken for the month.
    *(
        Wish("alvhamn-coffice", "desks", member, 1, "00:00", "00:00", days=28, title="Fixed desk")
        for member in range(3)
    ),
    *(
        Wish("alvhamn-coffice", "flex", member, day, f"{8 + member % 3:02}:00", f"{15 + member % 3:02}:00")
        for day in range(1, 4)
        for member in range(3, 3 + 6 * day)
    ),
    Wish("alvhamn-coffice", "room", 4, 1, "09:00", "10:30", title="Board meeting"),
    Wish("alvhamn-coffice", "room", 9, 1, "13:00", "14:00", title="Customer visit"),
    Wish("alvhamn-coffice", "conference-large", 12, 2, "10:00", "12:00", title="Workshop on packaging"),
    Wish("alvhamn-coffice", "floor", 0, 9, "17:00", "20:00", title="Harbour meetup"),
    Wish("alvhamn-coffice", "podcast-kit", 3, 1, "12:00", "16:00", title="Episode 14"),
    Wish("lindeby-kontorfaellesskab", "desks", 0, 1, "00:00", "00:00", days=28, title="Fast plads"),
    Wish("lindeby-kontorfaellesskab", "flex", 1, 1, "09:00", "15:00"),
    Wish(
        "lindeby-kontorfaellesskab", "room", 2, 3, "10:00", "11:00", title="Generalforsamling, forberedelse"
    ),
    Wish("natverket-online", "room", 0, 2, "10:00", "11:00", title="Morning circle"),
)
