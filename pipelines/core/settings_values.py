"""What a single setting may hold: texts, lists of codes, addresses, files and folders, judged before a run."""

from __future__ import annotations

import re
import stat
import unicodedata
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator, SecretStr, WithJsonSchema

from pipelines.core.control_place import Place, PostgresSchema, is_postgres, read_postgres
from pipelines.core.lake_place import LakePlace, WarehousePlace, is_bucket, is_lake, read_bucket, read_lake

_Address = TypeVar("_Address", PostgresSchema, LakePlace)

# `springline init` writes these where only the reader knows the value.
_PLACEHOLDER = re.compile(r"<[^<>]+>")
# Control characters, halves of characters (bytes of the environment that are not UTF-8), and what cannot be seen.
_UNSEEN = ("Cc", "Cs", "Cf", "Zl", "Zp")
# The widest whole number that the tables of schema seed hold.
MOST_INTEGER = 2**31 - 1
# Bytes of one name in a path, on every file system in use.
LONGEST_NAME = 255
# Of an address; one letter is a drive.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
# What this machine calls itself; requests to it go through no proxy (pipelines/wire/client.py).
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def unseen_character(text: str) -> str:
    r"""Name the first character that nobody sees and no setting means; empty where there is none.

    >>> unseen_character("28601\u200b")
    'U+200B (ZERO WIDTH SPACE)'
    """
    for character in text:
        if unicodedata.category(character) in _UNSEEN or (character.isspace() and character != " "):
            name = unicodedata.name(character, "")
            return f"U+{ord(character):04X}" + (f" ({name})" if name else "")
    return ""


def _text(value: object) -> object:
    """Take off blanks and compose letters (NFC), as codes are compared.

    Refuse an empty text, a character that cannot be seen, and the example of `springline init`.
    """
    if not isinstance(value, str):
        return value
    value = unicodedata.normalize("NFC", value.strip())
    if not value:
        raise ValueError("is empty; write a value, or take the line out")
    if unseen := unseen_character(value):
        message = f"holds the character {unseen}, which cannot be seen; write the value anew"
        raise ValueError(message)
    if example := _PLACEHOLDER.search(value):
        message = f"still holds {example[0]} of the example; put your own value in its place"
        raise ValueError(message)
    return value


