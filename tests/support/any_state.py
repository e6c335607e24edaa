"""A spoiled state of what a command meets (data, settings, environment, disk), and one command in it."""

from __future__ import annotations

import ctypes
import io
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import httpx
import stamina
import structlog

from pipelines.cli import app as cli
from pipelines.cli.common import Screen, err, out
from pipelines.core.settings import setting_variables
from pipelines.core.settings_listed import list_settings
from pipelines.going_live.settings_file import toml_value
from pipelines.stores import control, copies
from pipelines.wire import client, http
from tests.support.any_data import TEXTS
from tests.support.any_sides import AnySides
from tests.support.wire_world import AsSent

SECRETS = {
    "SPRINGLINE_VMS__PASSWORD": "secret",
    "SPRINGLINE_LEDGER__TOKEN": "token",
    "SPRINGLINE_OPERATOR": "kari",
}
# What is in the folder of every case. Nothing listens at these addresses, and nothing is asked of them either.
SETTINGS = """
warehouse = "springline.duckdb"
published = "published"
[vms]
base_url = "http://127.0.0.1:9/ws/rest"
username = "api"
attempts = 2
[ledger]
url = "http://127.0.0.1:9/graphql"
attempts = 2
longest_wait = 0
burst_requests = 10000
[posting]
tax_rules = "tax_rules.csv"
"""
TAX_RULES = "vat_code,tax_rule\n1,1\n"
# Numbers, codes and names that the first world has, and what anybody may type.
ARGUMENTS = (
    "271", "272", "273", "274", "key:1", "key:", "key:x", f"key:{2**70}", "no:1", "no:0", "no:x", "605", "V1-1",
    "2026-10", "2026-13", "0000-00", "9999-12", "2026-11-02", "0001-01-01", "9999-12-31", "kari", "document", "-",
    "--", "\udcff", "partner", "account", "currency", "project", "rec.breaks", "post.vouchers", "documents",
    "reconcile", "publish", "٣", *(text for text in TEXTS if "\0" not in text),
)  # fmt: skip
FILES = (
    "a.csv", "a.xlsx", "a.parquet", "a.jsonl", "a.json", "a", ".csv", "published", "no/such/folder/a.csv",
    "full.csv", "springline.duckdb", "springline.ctl.sqlite", "x" * 300 + ".csv", "/proc/a.csv",
    "tax_rules.csv/a.csv", "\udcff.csv",
)  # fmt: skip
SQL = (
    "select 1", "select * from rec.breaks", "rec", "post.vouchers", "select", "drop table rec.breaks",
    "select 1; select 2", "select '\udcff'", "select 1/0", "copy (select 1) to 'x.csv'",
    "select * from 'springline.toml'", "attach 'x.db'", "select 'a' as x, 'b' as x", "select error('x')",
    "select chr(0)", "select [1], {'a': 1}", "no.sql", "", "select range(10)",
    "select date '9999-12-31', 'infinity'::date", "select 'nan'::double", "pragma version",
    "select unnest(range(3000)) as a", "select interval 1 month, uuid(), '1'::blob, 1::bit",
)  # fmt: skip
PLACEHOLDERS = {
    "TEXT": ARGUMENTS,
    "FILE": FILES,
    "SQL": SQL,
    "JOB": ("master-data", "documents", "rates", "payments", "actuals", "reconcile", "publish"),
    "FORMAT": ("table", "csv", "json", "jsonl", "parquet", "xlsx", "x"),
    "PERIOD": ("2026-10", "2026-11", "2026-13", "0001-01", "9999-12", "", "x", "2026-1", "٢٠٢٦-10"),
    "DAY": ("2026-11-02", "0001-01-01", "9999-12-31", "x", "", "2026-02-30"),
}
# Commands that ask neither side, and what of them may be left out.
QUIET = (
    "status", "status --full", "status --who TEXT --company TEXT --rule TEXT", "explain TEXT", "explain TEXT --full",
    "explain TEXT --lines --json", "breaks list", "breaks list --kind TEXT --full",
    "breaks list --all --period PERIOD", "breaks accept TEXT --reason TEXT",
    "breaks accept --kind TEXT --yes --reason TEXT", "breaks reopen TEXT --reason TEXT",
    "breaks comment TEXT --text TEXT", "breaks ignored --all",
    "breaks ignore-subject TEXT TEXT --company TEXT --reason TEXT", "breaks restore-subject TEXT TEXT --reason TEXT",
    "hold TEXT --reason TEXT", "release TEXT --reason TEXT", "ignore TEXT --reason TEXT", "retry TEXT --reason TEXT",
    "close reopen PERIOD --reason TEXT", "backup FILE", "backup FILE --force", "query SQL",
    "query SQL --format FORMAT", "query SQL --output FILE", "query --published FILE", "models", "models TEXT",
    "models post.vouchers --lineage TEXT", "models rec.breaks --dialect TEXT", "init FILE", "TEXT",
    "status --config FILE", "query", "query SQL --output FILE --format FORMAT",
)  # fmt: skip
# Commands that ask both sides: slower, whatever comes of it.
ASKING = (
    "check", "preflight", "preflight PERIOD", "adopt --before DAY", "adopt --before DAY --dry-run", "close PERIOD",
    "close PERIOD --seal --yes --today DAY", "run", "run JOB", "run JOB JOB", "run JOB --today DAY", "run --dry-run",
    "run --dry-run --output FILE", "run documents --dry-run",
)  # fmt: skip
NO_JSON = ("models", "TEXT")

