"""The words of directory: kinds of hub and roles in a hub."""

from enum import StrEnum


class HubKind(StrEnum):
    """Who runs the hub."""

    LIBRARY = "library"
    ASSOCIATION = "association"
    COMPANY = "company"
    MUNICIPAL = "municipal"
    ONLINE = "online"


class Role(StrEnum):
    """What a person is in one hub, from the least to the most trusted."""

    VISITOR = "visitor"
    MEMBER = "member"
    HOST = "host"
    OPERATOR = "operator"
    COORDINATOR = "coordinator"
    ADMIN = "admin"


class TokenPurpose(StrEnum):
    """What an API token is for."""

    KIOSK = "kiosk"
    """A tablet at the door: who comes today, checking in and out."""
    OCCUPANCY = "occupancy"
    """Screens and counters: how full it is, what is free."""
    WEBHOOKS = "webhooks"
    """A system that looks after the webhooks it is sent."""


STAFF = frozenset({Role.HOST, Role.OPERATOR, Role.COORDINATOR, Role.ADMIN})
"""Roles that may see who comes and act for others at the door."""

OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
"""Roles that may change spaces, rules and import calendars."""
