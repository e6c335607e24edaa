"""The close of one period: what stops it, its pack, its seal.

It has no step of a batch, and so no `steps`: the command line imports `run` (`run_close` looks, drafts and seals),
`reopen`, and `show` (what came of it, in print), and no other room imports anything.
"""
