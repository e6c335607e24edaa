"""A lost control store is made anew, from a copy or from both systems alone; and proved against both (`verify`).

The doors are `rebuild` (with `restore`), `people.confirm` and `verify`; only the command line imports them.
"""
