"""Questions and their answers: status, explain, preflight, dry run, query. Nothing here sends, holds or decides.

One file a question: `status`, `preflight`, `dry_run`, `query` with `answers` for its forms, `explain/story`. The
command line imports these, and the demo imports `status`.
"""
