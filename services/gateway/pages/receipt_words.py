"""What the page of an erasure's receipt says, in each language: words for every code a service can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.forgetting import Deed, Reason, Thing


@dataclass(frozen=True)
class ReceiptWords:
    """One language's words. Braces are filled in: {moment}, {parts}, {code}."""

    complete: str
    under_way: str
    erased: str
    completed: str
    waiting: str
    be_patient: str
    silent: str
    nothing: str
    everywhere: str
    more: str
    keep_it: str
    complain: str
    missing: tuple[str, str]
    """Heading and sentence where there is no such receipt."""
    other: str
    """Stands for a code that a later release tells and this one has no words for."""
    parts: Mapping[str, str]
    """What each service is called."""
    deeds: Mapping[Deed, str]
    things: Mapping[Thing, str]
    reasons: Mapping[Reason, str]


SV = ReceiptWords(
    complete="Raderingen är klar",
    under_way="Raderingen pågår",
    erased="Du raderades {moment}.",
    completed="Alla delar av Foci hade svarat {moment}.",
    waiting="Svar saknas från: {parts}.",
    be_patient="Det dröjer sällan mer än en minut. Läs in sidan igen om en stund. Efter tio minuter frågar Foci om av sig "
    "själv, och den som sköter Foci får veta det. Är det inte klart i morgon, skriv till din hubb och uppge numret sist "
    "i den här sidans adress.",
    silent="Har inte svarat än.",
    nothing="Här fanns inget om dig.",
    everywhere="I alla delar",
    more="Bra att veta",
    keep_it="Spara adressen om du vill kunna visa det här. Sidan finns kvar i 400 dagar och nämner ingen vid namn.",
    complain="Tycker du att något är fel? Skriv till din hubb. Du kan också klaga hos Integritetsskyddsmyndigheten (imy.se).",
    missing=(
        "Det finns inget kvitto här",
        "Numret i adressen är fel, eller så har det gått mer än 400 dagar. Se efter att hela adressen kom med.",
    ),
    other="Annat ({code})",
    parts={
        "directory": "Konto och roller",
        "booking": "Bokningar",
        "events": "Evenemang",
        "matching": "Introduktioner",
        "notify": "Besked",
    },
    deeds={
        Deed.ERASED: "Raderat",
        Deed.ANONYMISED: "Finns kvar utan dig",
        Deed.KEPT: "Behålls",
    },
    things={
        Thing.PERSON: "Namn, e-postadress och språk",
        Thing.MEMBERSHIPS: "Medlemskap i hubbar",
        Thing.SESSIONS: "Inloggningar och kopplingar till inloggningstjänster",
        Thing.API_TOKENS: "Nycklar som du gav en hubbs apparater",
        Thing.LOOKS: "Noteringar om att du har sett andras namn",
        Thing.BOOKINGS_AHEAD: "Kommande bokningar; platserna är lediga igen",
        Thing.BOOKINGS: "Bokningar",
        Thing.BOOKINGS_FOR_OTHERS: "Bokningar som du gjorde åt andra",
        Thing.ROOMS_OF_EVENTS: "Rum för evenemang",
        Thing.DRAFTS: "Utkast och förslag till evenemang",
        Thing.PLACES_AHEAD: "Platser på kommande evenemang",
        Thing.SIGN_UPS: "Anmälningar till evenemang",
        Thing.ORGANISED: "Evenemang som du ordnade",
        Thing.EVENTS_STARTED: "Evenemang och serier som du lade in",
        Thing.DECISIONS: "Sådant du bestämde åt en hubb",
        Thing.PUBLISHED_TEXTS: "Texter till evenemang som var publicerade",
        Thing.ANSWERS_TO_THE_HUB: "Det du svarade hubben om evenemang den dolde",
        Thing.FEEDS: "Kalenderprenumerationer",
        Thing.PROFILES: "Profiler, med det du erbjuder och behöver",
        Thing.INTRODUCTIONS: "Introduktioner",
        Thing.SUGGESTIONS: "Förslag på personer att träffa",
        Thing.TARGETS: "Kunskaper som du önskade åt en hubb",
        Thing.CHOICES: "Val av hur du vill få besked",
        Thing.NOTICES: "Väntande besked, och vad du har fått veta",
        Thing.MESSAGES: "Meddelanden till dig",
        Thing.STOPPED_ADDRESSES: "Noteringar om att mejl till dig inte kom fram",
        Thing.SIGN_INS: "Länkar att logga in med",
        Thing.EVENTS: "Evenemang som du ordnade eller ändrade",
        Thing.DONE_FOR_OTHERS: "Sådant du gjorde åt andra",
        Thing.WEBHOOKS: "Kopplingar till en hubbs egna system",
        Thing.KEPT_ANSWERS: "Svar som sparades ifall samma sak skickades två gånger",
        Thing.ID: "Numret som stod för dig",
        Thing.FACTS: "Det som delarna av Foci har berättat för varandra",
    },
    reasons={
        Reason.STAYS_FORGOTTEN: "För att inget om dig ska komma tillbaka, till exempel ur en säkerhetskopia. Foci vet "
        "inte längre vems numret var.",
        Reason.THIRTY_DAYS: "I 30 dagar, så att en del som har varit borta kan komma ikapp. Det är nummer, utan namn, "
        "adresser och egna ord.",
        Reason.PROGRAMME_OF_THE_HUB: "De var hubbens program. Står ditt namn i en text, be hubben ändra den.",
    },
)
DA = ReceiptWords(
    complete="Sletningen er færdig",
    under_way="Sletningen er i gang",
    erased="Du blev slettet {moment}.",
    completed="Alle dele af Foci havde svaret {moment}.",
    waiting="Der mangler svar fra: {parts}.",
    be_patient="Det tager sjældent mere end et minut. Indlæs siden igen om lidt. Efter ti minutter spørger Foci igen af "
    "sig selv, og den, der driver Foci, får besked. Er det ikke færdigt i morgen, så skriv til din hub, og oplys nummeret "
    "sidst i denne sides adresse.",
    silent="Har ikke svaret endnu.",
    nothing="Her var der intet om dig.",
    everywhere="I alle dele",
    more="Godt at vide",
    keep_it="Gem adressen, hvis du vil kunne vise dette. Siden findes i 400 dage og nævner ingen ved navn.",
    complain="Mener du, at noget er forkert? Skriv til din hub. Du kan også klage til Datatilsynet (datatilsynet.dk).",
    missing=(
        "Der er ingen kvittering her",
        "Nummeret i adressen er forkert, eller der er gået mere end 400 dage. Se efter, om hele adressen kom med.",
    ),
    other="Andet ({code})",
    parts={
        "directory": "Konto og roller",
        "booking": "Bookinger",
        "events": "Arrangementer",
        "matching": "Introduktioner",
        "notify": "Beskeder",
    },
    deeds={
        Deed.ERASED: "Slettet",
        Deed.ANONYMISED: "Findes stadig, uden dig",
        Deed.KEPT: "Beholdes",
    },
    things={
        Thing.PERSON: "Navn, mailadresse og sprog",
        Thing.MEMBERSHIPS: "Medlemskaber i hubber",
        Thing.SESSIONS: "Logins og forbindelser til login-tjenester",
        Thing.API_TOKENS: "Nøgler, du gav en hubs apparater",
        Thing.LOOKS: "Notater om, at du har set andres navne",
        Thing.BOOKINGS_AHEAD: "Kommende bookinger; pladserne er ledige igen",
        Thing.BOOKINGS: "Bookinger",
        Thing.BOOKINGS_FOR_OTHERS: "Bookinger, du lavede for andre",
        Thing.ROOMS_OF_EVENTS: "Lokaler til arrangementer",
        Thing.DRAFTS: "Kladder og forslag til arrangementer",
        Thing.PLACES_AHEAD: "Pladser til kommende arrangementer",
        Thing.SIGN_UPS: "Tilmeldinger til arrangementer",
        Thing.ORGANISED: "Arrangementer, du stod for",
        Thing.EVENTS_STARTED: "Arrangementer og serier, du oprettede",
        Thing.DECISIONS: "Det, du besluttede for en hub",
        Thing.PUBLISHED_TEXTS: "Tekster til arrangementer, der var offentliggjort",
        Thing.ANSWERS_TO_THE_HUB: "Det, du svarede hubben om arrangementer, den skjulte",
        Thing.FEEDS: "Kalenderabonnementer",
        Thing.PROFILES: "Profiler, med det du tilbyder og har brug for",
        Thing.INTRODUCTIONS: "Introduktioner",
        Thing.SUGGESTIONS: "Forslag til personer at møde",
        Thing.TARGETS: "Færdigheder, du ønskede til en hub",
        Thing.CHOICES: "Valg af, hvordan du vil have besked",
        Thing.NOTICES: "Ventende beskeder, og hvad du har fået at vide",
        Thing.MESSAGES: "Beskeder til dig",
        Thing.STOPPED_ADDRESSES: "Notater om, at mails til dig ikke nåede frem",
        Thing.SIGN_INS: "Links til at logge ind med",
        Thing.EVENTS: "Arrangementer, du stod for eller ændrede",
        Thing.DONE_FOR_OTHERS: "Det, du gjorde for andre",
        Thing.WEBHOOKS: "Forbindelser til en hubs egne systemer",
        Thing.KEPT_ANSWERS: "Svar, der blev gemt i tilfælde af, at det samme blev sendt to gange",
        Thing.ID: "Nummeret, der stod for dig",
        Thing.FACTS: "Det, som delene af Foci har fortalt hinanden",
    },
    reasons={
        Reason.STAYS_FORGOTTEN: "For at intet om dig skal komme tilbage, for eksempel fra en sikkerhedskopi. Foci "
        "ved ikke længere, hvis nummer det var.",
        Reason.THIRTY_DAYS: "I 30 dage, så en del, der har været væk, kan nå at følge med. Det er numre, uden navne, "
        "adresser og egne ord.",
        Reason.PROGRAMME_OF_THE_HUB: "De var hubbens program. Står dit navn i en tekst, så bed hubben om at ændre den.",
    },
)
EN = ReceiptWords(
    complete="The erasure is complete",
    under_way="The erasure is under way",
    erased="You were erased on {moment}.",
    completed="All parts of Foci had answered on {moment}.",
    waiting="No answer yet from: {parts}.",
    be_patient="It rarely takes more than a minute. Load this page again in a while. After ten minutes Foci asks again by "
    "itself, and whoever runs it is told. If it is not complete tomorrow, write to your hub and give the number at the end "
    "of this page's address.",
    silent="Has not answered yet.",
    nothing="Nothing was held of you here.",
    everywhere="In every part",
    more="Good to know",
    keep_it="Keep the address if you want to be able to show this. The page stays for 400 days and names nobody.",
    complain="Do you think something is wrong? Write to your hub. You can also complain to your country's data protection "
    "authority.",
    missing=(
        "There is no receipt here",
        "The number in the address is wrong, or more than 400 days have passed. Check that the whole address is there.",
    ),
    other="Something else ({code})",
    parts={
        "directory": "Account and roles",
        "booking": "Bookings",
        "events": "Events",
        "matching": "Introductions",
        "notify": "Notices",
    },
    deeds={
        Deed.ERASED: "Erased",
        Deed.ANONYMISED: "Goes on without you in it",
        Deed.KEPT: "Kept",
    },
    things={
        Thing.PERSON: "Name, e-mail address and language",
        Thing.MEMBERSHIPS: "Memberships of hubs",
        Thing.SESSIONS: "Sign-ins, and ties to sign-in providers",
        Thing.API_TOKENS: "Keys you gave to a hub's devices",
        Thing.LOOKS: "Notes that you saw others' names",
        Thing.BOOKINGS_AHEAD: "Bookings ahead; the places are free again",
        Thing.BOOKINGS: "Bookings",
        Thing.BOOKINGS_FOR_OTHERS: "Bookings you made for others",
        Thing.ROOMS_OF_EVENTS: "Rooms for events",
        Thing.DRAFTS: "Drafts and proposals of events",
        Thing.PLACES_AHEAD: "Places at events ahead",
        Thing.SIGN_UPS: "Sign-ups for events",
        Thing.ORGANISED: "Events you organised",
        Thing.EVENTS_STARTED: "Events and series you started",
        Thing.DECISIONS: "What you decided for a hub",
        Thing.PUBLISHED_TEXTS: "Texts of events that were published",
        Thing.ANSWERS_TO_THE_HUB: "What you answered the hub about events it hid",
        Thing.FEEDS: "Calendar subscriptions",
        Thing.PROFILES: "Profiles, with what you offer and need",
        Thing.INTRODUCTIONS: "Introductions",
        Thing.SUGGESTIONS: "Suggestions of people to meet",
        Thing.TARGETS: "Skills you wished for a hub",
        Thing.CHOICES: "Choices of how to be told",
        Thing.NOTICES: "Waiting notices, and what you had been told",
        Thing.MESSAGES: "Messages to you",
        Thing.STOPPED_ADDRESSES: "Notes that mail to you did not arrive",
        Thing.SIGN_INS: "Links to sign in with",
        Thing.EVENTS: "Events you organised or changed",
        Thing.DONE_FOR_OTHERS: "What you did for others",
        Thing.WEBHOOKS: "Connections to a hub's own systems",
        Thing.KEPT_ANSWERS: "Answers kept in case the same was sent twice",
        Thing.ID: "The number that stood for you",
        Thing.FACTS: "What the parts of Foci have told each other",
    },
    reasons={
        Reason.STAYS_FORGOTTEN: "So that nothing about you comes back, for example from a backup. Foci no longer knows "
        "whose number it was.",
        Reason.THIRTY_DAYS: "For 30 days, so that a part that was away can catch up. They are numbers, without names, "
        "addresses or words of yours.",
        Reason.PROGRAMME_OF_THE_HUB: "They were the hub's programme. If a text says your name, ask the hub to change it.",
    },
)
RECEIPT: dict[str, ReceiptWords] = {"sv": SV, "da": DA, "en": EN}
"""By tag, like the words of all pages."""