VARIABLES: Mapping[str, Sequence[str | None]] = {
    "TMPDIR": ("/no/such/folder", "", "/dev/null", "/proc"),
    "HOME": (None, "", "/no/such/folder", "\udcff", "relative"),
    "PATH": (None, ""),
    "LANG": ("", "xx_XX", "C", "tr_TR.UTF-8"),
    "LC_ALL": ("xx_XX.UTF-9", "C", "POSIX"),
    "TERM": ("", "dumb", "unknown", "x" * 500, None),
    "NO_COLOR": ("", "1"),
    "FORCE_COLOR": ("1",),
    "TTY_COMPATIBLE": ("1", "x"),
    "COLUMNS": ("0", "1", "-5", "x", "²", "9" * 30, "20", ""),
    "LINES": ("0", "²", "x"),
    "TZ": ("", "No/Where", ":", "\udcff", "UTC+99", "Pacific/Apia", "/etc/passwd"),
    "USER": (None, "\udcff"),
    "LOGNAME": ("", None),
    "SPRINGLINE_OPERATOR": ("", " ", "\udcff", "x" * 5_000, "[red]", None),
    "SSL_CERT_FILE": ("/no/such/file", "/dev/null", "springline.toml", ".", ""),
    "SSL_CERT_DIR": ("/no/such/folder", "springline.toml", ""),
    "SSLKEYLOGFILE": ("/no/such/folder/x", "."),
    "HTTP_PROXY": ("x", "socks5://a", "http://[", "http://a:b", "\udcff"),
    "https_proxy": ("http://user:pa ss@x:1", "ftp://x", "://"),
    "ALL_PROXY": ("socks4://a:1", "http://"),
    "NO_PROXY": ("[::1]", ",,", "*", "http://[", "::1/128"),
    "PYTHONUTF8": ("0",),
    "XDG_CONFIG_HOME": ("/no/such/folder",),
    "_TYPER_FORCE_DISABLE_TERMINAL": ("1",),
    "TERMINAL_WIDTH": ("x", "0", "80"),
    "DUCKDB_NO_THREADS": ("1",),
    "GX_ANALYTICS_ENABLED": ("x", ""),
    "KUBERNETES_SERVICE_HOST": ("x",),
    "EDITOR": ("/no/such/program",),
}


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 3)


def _behind_the_head(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * max(len(content) - 4096, 10))


def _replace_by(target: str) -> Callable[[Path], None]:
    def replace(path: Path) -> None:
        path.unlink()
        path.symlink_to(target)

    return replace


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DEEDS: Mapping[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut": _cut,
    "garbage": lambda path: path.write_bytes(b"<html>Service unavailable</html>" * 500),
    "garbage behind the head": _behind_the_head,
    "not UTF-8": lambda path: path.write_bytes(path.read_bytes()[:500] + b"\xff\xfe"),
    "a folder": _folder,
    "a device": _replace_by("/dev/null"),
    "an endless device": _replace_by("/dev/full"),
    "a link to nowhere": _replace_by("/no/such/file"),
    "a link to itself": lambda path: _replace_by(path.name)(path),
    "unreadable": lambda path: path.chmod(0),
    "read-only": lambda path: path.chmod(0o444),
}
PLACES = (
    "springline.toml", "tax_rules.csv", "springline.duckdb", "springline.ctl.sqlite", "published/springline.duckdb",
    "springline.models.json",
)  # fmt: skip


