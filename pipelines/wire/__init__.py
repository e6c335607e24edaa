"""The wire: the only place that talks HTTP, to the VMS in REST and to the ledger in GraphQL."""
