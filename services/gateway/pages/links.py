"""What a page says about a link: before, after, and when it is refused."""

from __future__ import annotations

from collections.abc import Iterator

from services.gateway.pages import Page, listed, moment
from services.gateway.pages.words import Words
from shared.contracts.directory.sessions import SignInView
from shared.contracts.events.views import LinkView, SignUpView
from shared.contracts.events.words import SignUpStatus
from shared.contracts.links import LinkPurpose
from shared.contracts.notify.notices import UnsubscribeView

# What the button of each link still does something about.
_OPEN: dict[LinkPurpose, frozenset[SignUpStatus]] = {
    LinkPurpose.CONFIRM: frozenset({SignUpStatus.PENDING}),
    LinkPurpose.ACCEPT: frozenset({SignUpStatus.OFFERED}),
    LinkPurpose.DECLINE: frozenset({SignUpStatus.OFFERED}),
    LinkPurpose.LEAVE: frozenset(
        {SignUpStatus.PENDING, SignUpStatus.ATTENDING, SignUpStatus.OFFERED, SignUpStatus.WAITING}
    ),
}


def before(link: LinkView, words: Words) -> Page:
    """What the link would do; what has become of the sign-up when there is nothing left to do."""
    which = words.event.format(event=link.title, moment=moment(link.start, link.time_zone, words))
    if link.sign_up.status not in _OPEN[link.purpose]:
        return Page(words.states[link.sign_up.status], [which, *_standing(link.sign_up, words)])
    lines = [which, *_offer(link, words)]
    return Page(words.titles[link.purpose], lines, button=words.buttons[link.purpose])


def after(sign_up: SignUpView, words: Words) -> Page:
    """What has become of the sign-up; with the code for those who have a place now."""
    code = sign_up.code if sign_up.status is SignUpStatus.ATTENDING else None
    return Page(words.states[sign_up.status], [*_standing(sign_up, words)], code=code)


def subscription(view: UnsubscribeView, hub_name: str, words: Words) -> Page:
    """What unsubscribing would end, or has ended."""
    kinds = listed([words.kinds[kind] for kind in view.kinds], words)
    if view.done:
        ended = words.unsubscribed_what.format(hub=hub_name, kinds=kinds)
        return Page(words.unsubscribed, [ended, words.unsubscribed_more])
    ends = words.unsubscribe.format(hub=hub_name, kinds=kinds)
    purpose = LinkPurpose.UNSUBSCRIBE
    return Page(words.titles[purpose], [ends], button=words.buttons[purpose])


def sign_in(view: SignInView, words: Words, onward: str | None) -> Page:
    """What signing in would do; that the link has been used, when it has, and where to go on for who is signed in."""
    if view.used:
        return refused("link-used", words, LinkPurpose.SIGN_IN, onward)
    return Page(words.titles[view.purpose], [words.sign_in], button=words.buttons[view.purpose])


def signed_in(words: Words, onward: str) -> Page:
    """That one is signed in now, and where to go on."""
    return Page(words.signed_in, [words.signed_in_what], onward=onward)


def refused(code: str, words: Words, purpose: LinkPurpose | None = None, onward: str | None = None) -> Page:
    """Why the link does nothing; where to go on, for who is signed in because the link has been used."""
    if (code, purpose) != ("link-used", LinkPurpose.SIGN_IN):
        return Page(*_said(code, words))
    return Page(*_said("sign-in-used", words), onward=onward)


def _said(code: str, words: Words) -> tuple[str, list[str]]:
    title, sentence = words.problems.get(code, words.problems["other"])
    return title, [sentence]


def _standing(sign_up: SignUpView, words: Words) -> Iterator[str]:
    if sign_up.status is SignUpStatus.ATTENDING and sign_up.place is not None:
        yield words.number.format(number=sign_up.place)
    if sign_up.status is SignUpStatus.WAITING and sign_up.waiting_place is not None:
        yield words.in_line.format(number=sign_up.waiting_place)


def _offer(link: LinkView, words: Words) -> Iterator[str]:
    if link.sign_up.offer_until is not None and link.purpose is not LinkPurpose.LEAVE:
        yield words.offer_until.format(moment=moment(link.sign_up.offer_until, link.time_zone, words))