@dataclass(slots=True)
class Case:
    """What is spoiled, and the command; ``room`` in bytes is how long a file may become."""

    words: list[str]
    environ: dict[str, str | None] = field(default_factory=dict)
    settings: str = ""
    disk: list[tuple[str, str]] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    room: int | None = None
    is_gone: bool = False
    encoding: str = "utf-8"
    spoiled: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def draw(seed: int, *, asking: int) -> Case:
    """Draw a case: one or two things are spoiled, and ``asking`` of a hundred commands ask both sides."""
    dice = random.Random(f"state {seed}")  # noqa: S311 test data
    pattern = dice.choice(ASKING if dice.randrange(100) < asking else QUIET)
    words = [dice.choice(PLACEHOLDERS[word]) if word in PLACEHOLDERS else word for word in pattern.split()]
    if dice.random() < 0.5 and "--json" not in words and not pattern.startswith(NO_JSON):
        words.append("--json")
    case = Case(words, seed=seed, encoding=dice.choice(("utf-8", "utf-8", "ascii", "cp1252")))
    if dice.random() < 0.1:
        case.words.append(dice.choice(("-v", "-q")))
    for _ in range(dice.choice((1, 1, 2))):
        _spoil(case, dice)
    case.spoiled = dice.choice((0, 5, 30))
    return case


def _spoil(case: Case, dice: random.Random) -> None:
    match dice.randrange(8):
        case 0 | 1:
            name = dice.choice([*VARIABLES])
            case.environ[name] = dice.choice(VARIABLES[name])
        case 2:
            case.environ[dice.choice(setting_variables())] = dice.choice(PLACEHOLDERS["TEXT"])
        case 3:
            chosen = dice.choice([setting for section in list_settings() for setting in section.settings])
            value = toml_value(dice.choice((0, -1, 2**70, 1.5, True, [], {}, "", "x", "full.csv", "no/such", ["x"])))
            case.settings = f"{chosen.section and f'[{chosen.section}]'}\n{chosen.name} = {value}\n"
        case 4 | 5:
            case.disk.append((dice.choice(PLACES), dice.choice([*DEEDS])))
        case 6:
            case.folders.append(dice.choice((".", "published")))
        case _ if dice.random() < 0.2:
            case.is_gone = True
        case _:
            # Also a limit that only what is written anew meets: every store has more already.
            case.room = dice.choice((0, 10, 4_096, 20_000, 100_000, 300_000, 1_000_000, 3_000_000))


def lay_out(folder: Path, base: Path, case: Case) -> None:
    """Copy the world to a folder, and spoil what is on disk."""
    shutil.copytree(base, folder, dirs_exist_ok=True)
    (folder / "tax_rules.csv").write_text(TAX_RULES)
    # A disk without room. By a link, never by its own name: root may put a file in the place of a device.
    (folder / "full.csv").symlink_to("/dev/full")
    text = SETTINGS
    heading, _, line = case.settings.partition("\n")
    if heading and heading in text:
        # The first line of a section that is there, in place of what the section says of the same.
        name = line.split(" = ")[0]
        text = "\n".join(one for one in text.split("\n") if not one.startswith(f"{name} = "))
        text = text.replace(heading, f"{heading}\n{line}")
    else:
        text = f"{line}{text}" if not heading else f"{text}{case.settings}"
    (folder / "springline.toml").write_text(text)
    for name, deed in case.disk:
        path = folder / name
        if path.is_file() and not path.is_symlink():
            DEEDS[deed](path)
    for name in case.folders:
        (folder / name).chmod(0o555)


def remove(folder: Path) -> None:
    """Remove what a case has left, whatever is closed in it."""
    for path in (folder, *(one for one in folder.rglob("*") if one.is_dir() and not one.is_symlink())):
        path.chmod(0o700)
    shutil.rmtree(folder)


