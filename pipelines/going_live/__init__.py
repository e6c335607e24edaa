"""What is done once, before Springline's first real run: `check` looks whether all is set up, `adopt` takes over.

The doors are `check.check_readiness` and `adopt.run_adopt`; only the command line imports them.
"""
