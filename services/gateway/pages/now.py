"""A page that shows how full a hub is and moves by itself: for a screen at the door, a phone on the way there."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from markupsafe import Markup

from services.gateway.pages import STYLE, TEMPLATES
from shared.contracts.booking.requests import OccupancyFigures, OccupancyView, SpaceView
from shared.contracts.directory.requests import HubView

_HERE = Path(__file__).parent
_SCRIPT = (_HERE / "now.js").read_text("utf-8")
_STYLE = STYLE + (_HERE / "now.css").read_text("utf-8")
_PAGE = TEMPLATES.get_template("now.html.j2")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


# One script and one style sheet, known by their hashes; the script may ask here and nowhere else.
POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_hash(_STYLE)}",
        f"script-src {_hash(_SCRIPT)}",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@dataclass(frozen=True)
class NowWords:
    """One language's words. Braces are filled in: {hub}, {free}, {capacity}."""

    title: str
    spaces: str
    space: str
    now: str
    places: str
    present: str
    numbers: str
    free: str
    few: str
    full: str
    protected: str
    exact: str
    by_hand: str
    moving: str
    waiting: str


NOW: dict[str, NowWords] = {
    "sv": NowWords(
        title="{hub} just nu",
        spaces="Platserna",
        space="Plats",
        now="Just nu",
        places="Lediga platser",
        present="Här nu",
        numbers="{free} av {capacity} lediga",
        free="Gott om plats",
        few="Nästan fullt",
        full="Fullt",
        protected="Siffrorna ändras var femte minut. Hur många som är här visas ungefär, och inte när de är färre än fem.",
        exact="Du ser exakta siffror eftersom du arbetar här. Andra ser ungefärliga.",
        by_hand="Läs in sidan igen för nya siffror.",
        moving="Sidan uppdateras av sig själv.",
        waiting="Ingen kontakt just nu. Sidan försöker igen.",
    ),
    "da": NowWords(
        title="{hub} lige nu",
        spaces="Pladserne",
        space="Plads",
        now="Lige nu",
        places="Ledige pladser",
        present="Her nu",
        numbers="{free} af {capacity} ledige",
        free="God plads",
        few="Næsten fuldt",
        full="Fuldt",
        protected="Tallene ændres hvert femte minut. Hvor mange der er her, vises omtrentligt, og ikke når de er færre end fem.",
        exact="Du ser præcise tal, fordi du arbejder her. Andre ser omtrentlige.",
        by_hand="Genindlæs siden for nye tal.",
        moving="Siden opdateres af sig selv.",
        waiting="Ingen forbindelse lige nu. Siden prøver igen.",
    ),
    "en": NowWords(
        title="{hub} right now",
        spaces="The places",
        space="Place",
        now="Right now",
        places="Free places",
        present="Here now",
        numbers="{free} of {capacity} free",
        free="Plenty of room",
        few="Nearly full",
        full="Full",
        protected="Figures change every five minutes. How many are here is shown roughly, and not below five.",
        exact="You see exact figures because you work here. Others see rough ones.",
        by_hand="Load the page again for new figures.",
        moving="The page moves by itself.",
        waiting="No connection right now. The page tries again.",
    ),
}
"""By tag; the last one is for everybody else."""


@dataclass(frozen=True)
class _Row:
    space: str
    name: str
    words: str
    numbers: str
    present: str


def _row(figures: OccupancyFigures, name: str, words: NowWords) -> _Row:
    full, few = figures.free == 0, figures.free * 5 <= figures.capacity
    return _Row(
        space=figures.space,
        name=name,
        words=words.full if full else words.few if few else words.free,
        numbers=words.numbers.format(free=figures.free, capacity=figures.capacity),
        present="–" if figures.present is None else str(figures.present),
    )


def now_page(
    hub: HubView, spaces: Iterable[SpaceView], shown: OccupancyView, language: str, *, signed_in: bool
) -> str:
    """The page as it is at first; what comes after is the script's, which asks as whoever is signed in."""
    words, names = NOW[language], {space.id: space.name for space in spaces}
    return _PAGE.render(
        hub=hub,
        signed_in=signed_in,
        language=language,
        words=words,
        total=_row(shown.total, "", words),
        rows=[_row(one, names.get(one.space, one.space), words) for one in shown.items],
        style=Markup(_STYLE),  # noqa: S704  # ours
        script=Markup(_SCRIPT),  # noqa: S704  # ours
    )
