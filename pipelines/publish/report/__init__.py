"""The report: one HTML page, made from what report_facts reads; bars lays out its charts."""
