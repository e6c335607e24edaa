"""The wire: the only room that talks HTTP, to the VMS in REST and to the ledger in GraphQL.

From outside: the clients `vms` and `ledger`, what they take (`filters`, `query`), what reads their pages (`pages`,
`ahead`), and `http` with `limiter` for `springline check`, which asks before any client works.
"""