def run(case: Case, folder: Path) -> Ended:
    """Run the command in the state that ``lay_out`` has made, in this process."""
    printed, told = _stream(case), _stream(case)
    with ExitStack() as stack:
        stack.enter_context(_working_in(folder, is_gone=case.is_gone))
        stack.enter_context(_without_privilege())
        stack.enter_context(_environment(case))
        stack.enter_context(_sides(case))
        for name, value in (
            ("stdout", printed),
            ("stderr", told),
            ("stdin", io.StringIO()),
            ("argv", ["springline", *case.words]),
        ):
            stack.enter_context(patch.object(sys, name, value))
        for module in (control, copies):
            stack.enter_context(patch.object(module, "BUSY_SECONDS", 0.05))
        stack.enter_context(_room(case.room))
        try:
            # As at the start of the program: what the environment says of the terminal is read when they are made.
            for console, is_err in ((out, False), (err, True)):
                Screen.__init__(console, stderr=is_err)
            cli.main()
        except SystemExit as end:
            code = end.code
        structlog.reset_defaults()
    return Ended(code if isinstance(code, int) else 1, *(_text(stream) for stream in (printed, told)))


def problems(case: Case, ended: Ended) -> list[str]:
    """Say what is wrong with how a command ended: an undocumented code, a traceback, no next step, no object."""
    found = []
    is_shown = "--json" in case.words and not {"--help", "-h", "--"} & {*case.words}
    # An answer that goes to a file leaves stdout empty, and --format says it otherwise.
    is_shown = is_shown and (
        case.words[0] != "query" or ended.code != 0 or not {"--output", "--format"} & {*case.words}
    )
    if ended.code not in {0, 2, *range(10, 19), 130, 141}:
        found.append(f"exit code {ended.code}")
    if "Traceback" in ended.out + ended.err:
        found.append("a traceback")
    is_usage = ended.code == 2 and "Usage:" in ended.err
    if ended.code in {2, 10, 11, 12, 13, 17, 18} and not is_usage and not _has_step(ended):
        found.append("no next step")
    if is_shown and not is_usage:
        try:
            # The rows of a query are a list.
            if not isinstance(json.loads(ended.out), dict | list if case.words[0] == "query" else dict):
                found.append("no JSON object")
        except ValueError:
            found.append("no JSON")
    return found


def _has_step(ended: Ended) -> bool:
    # `check` and a batch say it of each thing that is wrong.
    return any(words in ended.err + ended.out for words in ("Next: ", "Needs a person", "next_step", "FIX"))


def _stream(case: Case) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=case.encoding)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    # Whatever the terminal: names have letters that it may not know.
    return buffer.getvalue().decode("utf-8")


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    # Effective, permitted, inheritable: of the first 32 capabilities, then of the others.
    _fields_ = (("words", ctypes.c_uint32 * 6),)


@contextmanager
def _without_privilege() -> Iterator[None]:
    """Let files and folders be closed to root too, as they are to anybody (capabilities(7))."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, found = _Header(0x20080522, 0), _Capabilities()
    assert libc.capget(ctypes.byref(header), ctypes.byref(found)) == 0
    # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH; what is permitted stays, so that they can be taken up again.
    less = _Capabilities((ctypes.c_uint32 * 6)(found.words[0] & ~0b110, *found.words[1:]))
    assert libc.capset(ctypes.byref(header), ctypes.byref(less)) == 0
    try:
        yield
    finally:
        assert libc.capset(ctypes.byref(header), ctypes.byref(found)) == 0


@contextmanager
def _working_in(folder: Path, *, is_gone: bool) -> Iterator[None]:
    before = Path.cwd()
    here = folder / "gone" if is_gone else folder
    if is_gone:
        here.mkdir()
    os.chdir(here)
    if is_gone:
        here.rmdir()
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _environment(case: Case) -> Iterator[None]:
    merged = {**os.environ, **SECRETS, **case.environ}
    with (
        patch.dict(os.environ, {name: value for name, value in merged.items() if value is not None}, clear=True),
        patch.object(tempfile, "tempdir", None),
    ):
        client._trusted.cache_clear()
        time.tzset()
        try:
            yield
        finally:
            client._trusted.cache_clear()
    time.tzset()


@contextmanager
def _sides(case: Case) -> Iterator[None]:
    sides = AnySides(random.Random(case.seed), case.spoiled)  # noqa: S311 test data
    real = client.make_client

    def make_client(*, timeout: float, connections: int, transport: httpx.BaseTransport | None) -> httpx.Client:
        # For what it says of proxies and certificates.
        real(timeout=timeout, connections=connections, transport=transport).close()
        return httpx.Client(transport=AsSent(sides.answer), trust_env=False)

    with patch.object(http, "make_client", make_client):
        stamina.set_testing(True, attempts=2)
        try:
            yield
        finally:
            stamina.set_testing(False)


@contextmanager
def _room(size: int | None) -> Iterator[None]:
    """Let no file become longer: the write that would do it fails, whoever makes it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
