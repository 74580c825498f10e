"""All commands of `foci`, one file per group."""

from __future__ import annotations

import typer

from services.cli import (
    backup,
    contracts,
    dead_letters,
    import_calendar,
    keys,
    mend,
    nats_config,
    notify,
    operator_credentials,
    people,
    person,
    republish,
    status,
    token,
    up,
    watch,
)
from services.cli.hub.commands import hub_app

app = typer.Typer(
    name="foci",
    help="Foci on this machine, and the operator's tools for a running stack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals may hold keys and tokens
)
app.command("up")(up.up)
app.command("status")(status.status)
app.command("token")(token.token)
app.command("person")(person.person)
app.command("operator-credentials")(operator_credentials.operator_credentials)
app.command("contracts")(contracts.contracts)
app.command("nats-config")(nats_config.nats_config)
app.command("republish")(republish.republish)
app.command("mend")(mend.mend)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(import_calendar.import_app, name="import")
app.add_typer(hub_app, name="hub")
app.add_typer(keys.keys_app, name="keys")
app.add_typer(notify.notify_app, name="notify")
app.add_typer(watch.watch_app, name="watch")
app.add_typer(dead_letters.dead_letters_app, name="dead-letters")
app.add_typer(people.people_app, name="people")