def _split(value: object) -> object:
    """Accept ``AG,BR`` as well as a list."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _token(value: object) -> object:
    """Take off blanks around a token; refuse one that cannot stand in a header, where an error would show it."""
    if isinstance(value, str):
        value = value.strip()
        if not (value.isascii() and value.isprintable() and value):
            raise ValueError("is empty, or holds characters that no token has")
    return value


def _sign(value: object) -> object:
    # A variable of the environment holds text only.
    return int(value) if isinstance(value, str) and value in {"1", "-1"} else value


def _address(value: str) -> str:
    """Refuse what no request can be sent to: it would be noticed only when a whole run has failed."""
    if not re.match(r"https?://", value, re.IGNORECASE):
        scheme, is_there, _ = value.partition("://")
        reason = f"begins with {scheme}://" if is_there else "has no scheme"
        message = f"{reason}; an address begins with https://"
        raise ValueError(message)
    try:
        parts = urlsplit(value)
        # Asked for, the port is read: one beyond 65535 raises ValueError.
        host, _ = parts.hostname, parts.port
        # An empty part between two dots, or one over 63 characters, is no name of a host.
        (host or "").encode("idna")
    except ValueError:
        raise ValueError("is no address: host or port cannot be read") from None
    if not host or any(character.isspace() for character in value):
        raise ValueError("is no address: it has no host, or a blank in it")
    if "@" in parts.netloc:
        # Without the value: it may be a password.
        raise ValueError("holds a user name; sign-in has settings of its own")
    if parts.fragment:
        message = f"ends with #{parts.fragment}; leave that out"
        raise ValueError(message)
    return value


def is_for_all_to_read(url: str) -> bool:
    """Tell whether what goes to an address can be read on the way: no TLS, and not on this machine.

    >>> is_for_all_to_read("http://vms.example"), is_for_all_to_read("HTTPS://vms.example")
    (True, False)
    >>> is_for_all_to_read("http://127.0.0.1:8080"), is_for_all_to_read("http://127.0.0.1.example")
    (False, True)
    """
    parts = urlsplit(url)
    return parts.scheme.lower() != "https" and parts.hostname not in THIS_MACHINE


def _base(value: str) -> str:
    if "?" in value:
        raise ValueError("has a question mark; paths are put behind this address, so it ends before it")
    return value


# 0 where nothing is, and where this user may not look: Path.exists() would raise then.
def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _path(path: Path) -> Path:
    if path.parts[:1] and path.parts[0].startswith("~"):
        raise ValueError("begins with ~, which only a shell understands; write the whole path")
    if scheme := _SCHEME.match(str(path)):
        # It would make a folder of that name, with the password that an address may hold.
        message = f"begins with {scheme[0]} as an address does; write a path, the whole one where a folder is so called"
        raise ValueError(message)
    if any(len(part.encode()) > LONGEST_NAME for part in path.parts):
        message = f"has a name longer than {LONGEST_NAME} bytes, which no disk takes"
        raise ValueError(message)
    above = next((folder for folder in path.absolute().parents if _mode(folder)), path.absolute().parent)
    if stat.S_ISREG(_mode(above)):
        message = f"lies in {above}, which is a file and no folder"
        raise ValueError(message)
    return path


def _file(path: Path) -> Path:
    if stat.S_ISDIR(_mode(path)):
        raise ValueError("is a folder; name a file")
    return path


def read_control_place(value: object) -> Place:
    """Read a file, or an address of PostgreSQL; ValueError in words that hold nothing of a password."""
    text = _place(value, PostgresSchema, "an address of PostgreSQL")
    if isinstance(text, PostgresSchema):
        return text
    if is_postgres(text):
        return read_postgres(text)
    if "://" in text:
        raise ValueError(f"begins with {text.partition('://')[0]}://; a control store is a file, or postgresql://…")
    return _file(_path(Path(text)))


def read_warehouse_place(value: object) -> WarehousePlace:
    """Read a file, or the address of a lake; ValueError in words that hold nothing of a password."""
    text = _place(value, LakePlace, "the address of a lake")
    if isinstance(text, LakePlace):
        return text
    if is_lake(text):
        return read_lake(text)
    if is_postgres(text):
        raise ValueError("is an address of PostgreSQL; a warehouse is a file, or ducklake:postgresql://…")
    return _file(_path(Path(text)))


def _place(value: object, kind: type[_Address], what: str) -> _Address | str:
    """Return what may be a file or an address as text, or as the address that it has been read to already."""
    text = _text(value)
    if isinstance(text, kind):
        return text
    if not isinstance(text, str | Path):
        # Else pydantic would take it for a fault of ours.
        raise ValueError(f"must be a path or {what}, in quotes")  # noqa: TRY004
    return str(text)


def _data_place(text: str) -> str:
    return read_bucket(text) if is_bucket(text) else str(_folder(_path(Path(text))))


def _folder(path: Path) -> Path:
    if stat.S_ISREG(_mode(path)):
        raise ValueError("is a file; name a folder")
    return path


def _given_file(path: Path) -> Path:
    if not _mode(path):
        message = f"there is no such file in {path.absolute().parent}"
        raise ValueError(message)
    return _file(path)


def _user(name: str) -> str:
    if ":" in name:
        raise ValueError("holds a colon, behind which every server reads the password")
    return name


def _day_time(value: object) -> object:
    """Read ``16:30``, also where TOML read it as a time; pydantic would take seconds since midnight as well."""
    text = f"{value:%H:%M}" if isinstance(value, time) else value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError("is no time of day; write it as 16:30")
    return text


Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]
User = Annotated[Text, AfterValidator(_user)]
Codes = Annotated[tuple[Text, ...], BeforeValidator(_split)]
Token = Annotated[SecretStr, BeforeValidator(_token)]
# A time of day, always as ``06:30``.
DayTime = Annotated[
    str, BeforeValidator(_day_time), WithJsonSchema({"type": "string", "pattern": "^([01]\\d|2[0-3]):[0-5]\\d$"})
]
Sign = Annotated[Literal[1, -1, "revenue"], BeforeValidator(_sign)]
# An entity of the ledger, by its number.
Entity = Annotated[int, Field(ge=1, le=MOST_INTEGER)]
_ADDRESS_SCHEMA = WithJsonSchema({"type": "string", "pattern": "^https?://[^<>\\s]+$"})
Address = Annotated[str, BeforeValidator(_text), AfterValidator(_address), _ADDRESS_SCHEMA]
BaseAddress = Annotated[str, BeforeValidator(_text), AfterValidator(_address), AfterValidator(_base), _ADDRESS_SCHEMA]
_PATH_SCHEMA = WithJsonSchema({"type": "string", "minLength": 1})
_PATH = (BeforeValidator(_text), AfterValidator(_path))
OurFile = Annotated[Path, *_PATH, AfterValidator(_file), _PATH_SCHEMA]
ControlPlace = Annotated[Path | PostgresSchema, PlainValidator(read_control_place), PlainSerializer(str), _PATH_SCHEMA]
Warehouse = Annotated[Path | LakePlace, PlainValidator(read_warehouse_place), PlainSerializer(str), _PATH_SCHEMA]
DataPlace = Annotated[str, BeforeValidator(_text), AfterValidator(_data_place), _PATH_SCHEMA]
OurFolder = Annotated[Path, *_PATH, AfterValidator(_folder), _PATH_SCHEMA]
GivenFile = Annotated[Path, *_PATH, AfterValidator(_given_file), _PATH_SCHEMA]


def read_number(text: str) -> Decimal | float:
    """Read a number of TOML or JSON with all its digits; one beyond any limit as infinite, which no setting takes."""
    number = Decimal(text)
    # 1e999999999 made whole would fill the memory.
    return number if number.is_finite() and abs(number.adjusted()) < 100 else float(text)  # noqa: PLR2004
