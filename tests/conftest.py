"""The real servers every test may use: PostgreSQL and NATS."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import httpcore2
import psutil
import pytest
import pytest_asyncio
import uvloop
from nats.aio.client import Client
from xdist.scheduler import LoadScopeScheduling

from tests.connections import Connections
from tests.servers import Databases, HolderProcess, NatsAccount, ask, own_account, shared_server
from tests.waiting import ended

MEMORY = Path("/dev/shm")
"""A file system without a disk, where Linux has one: a fifth of the kernel's work in a run was the disk's."""
GIB = 1024**3
HOLDER = pytest.StashKey[HolderProcess]()
LONG = (
    "tests/faults/",
    "tests/stack/",
    "tests/e2e/",
    "tests/cli/test_import_end_to_end.py",
    "tests/gateway/test_fuzz.py",
    "tests/gateway/test_who_may.py",
)
"""Where tests start stacks of their own, and wait for them; and the two files that try every route, half a minute each."""
PLAIN = (
    "tests/e2e/test_introductions.py",
    "tests/e2e/test_notices.py",
    "tests/e2e/test_processes.py",
    "tests/e2e/test_telemetry.py",
    "tests/cli/test_import_end_to_end.py",
    "tests/stack/test_backup.py",
)
"""What is told on the plain stack."""
pytest_plugins = ("tests.stack.plain",)

# Every HTTP client reads the 140 authorities of this machine again, which takes 30 ms, and the stories make hundreds of them:
# in a process of pytest they are read once.
setattr(httpcore2, "default_ssl_context", lru_cache(httpcore2.default_ssl_context))  # noqa: B010  # mypy: a function stays one


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the holder of the servers once per run; pytest-xdist's workers talk to the one of their controller."""
    if hasattr(config, "workerinput"):
        return
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        # What a killed process has written is there still, as on a disk; that machines die, no story tells.
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
    if not config.option.collectonly:
        config.stash[HOLDER] = HolderProcess()


def _has_room(memory: Path) -> bool:
    """Whether the run's files, a gigabyte, and all its processes fit into this machine's memory."""
    if not (memory.is_dir() and os.access(memory, os.W_OK)):
        return False
    return shutil.disk_usage(memory).free > 4 * GIB and psutil.virtual_memory().available > 10 * GIB


def pytest_unconfigure(config: pytest.Config) -> None:
    """End it with the run."""
    if HOLDER in config.stash:
        config.stash[HOLDER].stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: short ones fill what is left, and no worker ends alone with a story of half a minute."""
    items.sort(key=lambda item: (not item.nodeid.startswith(LONG), not item.nodeid.startswith(PLAIN)))


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """A file's tests go to one worker, and all those of the plain stack: what they share is started once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "plain stack" if file in PLAIN else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """How pytest-xdist hands the tests out."""
    return ByFile(config, log)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop the services run on."""
    return {"uvloop": uvloop.new_event_loop}


def _begin_elsewhere(config: pytest.Config) -> None:
    """Import the tests in an order of this worker's own, before they are collected in the one all must have.

    In a clean clone every worker would compile every test, four seconds of each; beginning at different places they share.
    """
    worker = getattr(config, "workerinput", None)
    if worker is None:
        return
    files = [file for arg in config.args for file in sorted((config.rootpath / arg).rglob("test_*.py"))]
    begin = len(files) * int(worker["workerid"].removeprefix("gw")) // int(worker["workercount"])
    for file in (*files[begin:], *files[:begin]):
        try:
            import_module(".".join(file.relative_to(config.rootpath).with_suffix("").parts))
        except Exception:  # noqa: BLE001  # collecting, which comes next, meets the same one and says it well
            return


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collect garbage as the services do, only more seldom: what was imported stays, and nobody looks through it again."""
    gc.disable()
    _begin_elsewhere(session.config)
    done = yield
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()
    return done


@pytest.fixture(scope="session")
def postgres() -> str:
    """URL of a PostgreSQL administrator (postgresql://)."""
    url: str = ask("servers")["postgres"]
    return url


@pytest.fixture
def database(postgres: str) -> Iterator[Callable[[str], str]]:
    """`database("booking")` makes a fresh, migrated database and returns its postgresql+asyncpg URL."""
    databases = Databases(postgres)
    yield databases.fresh
    databases.drop()


@pytest_asyncio.fixture(scope="session")
async def connections() -> AsyncIterator[Connections]:
    """A worker's connections to the databases its stories share."""
    kept = Connections()
    yield kept
    await kept.close()


@pytest_asyncio.fixture(autouse=True)
async def nothing_goes_on() -> AsyncIterator[None]:
    """All stories of a worker share an event loop; what one has left running ends with it."""
    yield
    await ended(asyncio.all_tasks() - {asyncio.current_task()})


@pytest.fixture
def nats_account() -> Iterator[NatsAccount]:
    """A NATS account of this test's own, without streams."""
    servers = ask("servers")
    lease = shared_server if "nats" in servers["given"] else own_account
    with lease(servers["nats"]) as account:
        yield account


@pytest_asyncio.fixture
async def nats_admin(nats_account: NatsAccount) -> AsyncIterator[Client]:
    """A client that may do everything in the test's account."""
    client = await nats_account.connect("test")
    yield client
    await client.close()
