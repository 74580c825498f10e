"""How each house rule is checked: functions from a source file to its faults."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from tests.architecture.source import Fault, Source, dotted

LONGEST_FILE = 400
LONGEST_FUNCTION = 40
LONG_WITH_REASON: dict[str, str] = {}
"""Functions over the limit, `file:name`, each with the reason."""
SKIPPING = {"skip", "skipif", "skipUnless", "skipTest", "xfail", "importorskip"}
BUILT_IN_MAIN = (
    "FastAPI", "Starlette", "NatsBroker", "make_broker", "make_engine", "make_autocommit_pool", "create_async_engine",
    "create_engine", "create_pool", "asyncpg.create_pool", "asyncpg.connect", "nats.connect", "uvicorn.run",
    "async_sessionmaker",
)  # fmt: skip


def _calls(source: Source, *names: str) -> Iterator[tuple[ast.Call, str]]:
    for call, name in source.calls:
        if any(name == wanted or name.endswith(f".{wanted}") for wanted in names):
            yield call, name


def commits(source: Source) -> Iterable[Fault]:
    for call, name in source.calls:
        if name.endswith(".commit"):
            yield call.lineno, f"{name}(): only the kit's transaction commits"


def transactions(source: Source) -> Iterable[Fault]:
    for call, name in source.calls:
        if name.endswith((".transaction", ".begin")):
            yield call.lineno, f"{name}(): a command works in its caller's transaction"


def talkative_spans(source: Source) -> Iterable[Fault]:
    for call, name in _calls(source, "start_as_current_span", "start_span", "record_exception"):
        yield (
            call.lineno,
            f"{name}(): it would put what an error says into the trace; tracing.recording and failed do not",
        )


def talkative_logs(source: Source) -> Iterable[Fault]:
    for call, name in source.calls:
        if not re.fullmatch(r"(\w+\.)?log\.\w+", name):
            continue
        for given in (*call.args, *(one.value for one in call.keywords)):
            if any(_is_error_in_words(node) for node in ast.walk(given)):
                yield call.lineno, f"{name}(): give the error itself; the log says of it what may be said"


def _is_error_in_words(node: ast.AST) -> bool:
    """`repr(…)` of anything, or an error put into a string."""
    if isinstance(node, ast.Call) and dotted(node.func) in (
        "repr",
        "str",
        "format_exc",
        "traceback.format_exc",
    ):
        return dotted(node.func) != "str" or any(_names_error(one) for one in node.args)
    return isinstance(node, ast.FormattedValue) and (_names_error(node.value) or node.conversion == ord("r"))


def _names_error(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("error", "cause", "exc", "exception", "away", "wrong")


def settings_unsaid(source: Source) -> Iterable[Fault]:
    for call, name in _calls(source, "Settings"):
        if not call.args and not call.keywords:
            yield (
                call.lineno,
                f"{name}(): from_environment says what is wrong without repeating what was given",
            )


def publishes(source: Source) -> Iterable[Fault]:
    for call, name in source.calls:
        receiver, _, method = name.rpartition(".")
        own = source.imported.get(receiver.split(".")[0], "").startswith("services.")
        if method.startswith("publish") and receiver and not own:
            yield call.lineno, f"{name}(): nobody publishes, everybody emits"


def last_message_id(source: Source) -> Iterable[Fault]:
    for node in source.nodes:
        if isinstance(node, ast.Constant) and str(node.value).lower() == "nats-expected-last-msg-id":
            yield (
                node.lineno,
                "a mismatch of the last id leaves a replicated stream without a leader for good",
            )


def receipt_codes(source: Source) -> Iterable[Fault]:
    kit = {f"shared.kit.forgetting.{name}" for name in ("done", "told", "kept")}
    for call, name in source.calls:
        origin = source.imported.get(name)
        if origin == "shared.contracts.forgetting.Told":
            yield call.lineno, "Told(): the kit's told, kept and done take codes there are words for"
        if origin in kit and any(isinstance(given, ast.Constant) for given in call.args[:2]):
            yield call.lineno, f"{name}(): what is told of is a Thing, for which there are words"


def autocommit(source: Source) -> Iterable[Fault]:
    for node in source.nodes:
        if isinstance(node, ast.keyword) and node.arg in ("autocommit", "isolation_level"):
            yield (
                node.value.lineno,
                f"{node.arg}=: only the reservation and the relay work without transactions",
            )
        if isinstance(node, ast.Constant) and node.value == "isolation_level":
            yield node.lineno, "isolation_level: only the reservation and the relay work without transactions"
    for call, name in _calls(source, "make_autocommit_pool", "create_pool"):
        yield call.lineno, f"{name}(): only the reservation and the relay work without transactions"


def hot_engine(source: Source) -> Iterable[Fault]:
    """In a main the AUTOCOMMIT engine goes to the attempts at reserving and nowhere else."""
    hot = {
        target.id
        for node in source.nodes
        if isinstance(node, ast.Assign) and "autocommit" in ast.dump(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    allowed = {
        id(argument)
        for call, _ in _calls(source, "Attempts")
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
    }
    for node in source.nodes:
        if (
            isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Load)
            and node.id in hot
            and id(node) not in allowed
        ):
            yield node.lineno, f"{node.id}: the AUTOCOMMIT engine is for Attempts alone"


def environment(source: Source) -> Iterable[Fault]:
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and dotted(node) in ("os.environ", "os.getenv", "os.environb"):
            yield node.lineno, f"{dotted(node)}: settings come from settings.py"
    for name, origin in source.imported.items():
        if origin in ("os.environ", "os.getenv"):
            yield 1, f"{name}: settings come from settings.py"


def naive_time(source: Source) -> Iterable[Fault]:
    """Times without a zone, unless ruff has been told on that line why."""
    for call, name in source.calls:
        last = name.rpartition(".")[2]
        arguments = len(call.args) + len(call.keywords)
        if re.search(r"# noqa: DTZ\d+ +# \w", source.lines[call.lineno - 1]):
            continue
        if last in ("utcnow", "utcfromtimestamp") or (
            last == "today" and name.split(".")[0] in ("date", "datetime")
        ):
            yield call.lineno, f"{name}(): times are aware UTC"
        elif (last == "now" and name in ("datetime.now", "datetime.datetime.now") and arguments == 0) or (
            last == "fromtimestamp" and arguments == 1
        ):
            yield call.lineno, f"{name}() without a zone: times are aware UTC"


def clock(source: Source) -> Iterable[Fault]:
    for call, name in _calls(source, "datetime.now", "utc_now", "time.time"):
        yield call.lineno, f"{name}(): the time comes in as an argument"


def chance(source: Source) -> Iterable[Fault]:
    wild = re.compile(
        r"^(uuid\.)?(uuid[1-8])$|^random\.(random|choice|choices|sample|shuffle|randint|randrange|uniform|Random)$|^secrets\."
        r"|^new_id$"
    )
    for call, name in source.calls:
        if wild.search(name):
            yield call.lineno, f"{name}(): ids and chance come in as arguments"


def builds(source: Source) -> Iterable[Fault]:
    for call, name in source.calls:
        if name in BUILT_IN_MAIN:
            yield call.lineno, f"{name}(): engines, brokers, connections and apps are built only in main"


def _is_broad(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or dotted(kind) in ("Exception", "BaseException") for kind in kinds)


def silence(source: Source) -> Iterable[Fault]:
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and _is_broad(node):
            only = node.body[0]
            empty = isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant)
            if len(node.body) == 1 and (isinstance(only, (ast.Pass, ast.Continue)) or empty):
                yield node.lineno, "every error is swallowed in silence"
        if isinstance(node, ast.Call) and dotted(node.func).endswith("suppress"):
            swallowed = [dotted(argument) for argument in node.args]
            if {"Exception", "BaseException"} & set(swallowed):
                yield node.lineno, "every error is swallowed in silence"


def broad(source: Source) -> Iterable[Fault]:
    for node in source.nodes:
        if (
            isinstance(node, ast.ExceptHandler)
            and _is_broad(node)
            and not isinstance(node.body[-1], ast.Raise)
        ):
            # On the line itself, above it, or inside: somewhere near stands the reason.
            near = source.lines[node.lineno - 2 : node.end_lineno]
            said = [
                re.sub(r"# ?noqa(: ?[A-Z]+\d+)*[ -]*", "#", line).partition("#")[2].strip("# ")
                for line in near
            ]
            if not any(said):
                yield node.lineno, "a broad except without a comment that says why"


def sleeps(source: Source) -> Iterable[Fault]:
    """Waiting and hoping; a pause in a loop that looks for a condition is waiting for that."""
    looking = {
        id(inner)
        for loop in source.nodes
        if isinstance(loop, ast.While) and not isinstance(loop.test, ast.Constant)
        for inner in ast.walk(loop)
    }
    for call, name in source.calls:
        if name in ("time.sleep", "asyncio.sleep", "sleep", "anyio.sleep") and id(call) not in looking:
            zero = call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
            if not zero:
                yield call.lineno, f"{name}(): tests wait for a condition with a deadline"


def skips(source: Source) -> Iterable[Fault]:
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in SKIPPING:
            yield node.lineno, f"{dotted(node)}: a test passes or fails"
    for origin in source.imported.values():
        if re.search(r"pytest\.(skip|xfail|importorskip)$|unittest\.skip", origin):
            yield 1, f"{origin}: a test passes or fails"


def file_length(source: Source) -> Iterable[Fault]:
    if len(source.lines) > LONGEST_FILE:
        yield (
            1,
            f"{len(source.lines)} lines, at most {LONGEST_FILE}: split by noun into a package, never by layer",
        )


def functions_over(source: Source, most: int) -> Iterator[tuple[int, str, int]]:
    """Functions longer than `most` lines: line, name, length."""
    for node in source.nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > most:
                yield node.lineno, node.name, length


def function_length(source: Source) -> Iterable[Fault]:
    for line, name, length in functions_over(source, LONGEST_FUNCTION):
        if f"{source.path}:{name}" not in LONG_WITH_REASON:
            yield line, f"{name} has {length} lines, at most {LONGEST_FUNCTION}"


def docstring(source: Source) -> Iterable[Fault]:
    if source.text.strip() and ast.get_docstring(source.tree) is None:
        yield 1, "the module does not say in a sentence what its job is"


def migrations(source: Source) -> Iterable[Fault]:
    for name, origin in source.imported.items():
        if not origin.startswith(
            ("alembic", "sqlalchemy", "shared.kit.schema", "shared.kit.migrate", "__future__")
        ):
            yield 1, f"imports {name}: a migration depends on nothing that changes after it"
