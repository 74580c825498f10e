"""Changing state: hubs, persons, memberships and organisations, each change stated as a fact."""

from services.directory.commands.guests import register_guest, register_person
from services.directory.commands.hubs import change_hub_profile, register_hub, restate_hubs
from services.directory.commands.members import (
    add_member,
    change_role,
    ensure_person,
    join,
    leave,
    open_account,
)
from services.directory.commands.organisations import register_organisation

__all__ = [
    "add_member",
    "change_hub_profile",
    "change_role",
    "ensure_person",
    "join",
    "leave",
    "open_account",
    "register_guest",
    "register_hub",
    "register_organisation",
    "register_person",
    "restate_hubs",
]
