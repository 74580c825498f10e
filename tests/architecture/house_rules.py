"""The house rules that import-linter cannot see: what each says, where it holds, and what must turn it red."""

from __future__ import annotations

import re

from tests.architecture import checks
from tests.architecture.source import CODE, Rule, below

HOT_PATH = "services/booking/commands/reserving.py"
LINE = "services/events/commands/signing_up.py"
"""Beside the edges and the reservation the only place that opens transactions: one for all who sign up at once."""
BUILDERS = {
    "shared/kit/database.py": "the functions main calls to make engines",
    "shared/kit/migrate.py": "a connection of its own, gone when the migration is done",
    "shared/kit/process.py": "the life of every service's process, called by main",
    "shared/kit/bus.py": "the function process calls to make the broker",
    "shared/kit/nats.py": "the function main and process call to connect",
    "services/cli/": "a command is its own main: it connects, asks and ends",
    "deploy/": "starts and looks at servers from outside",
}
SENDERS = "services/notify/senders/"
"""An edge like consumers and duties: what is due is claimed, sent outside any transaction, and marked in another."""
SHOWING = "services/matching/rpc/matches.py"
"""An edge: a list is read in one session, and noted as shown in a transaction after it."""
REFUSING = "services/directory/rpc/sessions.py"
"""An edge: a copied refresh token is refused after the transaction that ends its session, and that must stay."""
READS_ENVIRONMENT = {
    "shared/kit/telemetry.py": "the standard OTEL_ variables, which the SDK reads too",
    "deploy/": "hands an environment to the processes it starts",
}
READS_CLOCK = {
    "shared/kit/ids.py": "the one clock",
    "shared/kit/bus.py": "measures how long a fact was on its way; decides nothing by it",
    "services/gateway/door.py": "counts requests per minute; decides no rule by it",
    "services/cli/": "the person at the keyboard asks now",
    "deploy/": "starts things now",
}

_PLANT = "services/booking/commands/holds.py"

