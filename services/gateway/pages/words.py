"""What the pages say, in each language: a sentence that one of them lacks is a mistake the type checker finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.events.words import SignUpStatus
from shared.contracts.links import LinkPurpose
from shared.contracts.notify.words import NoticeKind


@dataclass(frozen=True)
class Words:
    """One language's words. Braces are filled in: {event}, {hub}, {kinds}, {number}, {moment}."""

    locale: str
    """For dates and lists (CLDR)."""
    titles: Mapping[LinkPurpose, str]
    buttons: Mapping[LinkPurpose, str]
    nothing_yet: str
    event: str
    sign_in: str
    signed_in: str
    signed_in_what: str
    onward: str
    unsubscribe: str
    unsubscribed: str
    unsubscribed_what: str
    unsubscribed_more: str
    states: Mapping[SignUpStatus, str]
    number: str
    in_line: str
    offer_until: str
    code: str
    kinds: Mapping[NoticeKind, str]
    problems: Mapping[str, tuple[str, str]]
    """Heading and sentence by the code of the problem; `other` for the rest."""


SV = Words(
    locale="sv",
    titles={
        LinkPurpose.CONFIRM: "Bekräfta din anmälan",
        LinkPurpose.ACCEPT: "En plats är reserverad åt dig",
        LinkPurpose.DECLINE: "Tacka nej till platsen",
        LinkPurpose.LEAVE: "Lämna tillbaka din plats",
        LinkPurpose.UNSUBSCRIBE: "Sluta få mejl",
        LinkPurpose.SIGN_IN: "Logga in",
    },
    buttons={
        LinkPurpose.CONFIRM: "Bekräfta",
        LinkPurpose.ACCEPT: "Ta platsen",
        LinkPurpose.DECLINE: "Tacka nej",
        LinkPurpose.LEAVE: "Lämna tillbaka platsen",
        LinkPurpose.UNSUBSCRIBE: "Avsluta",
        LinkPurpose.SIGN_IN: "Logga in",
    },
    nothing_yet="Inget har hänt än. Det händer först när du trycker på knappen.",
    event="{event}, {moment}.",
    sign_in="Knappen loggar in dig i den här webbläsaren.",
    signed_in="Du är inloggad",
    signed_in_what="Den här webbläsaren är inloggad nu. Logga ut när du har använt någon annans.",
    onward="Gå vidare",
    unsubscribe="Knappen avslutar mejl från {hub} om: {kinds}.",
    unsubscribed="Klart",
    unsubscribed_what="Du får inte fler mejl från {hub} om: {kinds}.",
    unsubscribed_more="Du kan ändra dig när som helst bland dina val i Foci.",
    states={
        SignUpStatus.PENDING: "Din anmälan väntar på att du bekräftar den",
        SignUpStatus.ATTENDING: "Du har en plats",
        SignUpStatus.OFFERED: "En plats är reserverad åt dig",
        SignUpStatus.WAITING: "Du står på väntelistan",
        SignUpStatus.DECLINED: "Du har tackat nej till platsen",
        SignUpStatus.LAPSED: "Tiden för att ta platsen är ute",
        SignUpStatus.CANCELLED: "Du har ingen plats längre",
    },
    number="Du är nummer {number}.",
    in_line="Du är nummer {number} på väntelistan.",
    offer_until="Platsen är din till {moment}.",
    code="Din kod vid incheckningen:",
    kinds={
        NoticeKind.BOOKING: "bokningar",
        NoticeKind.PLACE: "dina platser på evenemang",
        NoticeKind.OFFER: "erbjudna platser",
        NoticeKind.REMINDER: "påminnelser",
        NoticeKind.EVENT: "ändringar av evenemang",
        NoticeKind.PROGRAMME: "nya evenemang",
        NoticeKind.INTRODUCTION: "introduktioner",
        NoticeKind.ALERT: "sådant som rör driften av stället",
        NoticeKind.CONFIRM: "bekräftelser",
        NoticeKind.SAFETY: "det som ställs in samma dag",
        NoticeKind.SIGN_IN: "inloggning",
    },
    problems={
        "link-invalid": (
            "Länken gäller inte",
            "Den är ändrad på vägen eller för gammal. Be om en ny där du anmälde dig.",
        ),
        "cross-site": (
            "Det kom från en annan webbplats",
            "Därför har ingenting hänt. Öppna länken i ditt mejl och tryck på knappen där.",
        ),
        "link-used": ("Länken är redan använd", "Något annat har redan hänt med din anmälan."),
        "sign-in-used": (
            "Länken är redan använd",
            "En länk loggar in en gång. Be om en ny där du loggar in.",
        ),
        "offer-lapsed": ("Tiden är ute", "Platsen har gått vidare till nästa på väntelistan."),
        "event-full": ("Det är fullt", "Det finns ingen plats kvar."),
        "not-open": ("Det går inte att anmäla sig längre", "Evenemanget är inte öppet för anmälan."),
        "not-found": ("Det finns inte längre", "Det som länken gäller finns inte kvar."),
        "unavailable": ("Det går inte just nu", "Försök igen om en liten stund. Inget har gått förlorat."),
        "other": ("Det gick inte", "Försök igen senare, eller hör av dig till stället som skrev till dig."),
    },
)
DA = Words(
    locale="da",
    titles={
        LinkPurpose.CONFIRM: "Bekræft din tilmelding",
        LinkPurpose.ACCEPT: "Der er holdt en plads til dig",
        LinkPurpose.DECLINE: "Sig nej til pladsen",
        LinkPurpose.LEAVE: "Giv din plads tilbage",
        LinkPurpose.UNSUBSCRIBE: "Stop mails",
        LinkPurpose.SIGN_IN: "Log ind",
    },
    buttons={
        LinkPurpose.CONFIRM: "Bekræft",
        LinkPurpose.ACCEPT: "Tag pladsen",
        LinkPurpose.DECLINE: "Sig nej",
        LinkPurpose.LEAVE: "Giv pladsen tilbage",
        LinkPurpose.UNSUBSCRIBE: "Afmeld",
        LinkPurpose.SIGN_IN: "Log ind",
    },
    nothing_yet="Der er ikke sket noget endnu. Det sker først, når du trykker på knappen.",
    event="{event}, {moment}.",
    sign_in="Knappen logger dig ind i denne browser.",
    signed_in="Du er logget ind",
    signed_in_what="Denne browser er logget ind nu. Log ud, når du har brugt en andens.",
    onward="Gå videre",
    unsubscribe="Knappen stopper mails fra {hub} om: {kinds}.",
    unsubscribed="Færdig",
    unsubscribed_what="Du får ikke flere mails fra {hub} om: {kinds}.",
    unsubscribed_more="Du kan altid lave det om under dine valg i Foci.",
    states={
        SignUpStatus.PENDING: "Din tilmelding venter på, at du bekræfter den",
        SignUpStatus.ATTENDING: "Du har en plads",
        SignUpStatus.OFFERED: "Der er holdt en plads til dig",
        SignUpStatus.WAITING: "Du står på ventelisten",
        SignUpStatus.DECLINED: "Du har sagt nej til pladsen",
        SignUpStatus.LAPSED: "Tiden til at tage pladsen er udløbet",
        SignUpStatus.CANCELLED: "Du har ikke længere en plads",
    },
    number="Du er nummer {number}.",
    in_line="Du er nummer {number} på ventelisten.",
    offer_until="Pladsen er din indtil {moment}.",
    code="Din kode ved check-in:",
    kinds={
        NoticeKind.BOOKING: "bookinger",
        NoticeKind.PLACE: "dine pladser til arrangementer",
        NoticeKind.OFFER: "tilbudte pladser",
        NoticeKind.REMINDER: "påmindelser",
        NoticeKind.EVENT: "ændringer af arrangementer",
        NoticeKind.PROGRAMME: "nye arrangementer",
        NoticeKind.INTRODUCTION: "introduktioner",
        NoticeKind.ALERT: "det, der vedrører driften af stedet",
        NoticeKind.CONFIRM: "bekræftelser",
        NoticeKind.SAFETY: "det, der aflyses samme dag",
        NoticeKind.SIGN_IN: "login",
    },
    problems={
        "link-invalid": (
            "Linket gælder ikke",
            "Det er ændret undervejs eller for gammelt. Bed om et nyt der, hvor du tilmeldte dig.",
        ),
        "cross-site": (
            "Det kom fra et andet websted",
            "Derfor er der ikke sket noget. Åbn linket i din mail, og tryk på knappen dér.",
        ),
        "link-used": ("Linket er allerede brugt", "Der er allerede sket noget andet med din tilmelding."),
        "sign-in-used": (
            "Linket er allerede brugt",
            "Et link logger ind én gang. Bed om et nyt der, hvor du logger ind.",
        ),
        "offer-lapsed": ("Tiden er gået", "Pladsen er gået videre til den næste på ventelisten."),
        "event-full": ("Der er fuldt", "Der er ingen plads tilbage."),
        "not-open": ("Man kan ikke tilmelde sig længere", "Arrangementet er ikke åbent for tilmelding."),
        "not-found": ("Det findes ikke længere", "Det, som linket gælder, findes ikke mere."),
        "unavailable": ("Det går ikke lige nu", "Prøv igen om lidt. Intet er gået tabt."),
        "other": ("Det lykkedes ikke", "Prøv igen senere, eller kontakt det sted, der skrev til dig."),
    },
)
EN = Words(
    locale="en_GB",
    titles={
        LinkPurpose.CONFIRM: "Confirm your sign-up",
        LinkPurpose.ACCEPT: "A place is kept for you",
        LinkPurpose.DECLINE: "Decline the place",
        LinkPurpose.LEAVE: "Give your place back",
        LinkPurpose.UNSUBSCRIBE: "Stop getting mail",
        LinkPurpose.SIGN_IN: "Sign in",
    },
    buttons={
        LinkPurpose.CONFIRM: "Confirm",
        LinkPurpose.ACCEPT: "Take the place",
        LinkPurpose.DECLINE: "Decline",
        LinkPurpose.LEAVE: "Give the place back",
        LinkPurpose.UNSUBSCRIBE: "Unsubscribe",
        LinkPurpose.SIGN_IN: "Sign in",
    },
    nothing_yet="Nothing has happened yet. It happens when you press the button.",
    event="{event}, {moment}.",
    sign_in="The button signs you in in this browser.",
    signed_in="You are signed in",
    signed_in_what="This browser is signed in now. Sign out when you have used somebody else's.",
    onward="Go on",
    unsubscribe="The button ends mail from {hub} about: {kinds}.",
    unsubscribed="Done",
    unsubscribed_what="You get no more mail from {hub} about: {kinds}.",
    unsubscribed_more="You can change this at any time among your choices in Foci.",
    states={
        SignUpStatus.PENDING: "Your sign-up waits for you to confirm it",
        SignUpStatus.ATTENDING: "You have a place",
        SignUpStatus.OFFERED: "A place is kept for you",
        SignUpStatus.WAITING: "You are on the waiting list",
        SignUpStatus.DECLINED: "You have declined the place",
        SignUpStatus.LAPSED: "The time to take the place is over",
        SignUpStatus.CANCELLED: "You have no place any more",
    },
    number="You are number {number}.",
    in_line="You are number {number} on the waiting list.",
    offer_until="The place is yours until {moment}.",
    code="Your code for checking in:",
    kinds={
        NoticeKind.BOOKING: "bookings",
        NoticeKind.PLACE: "your places at events",
        NoticeKind.OFFER: "places offered to you",
        NoticeKind.REMINDER: "reminders",
        NoticeKind.EVENT: "changes of events",
        NoticeKind.PROGRAMME: "new events",
        NoticeKind.INTRODUCTION: "introductions",
        NoticeKind.ALERT: "the running of the hub",
        NoticeKind.CONFIRM: "confirmations",
        NoticeKind.SAFETY: "what is cancelled the same day",
        NoticeKind.SIGN_IN: "signing in",
    },
    problems={
        "link-invalid": (
            "This link does not work",
            "It was changed on its way or is too old. Ask for a new one where you signed up.",
        ),
        "cross-site": (
            "This came from another site",
            "So nothing has been done. Open the link in your mail and press the button there.",
        ),
        "link-used": ("This link has been used", "Something else has happened to your sign-up already."),
        "sign-in-used": (
            "This link has been used",
            "A link signs in once. Ask for a new one where you sign in.",
        ),
        "offer-lapsed": ("The time is over", "The place has gone to the next on the waiting list."),
        "event-full": ("It is full", "There is no place left."),
        "not-open": ("Signing up is over", "The event does not take sign-ups."),
        "not-found": ("It is not there any more", "What the link is about is gone."),
        "unavailable": ("Not right now", "Try again in a moment. Nothing is lost."),
        "other": ("That did not work", "Try again later, or ask the hub that wrote to you."),
    },
)
LANGUAGES: dict[str, Words] = {"sv": SV, "da": DA, "en": EN}
"""By tag; the last one is for everybody else."""


