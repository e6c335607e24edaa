"""Many tenants under schedulers that exist: what the examples of docs/how-to/schedules do, judged by the books."""
