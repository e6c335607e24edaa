"""Where the control store is: a file, or a schema of a PostgreSQL database that an address names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

# As a tenant without a name of its own finds its tables.
SCHEMA = "springline"
# Small letters alone, so that nobody has to quote it; as long as PostgreSQL lets a name be. It keeps `pg_` for itself,
# and in `public` every program makes its tables.
_SCHEMA_NAME = re.compile(r"(?!pg_|information_schema$|public$)[a-z_][a-z0-9_]{0,62}")
_SCHEME = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
# What of a connection may be named behind the question mark, as libpq calls it; what else there is, we set ourselves.
_OPTIONS = frozenset({
    "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding", "connect_timeout",
    "gssencmode", "krbsrvname", "passfile", "service", "target_session_attrs",
})  # fmt: skip
_AS = "write it as postgresql://user@host:5432/database?schema=tenant"
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class PostgresSchema:
    """One schema of one database: who connects to what, in libpq's own words, and the schema's name.

    Written as text it is the address without its password, which is shown nowhere.
    """

    connection: tuple[tuple[str, str], ...]
    schema: str
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Return the address without password and options: what tells it from another one."""
        named = dict(self.connection)
        user = f"{quote(named['user'])}@" if "user" in named else ""
        host = named.get("host", "")
        # The folder of a socket stands behind the question mark, as it must be written.
        place, folder = ("", f"&host={host}") if host.startswith("/") else (host, "")
        place = f"[{place}]" if ":" in place else place
        port = f":{named['port']}" if "port" in named else ""
        return f"postgresql://{user}{place}{port}/{quote(named['dbname'])}?schema={self.schema}{folder}"


Place = Path | PostgresSchema


def is_postgres(text: str) -> bool:
    """Tell whether a text is meant as an address of PostgreSQL.

    >>> is_postgres("postgresql://books.example/springline"), is_postgres("springline.ctl.sqlite")
    (True, False)
    """
    return _SCHEME.match(text) is not None


def has_password(text: str) -> bool:
    """Tell whether an address holds a password, wherever in it; True also where that cannot be read."""
    try:
        parts = urlsplit(text)
        options = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        return parts.password is not None or not options.isdisjoint({"password", "sslpassword"})
    except ValueError:
        return True


def read_postgres(text: str) -> PostgresSchema:
    """Read an address such as `postgresql://user@host:5432/database?schema=tenant`.

    Raises ValueError in words that hold nothing of a password.

    >>> str(read_postgres("postgresql://tenant:hidden@books.example/springline?schema=tenant_a"))
    'postgresql://tenant@books.example/springline?schema=tenant_a'
    """
    try:
        parts = urlsplit(text)
        # Asked for, the port is read: one beyond 65535 raises ValueError.
        host, port = parts.hostname, parts.port
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError("is no address: host, port or options cannot be read; " + _AS) from None
    if parts.fragment:
        raise ValueError("has a # in it; a schema is named behind ?schema=, and a # in a password is written %23")
    named = {"host": unquote(host or ""), "port": str(port or ""), "user": unquote(parts.username or "")}
    named["dbname"] = unquote(parts.path.removeprefix("/"))
    schema = SCHEMA
    for name, value in options:
        if name == "schema":
            schema = value
        elif name not in _OPTIONS or not value:
            # Without its value, which may be a password.
            message = f"has the option {name}; there are schema, {', '.join(sorted(_OPTIONS))}"
            raise ValueError(message)
        else:
            named[name] = value
    if not named["dbname"] or "/" in named["dbname"]:
        raise ValueError("names no database; " + _AS)
    if not _SCHEMA_NAME.fullmatch(schema):
        message = (
            f"names the schema {schema}; its name has small letters, digits and _, 63 at most, does not begin with a "
            "digit or pg_, and is not public"
        )
        raise ValueError(message)
    # The network between is anybody's: PostgreSQL itself would go on without TLS where the server has none.
    if named["host"] and not named["host"].startswith("/") and named["host"] not in _THIS_MACHINE:
        named.setdefault("sslmode", "require")
    connection = tuple((name, value) for name, value in sorted(named.items()) if value)
    return PostgresSchema(connection, schema, None if parts.password is None else unquote(parts.password))