README = {
    "sv": """Det här är allt som Foci har om dig.

En mapp för varje del av Foci, en fil för varje sorts sak, en rad för varje sak (JSON Lines, UTF-8, tider i UTC).

directory   vem du är, vilka hubbar du hör till, vem som har sett ditt namn (look)
booking     vad du har bokat
events      vad du har anmält dig till, startat och bestämt
matching    vad du erbjuder och behöver, vilka du har fått träffa
notify      hur du vill få besked, och vad du har fått
calendar.ics   dina bokningar och anmälningar, för din kalender

Andra människor står inte i filerna. Vad Foci har sagt internt de senaste 30 dagarna innehåller bara id-nummer och är inte med.
""",
    "da": """Dette er alt, hvad Foci har om dig.

En mappe for hver del af Foci, en fil for hver slags ting, en linje for hver ting (JSON Lines, UTF-8, tider i UTC).

directory   hvem du er, hvilke hubber du hører til, hvem der har set dit navn (look)
booking     hvad du har booket
events      hvad du har tilmeldt dig, startet og besluttet
matching    hvad du tilbyder og har brug for, hvem du har fået at møde
notify      hvordan du vil have besked, og hvad du har fået
calendar.ics   dine bookinger og tilmeldinger, til din kalender

Andre mennesker står ikke i filerne. Hvad Foci har sagt internt de seneste 30 dage, indeholder kun id-numre og er ikke med.
""",
    "en": """This is everything Foci holds of you.

A folder for each part of Foci, a file for each kind of thing, a line for each thing (JSON Lines, UTF-8, times in UTC).

directory   who you are, which hubs you belong to, who has seen your name (look)
booking     what you have booked
events      what you have signed up for, started and decided
matching    what you offer and need, whom you were to meet
notify      how you want to be told, and what you were told
calendar.ics   your bookings and sign-ups, for your calendar

Other people do not stand in the files. What Foci said inside itself in the last 30 days holds ids only, and is left out.
""",
}
"""What stands beside an export, by language."""
