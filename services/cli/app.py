"""All commands of `foci`, one file per group: what the list says of each, and where it is."""

from __future__ import annotations

import typer

from services.cli.later import register

app = typer.Typer(
    name="foci",
    help="Foci on this machine, and the operator's tools for a running stack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals may hold keys and tokens
)
# The line is what the command's own help begins with; a test compares them.
for name, where, line in (
    ("up", "up:up", "Start everything: NATS, PostgreSQL, every service and the gateway; Ctrl-C stops it."),
    (
        "status",
        "status:status",
        "Show every process of the running stack, the streams and the consumers. Exit code 3 when nothing runs.",
    ),
    (
        "token",
        "token:token",
        "Print a token for a person with that role, good for 12 hours, alone on standard output.",
    ),
    (
        "person",
        "person:person",
        "Give somebody an account and a role in a hub, and print their id; how a new hub gets its first admin.",
    ),
    (
        "operator-credentials",
        "operator_credentials:operator_credentials",
        "Make a NATS user that may follow occupancy and nothing else, and write its address and seed to a file.",
    ),
    (
        "contracts",
        "contracts:contracts",
        "Show every fact and request: subject, version, audience, who states it and who listens.",
    ),
    (
        "nats-config",
        "nats_config:nats_config",
        "Write accounts, users and permissions for a NATS cluster: one configuration per node, secrets apart.",
    ),
    (
        "republish",
        "republish:republish",
        "Have SERVICE state a snapshot of every ENTITY it owns; consumers that know it already drop it.",
    ),
    (
        "mend",
        "mend:mend",
        "Have SERVICE state again what the world was told and its database has forgotten, and hear again what others stated.",
    ),
    (
        "backup",
        "backup:backup",
        "Copy the running stack: all databases as of one moment, keys, operators' users. It goes on working meanwhile.",
    ),
    (
        "restore",
        "backup:restore",
        "Bring the stopped stack of FOCI_HOME back to a backup; nothing is deleted.",
    ),
    ("import", "import_calendar:import_app", "Bring bookings, events and skills in from elsewhere."),
    ("hub", "hub.commands:hub_app", "A hub's data out of one cell and into another."),
    ("keys", "keys:keys_app", "The keys that access tokens are signed with."),
    ("notify", "notify:notify_app", "What people are told, and how it looks."),
    ("watch", "watch:watch_app", "Follow what happens, live."),
    (
        "dead-letters",
        "dead_letters:dead_letters_app",
        "Facts that a consumer has given up on: look, mend the cause, replay.",
    ),
    ("people", "people:people_app", "Erase people, and see whether it is complete."),
):
    register(app, name, where, line)
