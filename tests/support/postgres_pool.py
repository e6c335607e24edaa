"""A pool between a client and PostgreSQL, as PgBouncer is one: it keeps a session for each client, or shares them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Self

import psycopg

from pipelines.stores.postgres.connection import Record, records

IDLE = psycopg.pq.TransactionStatus.IDLE


class Pool:
    """Two sessions; where they are shared, a client has one while it has a transaction open, if it may."""

    def __init__(self, address: str, *, is_shared: bool, has_transactions: bool = True) -> None:
        """Connect both."""
        self.is_shared, self.has_transactions = is_shared, has_transactions
        self.sessions = [psycopg.connect(address, autocommit=True, row_factory=records) for _ in range(2)]
        self.free = [*self.sessions]

    def connected(self, _place: object) -> PoolClient:
        """Let a client in."""
        return PoolClient(self)


class PoolClient:
    """One client, to whom the pool gives a number of its own."""

    info = SimpleNamespace(backend_pid=-1)

    def __init__(self, pool: Pool) -> None:
        """Begin without a session."""
        self._pool = pool
        self._session: psycopg.Connection[Record] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 any of a connection's
        return getattr(self._own(), name)

    def execute(self, statement: bytes) -> psycopg.Cursor[Record]:
        """Run a statement in a session that is free, or in the one that is ours."""
        if statement.startswith(b"BEGIN") and not self._pool.has_transactions:
            raise psycopg.errors.ProtocolViolation("transaction blocks not allowed in statement pooling mode")
        session = self._own()
        cursor = session.execute(statement)
        if self._pool.is_shared and session.info.transaction_status == IDLE:
            self.close()
        return cursor

    def close(self) -> None:
        """Give the session back."""
        if self._session is not None:
            self._pool.free.append(self._session)
        self._session = None

    def _own(self) -> psycopg.Connection[Record]:
        if self._session is None:
            self._session = self._pool.free.pop()
        return self._session
