"""The outbox: every outward write is an intent on disk before the call, and every step of its life an event."""
