"""Requests notify answers about a person's notices and choices, and about mail that came back."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, PlainSerializer, StringConstraints, WithJsonSchema

from shared.contracts.base import Body, Language, Page, Plain, Request, Slug, View, described
from shared.contracts.links import LinkPurpose
from shared.contracts.notify.words import Channel, Hindrance, News, NoticeKind, Pace

WallTime = Annotated[
    time,
    PlainSerializer(lambda at: at.isoformat("minutes"), return_type=str, when_used="json"),
    # JSON Schema's own `time` is one with an offset.
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?$",
            "description": "Wall time, as clocks show it where the person is.",
            "examples": ["07:30"],
        }
    ),
]


class NoticeItem(View):
    """One thing a notice tells; a digest has several."""

    kind: NoticeKind
    news: News
    hub: Slug
    thing: UUID = described("Id of the booking, sign-up, event, introduction or webhook it is about.")
    event: UUID | None = described("The event, where there is one.", default=None)
    title: str = described("The news in one line, in the language asked for.")
    text: str = described("The same in some lines.")
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None


class NoticeView(View):
    """A message in a person's inbox."""

    id: UUID
    hub: Slug
    title: str
    at: AwareDatetime
    read_at: AwareDatetime | None = None
    items: tuple[NoticeItem, ...]


class NoticePage(Page):
    """Notices, newest first, with the number of all that are unread."""

    items: tuple[NoticeView, ...]
    unread: int


class ListMyNotices(Request[NoticePage]):
    """The signed-in person's inbox."""

    service = "notify"
    operation = "list-my-notices"
    reply = NoticePage

    unread: bool = described("Only those not read yet.", default=False)
    language: Language | None = None
    limit: int = Field(default=50, ge=1, le=100)
    cursor: Plain | None = Field(default=None, max_length=100)


class GetMyNotice(Request[NoticeView]):
    """One notice of the signed-in person's inbox."""

    service = "notify"
    operation = "get-my-notice"
    reply = NoticeView

    notice: UUID
    language: Language | None = None


class UnreadView(View):
    """How many notices are unread."""

    unread: int


class ReadNotices(Body):
    """Which notices have been read: those named, or all up to one."""

    notices: tuple[UUID, ...] = Field(default=(), max_length=200)
    until: UUID | None = described("This one and all before it.", default=None)


class MarkNoticesRead(ReadNotices, Request[UnreadView]):
    """The person has read these; reading twice changes nothing."""

    service = "notify"
    operation = "mark-notices-read"
    reply = UnreadView
    changes = True


class ChoiceView(View):
    """When the person hears of a kind over a channel at a hub."""

    hub: Slug | None = described("Null: at every hub that has no choice of its own.", default=None)
    kind: NoticeKind
    channel: Channel
    when: Pace
    chosen: bool = described("False while it is Foci's default.")


class QuietHours(View):
    """When nothing that disturbs is sent, in the person's own time zone; from and to may span midnight."""

    start: WallTime = described("Wall time, minutes count.")
    end: WallTime = described("Wall time; the same as `start` means no quiet hours.")


class ChoicesView(View):
    """Everything a person has chosen about being told, with the defaults of what they have not."""

    choices: tuple[ChoiceView, ...]
    quiet: QuietHours
    digest_at: WallTime = described(
        "When digests come, wall time in the person's zone; the weekly one on Mondays."
    )
    remind_minutes: int = described("How long before the beginning a reminder comes.")
    mail_stopped: Hindrance | None = described("Why no mail is sent to the person's address.", default=None)
    version: int


class GetMyChoices(Request[ChoicesView]):
    """The signed-in person's choices."""

    service = "notify"
    operation = "get-my-choices"
    reply = ChoicesView


Choosable = Annotated[NoticeKind, Field(description="Any kind but those that are always sent.")]


class NewChoice(Body):
    """One choice; `when: null` goes back to the default."""

    hub: Slug | None = described("Null: at every hub.", default=None)
    kind: Choosable
    channel: Channel
    when: Pace | None


class ChoicesChange(Body):
    """What shall be otherwise; what is not named stays."""

    choices: tuple[NewChoice, ...] = Field(default=(), max_length=200)
    quiet: QuietHours | None = None
    digest_at: WallTime | None = None
    remind_minutes: int | None = Field(default=None, ge=15, le=20_160)
    mail_again: bool = described("True: try the address again that mail has been stopped to.", default=False)


class ChangeMyChoices(ChoicesChange, Request[ChoicesView]):
    """Change the signed-in person's choices."""

    service = "notify"
    operation = "change-my-choices"
    reply = ChoicesView
    changes = True

    version: int


class UnsubscribeView(View):
    """What an unsubscribe link does, or has done."""

    purpose: Literal[LinkPurpose.UNSUBSCRIBE] = described(
        "Tells it from what other links do.", default=LinkPurpose.UNSUBSCRIBE
    )
    hub: Slug
    kinds: tuple[NoticeKind, ...]
    channel: Channel
    done: bool


class _Subscription(Request[UnsubscribeView]):
    """Asked in the name of the person the link was sent to."""

    service = "notify"
    reply = UnsubscribeView

    hub: Slug
    kinds: tuple[NoticeKind, ...] = Field(min_length=1, max_length=20)


class GetUnsubscribe(_Subscription):
    """What the link would do."""

    operation = "get-unsubscribe"


class Unsubscribe(_Subscription):
    """Switch these kinds off, at this hub and for mail; twice changes nothing."""

    operation = "unsubscribe"
    changes = True


class BounceReport(Body):
    """What a mail server says became of a message."""

    message_id: Annotated[Plain, StringConstraints(min_length=3, max_length=300)] = described(
        "The Message-ID of the mail that came back, with or without its angle brackets."
    )
    status: Annotated[str, StringConstraints(pattern=r"^[245]\.\d{1,3}\.\d{1,3}$")] = described(
        "Enhanced status code (RFC 3463); 5.x.x stops mail to the address."
    )


class BounceTaken(View):
    """What was made of the report."""

    stopped: bool = described("True when nothing is mailed to that address any more.")


class ReportBounce(BounceReport, Request[BounceTaken]):
    """A mail server's report about a message Foci sent. The gateway has checked who reports."""

    service = "notify"
    operation = "report-bounce"
    reply = BounceTaken
    changes = True


class Preview(View):
    """One message in one language, as it would be sent."""

    news: News
    kind: NoticeKind
    language: Language
    subject: str
    text: str
    html: str
    source: str = described("The whole mail, RFC 5322.")


class Previews(View):
    """Every message of a kind."""

    items: tuple[Preview, ...]


class PreviewNotices(Request[Previews]):
    """Render every message of a kind with sample data, in every language."""

    service = "notify"
    operation = "preview-notices"
    reply = Previews
    admin = True

    kind: NoticeKind
