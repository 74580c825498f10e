"""What the signed links in messages do."""

from enum import StrEnum


class LinkPurpose(StrEnum):
    """What a signed link does."""

    CONFIRM = "confirm"
    ACCEPT = "accept"
    DECLINE = "decline"
    LEAVE = "leave"
    UNSUBSCRIBE = "unsubscribe"
    SIGN_IN = "sign-in"
