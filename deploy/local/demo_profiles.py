"""What some people of the demo federation offer and need, and to whom they have opened that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from deploy.local.demo_door import Door
from deploy.local.demo_programme import COFFICE, LINDEBY

LIBRARY, TOWN_HALL = "bjornsunda-bibliotek", "granas-kommunhus"
HUB, FEDERATION, NOBODY = "hub", "federation", "nobody"
PATH = "/v1/me/profile"


@dataclass(frozen=True)
class Said:
    """One person of a hub: skills by their ids, with own words where they have some; languages, and who may see it."""

    hub: str
    name: str
    offers: Mapping[str, str]
    needs: Mapping[str, str]
    languages: tuple[str, ...]
    visibility: str = HUB
    about: str = ""
    talk_about: tuple[str, ...] = field(default=())
    company: str | None = None


SAID: tuple[Said, ...] = (
    Said(
        COFFICE, "Aina Strandmo", {"bookkeeping": "Bokslut för små bolag", "vat": "", "liquidity-planning": ""},
        {"photography": "Bilder till vår nya sida", "social-media": ""}, ("sv", "en"), FEDERATION,
        "Jag har drivit redovisningsbyrå i tio år och hjälper gärna den som börjar.", ("segling", "att flytta hit"),
    ),
    Said(
        COFFICE, "Birk Havling", {"graphic-design": "", "logo-design": ""}, {"bookkeeping": "Jag samlar kvitton i en låda"},
        ("sv",), talk_about=("typsnitt",),
    ),
    Said(COFFICE, "Cajsa Lodvik", {"carpentry": "", "furniture-making": ""}, {"public-relations": "", "e-commerce-payments": ""},
         ("sv", "en")),
    Said(
        COFFICE, "David Ekerö-Lund", {"film-production": "", "photography": "Porträtt och produkter"},
        {"bookkeeping": "", "contract-law": "Avtal med beställare"}, ("sv", "en"), FEDERATION,
    ),
    Said(COFFICE, "Elin Sjöbrandt", {"it-support": "", "information-security": ""}, {"sales": ""}, ("sv", "en")),
    Said(
        COFFICE, "Faris Nordal", {"web-development": "", "english-conversation": "", "python": ""},
        {"swedish-conversation": "Coffee and small talk", "networking": ""}, ("en",), FEDERATION,
        "New in town, working for a company far away.", ("board games", "bread"),
    ),
    Said(COFFICE, "Greta Almstig", {"translation": "", "proofreading": ""}, {"search-optimisation": ""}, ("sv", "da", "en")),
    Said(COFFICE, "Hamid Rosenvik", {"building-permits": "", "cad": ""}, {"swedish-conversation": ""}, ("en", "sv")),
    Said(COFFICE, "Iris Klintberg", {"copywriting": "", "storytelling": ""}, {"digital-marketing": "", "web-analytics": ""},
         ("sv",)),
    Said(COFFICE, "Jonas Tallung", {"payroll": ""}, {"public-relations": "", "it-support": ""}, ("sv",)),
    Said(COFFICE, "Vera Sandlöf", {"sewing": "", "danish-conversation": ""}, {"online-shop": "", "photography": ""},
         ("da", "sv")),
    # Opened to nobody: to be found by nobody is a choice, too.
    Said(COFFICE, "Ulf Granehed", {"mentoring": ""}, {}, ("sv",), NOBODY),
    Said(LIBRARY, "Moa Trädgren", {"illustration": ""}, {"grant-writing": "", "bookkeeping": ""}, ("sv",), FEDERATION),
    Said(LIBRARY, "Idris Fallgard", {"genealogy": "", "translation-english": ""}, {"digital-marketing": ""}, ("sv", "en")),
    Said(TOWN_HALL, "Amal Skogsta", {"nutrition": "", "cooking": ""}, {"company-formation": "", "swedish-conversation": ""},
         ("en",), FEDERATION),
    Said(
        LINDEBY, "Oskar Lyngby-Holm", {"bookkeeping": "Bogføring og moms", "pricing": ""}, {"web-design": ""}, ("da", "en"),
        FEDERATION, company="Lyngby-Holm Regnskab",
    ),
    Said(LINDEBY, "Ida Fjeldsted", {"web-design": "", "user-experience": ""}, {"bookkeeping": ""}, ("da",), FEDERATION),
    Said(LINDEBY, "Yusuf Søgaarden", {"data-analysis": "", "statistics": ""}, {"danish-conversation": "", "pitching": ""},
         ("en", "da"), FEDERATION),
)  # fmt: skip


@dataclass(frozen=True)
class DemoProfiles:
    """One loading of the profiles."""

    door: Door
    people: Mapping[tuple[str, str], UUID]
    advance: Callable[[], None]

    def jobs(self) -> Iterator[Awaitable[None]]:
        """Everything that is said; the order does not matter."""
        return (self._profile(said, self.people[said.hub, said.name]) for said in SAID)

    async def _profile(self, said: Said, person: UUID) -> None:
        await self._says(PATH, "/v1/me", said, person)
        if said.company is not None:
            kept = await self.door.get("/v1/me/organisations", person=person)
            if not kept["items"]:
                wanted = {"hub": said.hub, "name": said.company}
                key = f"demo-organisation-{said.hub}-{said.company}"
                made = await self.door.post("/v1/me/organisations", wanted, person=person, key=key)
                path = f"/v1/me/organisations/{made['id']}"
                await self._says(path, path, said, person)
        self.advance()

    async def _says(self, path: str, consents: str, said: Said, person: UUID) -> None:
        for side, skills in (("offers", said.offers), ("needs", said.needs)):
            for concept, words in skills.items():
                statement: dict[str, Any] = {"level": "practised", **({"words": words} if words else {})}
                await self.door.put(f"{path}/{side}/{concept}", statement, person=person)
        general = {
            "languages": said.languages,
            "visibility": said.visibility,
            **({"about": said.about} if said.about else {}),
            **({"talk_about": said.talk_about} if said.talk_about else {}),
        }
        now = await self.door.get(path, person=person)
        await self.door.patch(path, general, person=person, version=now["version"])
        if said.visibility != NOBODY:
            await self.door.put(f"{consents}/consents/{said.hub}", {}, person=person)


def size() -> int:
    """How many parts there are to load."""
    return len(SAID)
