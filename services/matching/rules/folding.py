"""How words are compared: as they are written, and without what keyboards, countries and hurry make different."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# What belongs to a name (C#, .NET, C++) stays; everything else between words is a space.
_BETWEEN = re.compile(r"[^\w#+.]+|_+|(?<!\w)\.(?!\w)|(?<=\w)\.(?!\w)")
_LETTERS = str.maketrans({"æ": "a", "ø": "o", "œ": "o", "ß": "ss", "ð": "d", "þ": "th", "đ": "d", "ł": "l"})
# How the Nordic letters are written where a keyboard has none: "bogfoering", "raadgivning", "traeningsplan".
_DIGRAPHS = re.compile(r"aa|ae|oe")
_SINGLE = {"aa": "a", "ae": "a", "oe": "o"}
LONGEST = 300
"""Characters of a text that are looked at."""
# Words around a skill that say nothing of which one it is. Folded, and in all languages at once: what helps in one
# harms in none, because a label made of such words alone is compared whole.
_FILLERS = """
    a about all also an and any anybody anyone are around at be been before better by can could do does doing every find
    for from get give good help helping how i if in into is it its kind learn like little looking make me more my need
    needs new of on or our own really right small some somebody someone that the their them there these this to too up us
    use very want wants was we what when where which who will with without would you your help

    alla allt an andra andre at att av bara behov behover behov bli blir bra da dar de dem den denna det detta dig din du
    dom efter egen eget egna ej eller en er ett fa far fick finns fixa for fra fran fore ge genom gora gor ha han hade har hej
    hela hellre henne hitta hjalp hjalpa hjalper hos hur i in innan inte ja jag kan kanske kunde kunna lara lilla lite
    litet man med mer mig min mina mitt mot mycket na nagon nagot nagra nar nasta ny nya nytt och om oss pa rad ratt sa sadan
    sak saker se sedan ska skulle som soka soker till tips tva under upp ut utan vad var vara vart vara vem vet vi
    vid vill vilka vilken vilket vore ar aven ata over

    af alle andet bare behov bedre bliver blive brug bruge bruger da de dem der deres det dig dit du efter eget egen egne
    eller et for fordi fra fa far gerne god godt gor gore ham han har have hende hjalp hjalpe hjalper hos hun hvad hvem hver
    hvis hvor hvordan ikke ind ja jeg jer kan kunne lare lige lille lidt lide man mange med meget men mere mig min
    mine mit mod ma nar nogen noget nogle nu ny nye nyt og ogsa op os pa rad rigtig sig sin sit skal skulle som sadan
    soge soger til ting to uden ud under vare ved vi vil ville vores vare er
"""
FILLERS = frozenset(_FILLERS.split())


def kept(text: str) -> str:
    """Comparable, with every letter kept: NFKC, lower case, single spaces; å stays å."""
    return " ".join(_BETWEEN.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split())


def fold(text: str) -> str:
    """The same without marks on letters, and with ä, æ and ae alike: what labels are looked up by."""
    plain = kept(text[:LONGEST]).translate(_LETTERS)
    # Composed before: `ä` may come as `a` and two dots.
    bare = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return _DIGRAPHS.sub(lambda found: _SINGLE[found[0]], bare)


def content(words: list[str]) -> list[str]:
    """The words that say which skill is meant; all of them when none do."""
    return [word for word in words if word not in FILLERS] or words


@lru_cache(maxsize=65_536)
def grams(word: str) -> frozenset[str]:
    """Two and three letters in a row, the ends marked: what two spellings of a word have in common."""
    marked = f" {word} "
    return frozenset(marked[at : at + size] for size in (2, 3) for at in range(len(marked) - size + 1))


@lru_cache(maxsize=65_536)
def alike(one: str, other: str) -> float:
    """How alike two folded words are, 0 to 1: in letters, as inflected, or as a part of a compound."""
    if one == other:
        return 1.0
    first, second = grams(one), grams(other)
    dice = 2 * len(first & second) / (len(first) + len(second))
    short, long = sorted((one, other), key=len)
    return max(dice, _compound(short, long), _beginning(short, long))


def _beginning(short: str, long: str) -> float:
    """`bokforig…` and `bokforing`: what a word is about stands at its beginning, endings and slips behind it."""
    differs = (at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b)
    common = next(differs, len(short))
    return 0.3 + 0.4 * common / len(short) if common >= 5 else 0.0


def _compound(short: str, long: str) -> float:
    """`bokforing` in `bokforingshjalp`: the first part of a compound says most, the last what kind of thing it is."""
    if len(short) < 4 or short not in long:
        return 0.0
    share = len(short) / len(long)
    if long.startswith(short):
        return 0.6 + 0.4 * share
    return (0.5 if long.endswith(short) else 0.3) + 0.5 * share
