"""The outbox: every outward write is an intent on disk before the call, and every step of its life an event.

It knows nothing about either system. From outside: `store` (the intents), `entry` (one of them as it is kept), `intent`
(one to be stored), `states`, and `chain` (proof that no event was edited).
"""
