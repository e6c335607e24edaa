"""What can be typed: each command reads its options, calls one function of another room, and prints what that returns.

Nothing outside imports this room but the entry point, `app.main`, and the generated reference, which lists `app.app`.
A command imports what it runs inside itself, so that `--help` and a mistyped option answer at once.
"""
