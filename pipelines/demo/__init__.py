"""The demonstration: both sandboxes, every job, people's deeds in between, both sides' own books compared."""

from pipelines.demo.play import run_demo
from pipelines.demo.show import show_demo

__all__ = ["run_demo", "show_demo"]