RULES: tuple[Rule, ...] = (
    Rule(
        "only-edges-commit",
        "`.commit(` stands in shared/kit/database.py and shared/kit/migrate.py and nowhere else.",
        below(*CODE, but=("shared/kit/database.py", "shared/kit/migrate.py")),
        checks.commits,
        ((_PLANT, "async def planted(session): await session.commit()"),),
    ),
    Rule(
        "only-edges-open-transactions",
        "Transactions are opened by the kit's edges, the senders, the reservation and the line; commands work in their caller's.",
        below("services", but=(HOT_PATH, LINE, SENDERS, SHOWING, REFUSING, "services/cli/")),
        checks.transactions,
        (
            (_PLANT, "async def planted(database):\n    async with database.transaction():\n        return None"),
            ("services/directory/rpc.py", "async def planted(session):\n    async with session.begin():\n        return None"),
            (
                "services/notify/commands/delivering.py",
                "async def planted(database):\n    async with database.transaction():\n        return None",
            ),
            (
                "services/events/commands/line.py",
                "async def planted(database):\n    async with database.transaction():\n        return None",
            ),
        ),
    ),
    Rule(
        "nobody-publishes",
        "Messages leave by the relay; the kick and the request are the kit's.",
        below(*CODE, but=("shared/kit/outbox.py", "shared/kit/stream_relay.py", "shared/kit/kick.py", "shared/kit/rpc.py")),
        checks.publishes,
        (
            (_PLANT, "async def planted(nc): await nc.publish('hubs.x.booking.y.v1', b'')"),
            ("shared/kit/bus.py", "async def planted(broker): await broker.publish({}, 'x')"),
            ("services/directory/commands/members.py", "async def planted(js): await js.publish_async('x', b'')"),
        ),
    ),
    Rule(
        "nobody-names-the-last-message",
        "A message names the sequence it follows, never the id (ADR 35).",
        below(*CODE),
        checks.last_message_id,
        (("shared/kit/stream_relay.py", "LAST = 'Nats-Expected-Last-Msg-Id'"),),
    ),
    Rule(
        "spans-keep-errors-to-themselves",
        "Spans are made by the kit's tracing, which keeps of an error its class alone: its words may be somebody's.",
        below(*CODE, but=("shared/kit/tracing.py",)),
        checks.talkative_spans,
        (
            (_PLANT, "def planted(tracer):\n    with tracer.start_as_current_span('x'):\n        return None"),
            ("services/gateway/door.py", "def planted(span, error): span.record_exception(error)"),
        ),
    ),
    Rule(
        "receipts-tell-what-there-are-words-for",
        "What a service tells of an erasure is a Thing and a Reason, by the kit's functions: the gateway has words for those.",
        below("services", "shared", but=("shared/kit/forgetting.py", "shared/contracts/forgetting.py")),
        checks.receipt_codes,
        (
            ("services/booking/commands/forgetting.py", "planted = Told(what='cats', deed=Deed.ERASED)"),
            ("services/notify/commands/forgetting_people.py", "planted = done(None, 'cats', Deed.ERASED, None)"),
        ),
    ),
    Rule(
        "logs-keep-values-to-themselves",
        "A log is given the error itself, and shared/kit/failures.py says of it what may be said: its words may be somebody's.",
        below("shared", "services", but=("services/cli/",)),
        checks.talkative_logs,
        (
            (_PLANT, "def planted(error): log.warning('x', error=repr(error))"),
            (_PLANT, "def planted(error): log.warning('x', error=str(error) or 'y')"),
            ("shared/kit/rpc.py", "def planted(error): log.error(f'failed: {error}')"),
            ("shared/kit/rpc.py", "def planted(row): log.error('failed', what=f'{row!r}')"),
        ),
    ),
    Rule(
        "settings-do-not-repeat-secrets",
        "Settings are read by from_environment: pydantic's own error repeats what was given, pieces of secrets included.",
        below("shared", "services"),
        checks.settings_unsaid,
        (
            ("services/directory/main.py", "def planted(): return Settings()"),
            ("services/notify/__main__.py", "planted = settings.Settings()"),
        ),
    ),
    Rule(
        "autocommit-is-for-reserving",
        "AUTOCOMMIT is chosen in shared/kit/database.py, booking's main (for reserving) and the relay's connection.",
        below(*CODE, but=("shared/kit/database.py", "shared/kit/relay.py", "services/booking/main.py", "deploy/")),
        checks.autocommit,
        (
            ("services/directory/main.py", "engine = make_engine('x', pool_size=1, autocommit=True)"),
            ("services/directory/main.py", "pool = make_autocommit_pool('x', size=1)"),
            (_PLANT, "def planted(engine): return engine.execution_options(isolation_level='AUTOCOMMIT')"),
            (_PLANT, "OPTIONS = {'isolation_level': 'AUTOCOMMIT'}"),
        ),
    ),
    Rule(
        "autocommit-goes-to-reserving",
        "In main the AUTOCOMMIT engine is handed to Attempts and to nobody else.",
        lambda path: path.startswith("services/") and path.endswith("/main.py"),
        checks.hot_engine,
        (
            (
                "services/booking/main.py",
                "def planted():\n    quick = make_autocommit_pool('x', size=1)\n    return Database(quick, print)",
            ),
            (
                "services/booking/main.py",
                "def planted():\n    quick = make_engine('x', pool_size=1, autocommit=True)\n    other(quick)",
            ),
        ),
    ),
    Rule(
        "environment-only-in-settings",
        "os.environ is read by pydantic-settings; " + "; ".join(f"{k}: {v}" for k, v in READS_ENVIRONMENT.items()),
        below(*CODE, but=READS_ENVIRONMENT),
        checks.environment,
        (
            (_PLANT, "import os\nplanted = os.environ.get('HOME')"),
            ("shared/kit/rpc.py", "from os import environ\nplanted = environ['HOME']"),
        ),
    ),
    Rule(
        "times-are-aware",
        "No naive now(), utcnow(), today() or fromtimestamp().",
        below(*CODE, "tests"),
        checks.naive_time,
        (
            (_PLANT, "planted = datetime.now()"),
            (_PLANT, "planted = datetime.utcnow()"),
            (_PLANT, "from datetime import date\nplanted = date.today()"),
            ("tests/conftest.py", "import datetime\nplanted = datetime.datetime.fromtimestamp(0)"),
        ),
    ),
    Rule(
        "time-comes-in",
        "Rules, commands, queries and consumers are given the time; only main hands out the clock.",
        below(*CODE, but=READS_CLOCK),
        checks.clock,
        (
            (_PLANT, "from datetime import UTC\nplanted = datetime.now(UTC)"),
            ("services/directory/commands/members.py", "from shared.kit.ids import utc_now\nplanted = utc_now()"),
        ),
    ),
    Rule(
        "ids-and-chance-come-in",
        "Ids and chance are arguments, so that a test can say what they are.",
        below("services", "shared", but=("services/cli/", "shared/kit/ids.py", "services/booking/main.py")),
        checks.chance,
        (
            (_PLANT, "from uuid import uuid4\nplanted = uuid4()"),
            (_PLANT, "import random\nplanted = random.choice([1])"),
            ("services/directory/commands/members.py", "from shared.kit.ids import new_id\nplanted = new_id()"),
        ),
    ),
    Rule(
        "built-only-in-main",
        "Engines, brokers, connections and apps are built in main; " + "; ".join(f"{k}: {v}" for k, v in BUILDERS.items()),
        lambda path: below(*CODE, but=BUILDERS)(path) and not re.fullmatch(r"services/\w+/main\.py", path),
        checks.builds,
        (
            (_PLANT, "from shared.kit.database import make_engine\nplanted = make_engine('x', pool_size=1)"),
            ("services/directory/rpc.py", "from fastapi import FastAPI\nplanted = FastAPI()"),
            ("shared/kit/timers.py", "import nats\nasync def planted(): return await nats.connect()"),
        ),
    ),
    Rule(
        "errors-are-heard",
        "No `except Exception: pass`, nor anything that does the same.",
        below(*CODE, "tests"),
        checks.silence,
        (
            (_PLANT, "try:\n    pass\nexcept Exception:  # why\n    pass"),
            (_PLANT, "for _ in ():\n    try:\n        pass\n    except (ValueError, Exception):\n        continue"),
            ("tests/conftest.py", "import contextlib\nwith contextlib.suppress(Exception):\n    pass"),
        ),
    ),
    Rule(
        "broad-except-says-why",
        "A broad except carries a comment.",
        below(*CODE, "tests"),
        checks.broad,
        (
            (_PLANT, "\ntry:\n    planted = 1\nexcept Exception as error:\n    planted = 2\n    print(error)\n"),
            (_PLANT, "\ntry:\n    planted = 1\nexcept Exception as error:  # noqa: BLE001\n    planted = 2\n    print(error)\n"),
        ),
    ),
    Rule(
        "tests-do-not-sleep",
        "Tests wait for a condition with a deadline. `tests/waiting.py` is how; "
        "the long run of faults and the holder of the servers pace work.",
        below("tests", but=("tests/faults/", "tests/holder.py", "tests/waiting.py")),
        checks.sleeps,
        (
            ("tests/conftest.py", "import time\ntime.sleep(1)"),
            ("tests/planted/test_it.py", "import asyncio\nasync def test(): await asyncio.sleep(0.1)"),
        ),
    ),
    Rule(
        "tests-do-not-skip",
        "A test passes or fails.",
        below("tests", but=("tests/architecture/house_rules.py",)),
        checks.skips,
        (
            ("tests/planted/test_it.py", "import pytest\n@pytest.mark.skipif(True, reason='x')\ndef test(): pass"),
            ("tests/planted/test_it.py", "import pytest\n@pytest.mark.xfail\ndef test(): pass"),
            ("tests/planted/test_it.py", "import pytest\ndef test(): pytest.skip('no server')"),
            ("tests/planted/test_it.py", "from pytest import importorskip"),
        ),
    ),
    Rule(
        "files-are-short",
        f"At most {checks.LONGEST_FILE} lines a file.",
        below(*CODE, "tests"),
        checks.file_length,
        (("services/booking/queries/planted.py", '"""Too long."""\n' + "x = 1\n" * checks.LONGEST_FILE),),
    ),
    Rule(
        "functions-are-short",
        f"At most {checks.LONGEST_FUNCTION} lines a function.",
        below(*CODE, "tests"),
        checks.function_length,
        ((_PLANT, "def planted():\n" + "    x = 1\n" * checks.LONGEST_FUNCTION),),
    ),
    Rule(
        "modules-say-their-job",
        "Every module begins with a sentence.",
        below(*CODE, "tests"),
        checks.docstring,
        (("services/booking/queries/planted.py", "x = 1\n"),),
    ),
    Rule(
        "migrations-stand-alone",
        "A migration imports alembic and the kit's frozen schema only.",
        lambda path: "/migrations/" in path,
        checks.migrations,
        (("services/booking/migrations/versions/0001_bookings.py", "from services.booking.tables import Booking"),),
    ),
)  # fmt: skip
