"""What must be right before going live, one line each: `springline check`."""

from pipelines.readiness.check import check_readiness, show_readiness
from pipelines.readiness.line import Line

__all__ = ["Line", "check_readiness", "show_readiness"]
