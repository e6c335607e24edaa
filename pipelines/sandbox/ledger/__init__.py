"""The ledger, a stand-in for Xledger."""
