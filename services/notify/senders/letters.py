"""From a frozen message to the mail: in the person's language, with links that only they are sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.notify.commands.composing import Letter
from services.notify.rules.differences import Item
from services.notify.rules.mail import Mail, build, mailable
from services.notify.rules.states import PlaceState, SignInState
from services.notify.rules.wording import render
from services.notify.settings import Settings
from shared.contracts.events.words import SignUpStatus
from shared.contracts.links import LinkPurpose
from shared.contracts.notify.words import ALWAYS
from shared.kit.links import Link, sign_link
from shared.kit.principal import load_private_key

UNSUBSCRIBE_WITHIN = timedelta(days=365)


class NotMailable(ValueError):
    """No mail can go to the person's address."""


class Letters:
    """Writes mails; of the same letter the same mail, byte by byte, however often it is asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key: Ed25519PrivateKey = load_private_key(settings.link_private_key.get_secret_value())
        api = f"{settings.public_url.rstrip('/')}/v1"
        self._base = f"{api}/links/"
        # Behind the sign-in: what leads there may lie in anybody's mailbox.
        self._introductions = f"{api}/me/introductions"

    def write(self, letter: Letter) -> Mail:
        """The mail; NotMailable when there is no writing to the person's address."""
        sending, contact = letter.sending, letter.contact
        try:
            mailable(contact.email or "")
        except ValueError as error:
            raise NotMailable from error
        unsubscribe = self._unsubscribe(letter)
        rendered = render(
            sending.items,
            language=contact.language,
            zone=contact.time_zone,
            name=contact.name,
            links={item.thing: dict(self._links(item, sending.person)) for item in sending.items},
            unsubscribe=unsubscribe,
            introductions=self._introductions,
        )
        return build(
            sending.id,
            rendered,
            sending.items,
            contact,
            mail_from=self._settings.mail_from,
            mail_domain=self._settings.mail_domain,
            unsubscribe=unsubscribe,
            at=sending.created_at,
        )

    def _unsubscribe(self, letter: Letter) -> str | None:
        sending = letter.sending
        kinds = tuple(sorted({item.kind.value for item in sending.items if item.kind not in ALWAYS}))
        if not kinds:
            return None
        link = Link(LinkPurpose.UNSUBSCRIBE, sending.hub, sending.person, kinds=kinds)
        return self._url(link, sending.created_at + UNSUBSCRIBE_WITHIN)

    def _links(self, item: Item, person: UUID) -> Iterator[tuple[LinkPurpose, str]]:
        now = item.now
        if isinstance(now, SignInState):
            link = Link(LinkPurpose.SIGN_IN, item.hub, person, sign_in=item.thing)
            yield link.purpose, self._url(link, now.until)
        if not isinstance(now, PlaceState) or now.event_status != "open":
            return
        for purpose in purposes(now):
            link = Link(purpose, item.hub, person, event=now.event, sign_up=item.thing, version=now.version)
            yield purpose, self._url(link, now.until or now.start)

    def _url(self, link: Link, expires_at: datetime) -> str:
        return self._base + sign_link(link, expires_at, self._key, self._settings.cell)


def purposes(state: PlaceState) -> Sequence[LinkPurpose]:
    """What somebody can do about their sign-up with a link.

    Members give their places back where they have signed in; guests have nothing but their links.
    """
    if state.status is SignUpStatus.PENDING:
        return (LinkPurpose.CONFIRM,)
    if state.status is SignUpStatus.OFFERED:
        return (LinkPurpose.ACCEPT, LinkPurpose.DECLINE)
    if state.guest and state.status in {SignUpStatus.ATTENDING, SignUpStatus.WAITING}:
        return (LinkPurpose.LEAVE,)
    return ()
